/** Tasks, rewards and data from a user's own files, and what is said of files that are none. @module */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { isUsage } from "../../../base/usage.ts";
import { readData, readDataFiles, taskContext } from "../../../experiment/folder/data_file.ts";
import { loadReward, loadTask } from "../../../experiment/folder/own_files.ts";
import { openFrom } from "../../../experiment/opening.ts";
import { openRewards } from "../../../experiment/rewards.ts";
import type { Reward, RewardDefinition } from "../../../rewards/reward.ts";
import { colors } from "../../../tasks/colors.ts";
import { withFolder } from "../../_folder.ts";

const ROOT = new URL("../../../", import.meta.url).href;
const PROMPTS = `examples: { train: [{ id: "a", prompt: "red is", answer: "warm" }], heldout: [] },
  maxNewTokens: 2, defaultRewards: "exact", steps: 3, settings: { batchSize: 4 },
  parent: { name: "none", answer: () => Promise.resolve([null]) }`;
const OPTIONS = `import { defineOptions } from "${ROOT}base/options.ts";
const options = defineOptions("warm", { level: { kind: "integer", default: 1, doc: "how warm", group: "Task" } });`;

/** Writes a file, and gives its path. */
async function file(folder: string, name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

Deno.test("a module exports a task, a definition or a function, under any of three names", () =>
  withFolder(async (folder) => {
    const cases: [string, string][] = [
      ["my task.ts", `export default { name: "warm", summary: "warm?", ${PROMPTS} };`],
      ["named.ts", `export const task = { name: "warm", summary: "warm?", ${PROMPTS} };`],
      ["function.mjs", `export default () => ({ name: "warm", summary: "warm?", ${PROMPTS} });`],
      [
        "later.ts",
        `export const task = () => Promise.resolve({ name: "warm", summary: "warm?", ${PROMPTS} });`,
      ],
      [
        "definition.ts",
        `${OPTIONS}
export const definition = { name: "warm", summary: "", options,
  open: ({ level }: { level: number }) => ({ name: "warm", summary: "level " + level, ${PROMPTS} }) };`,
      ],
    ];
    for (const [name, text] of cases) {
      const path = await file(folder, name, text);
      const { task, settings, file: kept } = await openFrom(path, { level: 2, epochs: 3 });
      assert.equal(task.examples.train[0].prompt, "red is", name);
      const isDefinition = name === "definition.ts";
      assert.equal(task.summary, isDefinition ? "level 2" : "warm?");
      assert.deepEqual(settings, isDefinition ? { level: 2 } : {});
      const sha256 = createHash("sha256").update(text).digest("hex");
      assert.deepEqual(kept, { path, sha256 });
    }
    const table = await file(folder, "My Prompts.CSV", "prompt,answer\na,b\nc,d\n");
    const { task, settings } = await openFrom(table, { heldoutShare: 0.5 });
    assert.deepEqual([task.name, task.examples.heldout.length], ["my-prompts", 1]);
    assert.deepEqual(settings, { heldoutShare: 0.5, splitSeed: 1 });
    assert.equal((await openFrom("colors")).task.name, "colors");
  }));

Deno.test("a module exports a reward, its definition or a function, which has the file's name", () =>
  withFolder(async (folder) => {
    const cases: [string, string, string][] = [
      ["short answer.ts", "export default (text: string) => 1 / text.length;", "short_answer"],
      [
        "whole.ts",
        "export default ({ completions }) => completions.map((text) => 1 / text.length);",
        "whole",
      ],
      [
        "object.ts",
        'export const reward = { name: "mine", score: ({ completions }) => Promise.resolve(completions.map((text) => 1 / text.length)) };',
        "mine",
      ],
    ];
    for (const [name, text, want] of cases) {
      const path = await file(folder, name, text);
      const rewards = await openRewards(colors(), `${path}:2,exact:0`);
      assert.deepEqual(rewards.weights, { [want]: 2, exact: 0 }, name);
      const examples = colors().examples.train.slice(0, 2);
      const completions = ["ab", "abcd"], prompts = ["", ""];
      assert.deepEqual(await rewards.score({ prompts, completions, examples }), [1, 0.5], name);
    }
    const text = `${OPTIONS}
export default { name: "warmth", summary: "", options, counts: [],
  open: ({ level }) => ({ name: "warmth", score: ({ prompts }) => Promise.resolve(prompts.map(() => level)) }) };`;
    const path = await file(folder, "definition.ts", text);
    const { reward } = await loadReward(path);
    assert.equal((reward as RewardDefinition).name, "warmth");
    const opened = await openRewards(colors(), path, { settings: { warmthLevel: 7 } });
    assert.deepEqual(
      await opened.score({ prompts: [""], completions: [""], examples: [] as never }),
      [7],
    );
  }));

/** What a module throws or lacks, and how that is said; `@` stands for its path. */
const BROKEN: [what: string, name: string, text: string, message: string][] = [
  [
    "a syntax error",
    "a b.ts",
    "const a = 1;\nexport default { a: ;",
    "Cannot load the task @ as it fails in line 2, column 21: SyntaxError: Expression expected. Correct the file",
  ],
  [
    "a throw",
    "throws.ts",
    '\n\nthrow new RangeError("too many");',
    "Cannot load the task @ as it fails in line 3, column 7: RangeError: too many. Correct the file",
  ],
  [
    "a type error",
    "type.ts",
    "const task: any = undefined;\nexport default task.examples;",
    "Cannot load the task @ as it fails in line 2, column 21: TypeError: Cannot read properties of undefined (reading " +
    "'examples'). Correct the file",
  ],
  [
    "a throw of a text",
    "text.js",
    'throw "no\\nway";',
    "Cannot load the task @ as it fails: no. Correct the file",
  ],
  [
    "no export",
    "none.ts",
    "const task = 1;",
    "Cannot use @ as the task must be its default export: it " +
    "exports nothing; write: export default …",
  ],
  [
    "another export",
    "other.ts",
    "export const tasks = 1, all = 2;",
    "Cannot use @ as the task must be its default export: it exports all, tasks; write: export default …",
  ],
  [
    "a number",
    "number.ts",
    "export default 7;",
    "Cannot train on @ as a task's file exports one (tasks/task.ts says what that is), its definition " +
    "(with open()) or a function that gives one, as default: its default is 7",
  ],
  [
    "a function that throws",
    "later.ts",
    'export default function task() {\n  throw new Error("not today");\n}',
    "Cannot load the task @ as it fails in line 2, column 9: Error: not today. Correct the file",
  ],
];
for (const [what, name, text, message] of BROKEN) {
  Deno.test(`a task's module with ${what} is named, with the line`, () =>
    withFolder(async (folder) => {
      const path = await file(folder, name, text);
      await assert.rejects(openFrom(path), (error: Error) => {
        assert.equal(error.message, message.replace("@", path));
        assert.ok(!isUsage(error)); // the file is at fault
        return true;
      });
    }));
}

Deno.test("a module that imports what there is not says which, and where", () =>
  withFolder(async (folder) => {
    const path = await file(folder, "a.ts", 'import { b } from "./b.ts";\nexport default b;');
    const missing = `Module not found "${pathToFileURL(`${folder}/b.ts`)}"`;
    await assert.rejects(
      loadTask(path),
      new Error(
        `Cannot load the task ${path} as it fails in line 1, column 19: ${missing}. Correct the file`,
      ),
    );
    await file(folder, "c.ts", "export const a = 1;\n\nthrow new Error('inside');");
    const outer = await file(folder, "d.ts", 'export { a as default } from "./c.ts";');
    await assert.rejects(loadReward(outer), {
      message:
        `Cannot load the reward ${outer} as it fails in line 3, column 7 of ${
          pathToFileURL(`${folder}/c.ts`)
        }: ` +
        "Error: inside. Correct the file",
    });
  }));

Deno.test("a file that is not there, or no file of the kind, is wrong usage, with the nearest name", () =>
  withFolder(async (folder) => {
    await file(folder, "prompts.csv", "prompt\na\n");
    await Deno.mkdir(`${folder}/b.ts`);
    const cases: [string, string][] = [
      [
        `${folder}/promts.csv`,
        `Cannot read the task ${folder}/promts.csv as it must be a file: it is not there. Did you mean ` +
        `${folder}/prompts.csv?`,
      ],
      [
        `${folder}/b.ts`,
        `Cannot read the task ${folder}/b.ts as it must be a file: it is a folder.`,
      ],
      [
        "./nowhere/a.ts",
        `Cannot read the task ./nowhere/a.ts as it must be a file: it is not there in ${Deno.cwd()}.`,
      ],
      [
        "./data.json",
        "Cannot train on ./data.json as a task's own file is a module (.ts, .mts, .js, .mjs) or a table (.csv): " +
        "rename it, or name a task of the registry",
      ],
    ];
    for (const [path, message] of cases) {
      await assert.rejects(openFrom(path), (error: Error) => {
        assert.equal(error.message, message);
        assert.ok(isUsage(error), path);
        return true;
      });
    }
    await assert.rejects(
      loadReward("./a.ts"),
      /^TypeError: Cannot read the reward \.\/a\.ts as it must be/,
    );
  }));

Deno.test("a reward's module that exports none says what it exports", () =>
  withFolder(async (folder) => {
    const path = await file(folder, "a.ts", "export default { scores: 1 };");
    await assert.rejects(loadReward(path), {
      name: "TypeError",
      message:
        `Cannot use ${path} as a reward's file exports one (an object with name and score()), its ` +
        "definition (with open()) or a function, as default: its default is an object with scores",
    });
    const half = await file(folder, "b.ts", 'export default { name: "exact", open: () => 1 };');
    await assert.rejects(openRewards(colors(), half), {
      message:
        "Cannot use the reward exact as a definition has a name of its own, options (defineOptions) and " +
        "counts: it is an object with name, open",
    });
    const taken = await file(
      folder,
      "c.ts",
      `${OPTIONS}\nexport default { name: "semantic", options, counts: [], open: () => 1 };`,
    );
    await assert.rejects(openRewards(colors(), taken), /: the registry has another of this name$/);
    const { reward } = await loadReward(await file(folder, "exact.ts", "export default () => 1;"));
    assert.equal((reward as Reward).name, "exact");
    await assert.rejects(
      openRewards(colors(), `${folder}/exact.ts`),
      /"exact" is measured beside every sum/,
    );
  }));

Deno.test("a task may read files where there are some", async () => {
  assert.deepEqual(Object.keys(taskContext()), ["readData", "readDataFiles"]);
  const code = `const { taskContext } = await import("${ROOT}experiment/folder/data_file.ts");
const { log } = console;
delete globalThis.Deno;
log(Object.keys(taskContext()).length);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", code] })
    .output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "0");
});

/** A data set in a cache of its own, for as long as `body` runs. */
const withDataset = (
  files: Record<string, string>,
  body: (snapshot: string, hub: string) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const before = Deno.env.get("HF_HUB_CACHE");
    Deno.env.set("HF_HUB_CACHE", `${folder}/hub`);
    try {
      const commit = "c".repeat(40), home = `${folder}/hub/datasets--openai--gsm8k`;
      for (const [name, text] of Object.entries({ "README.md": "no configs", ...files })) {
        const path = `${home}/snapshots/${commit}/${name}`;
        await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        await Deno.writeTextFile(path, text);
      }
      await Deno.mkdir(`${home}/refs`);
      await Deno.writeTextFile(`${home}/refs/main`, commit);
      await body(`${home}/snapshots/${commit}`, `${folder}/hub`);
    } finally {
      if (before === undefined) Deno.env.delete("HF_HUB_CACHE");
      else Deno.env.set("HF_HUB_CACHE", before);
    }
  });
const MUST = "as it must be a file, or OWNER/NAME of a data set: ";

Deno.test("data is a file, or a file of a data set in the hub's cache", () =>
  withDataset({ "main/train.parquet": "train" }, async (snapshot, hub) => {
    const text = async (name: string) => {
      const read = await readData(name);
      return [read.name, new TextDecoder().decode(read.bytes)];
    };
    const only = "openai/gsm8k/main/train.parquet";
    assert.deepEqual(await text("openai/gsm8k"), [only, "train"]);
    assert.deepEqual(await text(only), [only, "train"]);
    const path = await file(hub, "a.csv", "prompt");
    assert.deepEqual(await text(path), [path, "prompt"]);
    await file(`${snapshot}/main`, "test.parquet", "test");
    const cases: [string, string][] = [
      [
        "openai/gsm8k",
        `${MUST}one file is wanted: it is ${only}, openai/gsm8k/main/test.parquet; name one of them`,
      ],
      [hub, `${MUST}it is a folder; name a file in it`],
      [`${hub}/b.csv`, `${MUST}there is none`],
      ["b.csv", `${MUST}there is none in ${Deno.cwd()}`],
      [
        "openai/other",
        `${MUST}there is no such file in ${Deno.cwd()}, and the hub's cache does not have it as ` +
        `${hub}/datasets--openai--other. This gets it from the hub: deno task fetch --dataset openai/other`,
      ],
      [
        "openai/gsm8k@v2/main",
        `${MUST}there is no such file in ${Deno.cwd()}, and the hub's cache does not have it as ` +
        `${hub}/datasets--openai--gsm8k. This gets it from the hub: ` +
        "deno task fetch --dataset openai/gsm8k@v2 --files 'main'",
      ],
    ];
    for (const [name, why] of cases) {
      await assert.rejects(readData(name), new Error(`Cannot read the data ${name} ${why}`));
    }
    await assert.rejects(readData("openai/gsm8k/x.csv"), {
      message: "Cannot use x.csv of openai/gsm8k as it must be a config, a file, a folder or a " +
        "pattern of it: its configs are main; its files are main/test.parquet, main/train.parquet. " +
        "This gets more of it: deno task fetch --dataset openai/gsm8k --files 'x.csv'",
    });
  }));

Deno.test("a data set is all of its shards, training ones first, and what it holds out", () => {
  const files = {
    "d/train-00001-of-00002.csv": "2",
    "d/train-00000-of-00002.csv": "1",
    "d/test-00000-of-00001.csv": "3",
    "e/train.csv": "4",
  };
  return withDataset(files, async (snapshot, hub) => {
    const text = async (name: string) =>
      (await readDataFiles(name)).map(({ name, bytes, split }) =>
        `${name} ${new TextDecoder().decode(bytes)} ${split}`
      );
    const set = "openai/gsm8k/d/t", commit = snapshot.slice(-40);
    const d = [
      `${set}rain-00000-of-00002.csv 1 train`,
      `${set}rain-00001-of-00002.csv 2 train`,
      `${set}est-00000-of-00001.csv 3 heldout`,
    ];
    assert.deepEqual(await text("openai/gsm8k/d"), d);
    assert.deepEqual(await text("openai/gsm8k/d/*"), d);
    assert.deepEqual(await text("openai/gsm8k/e/train.csv"), [
      "openai/gsm8k/e/train.csv 4 undefined",
    ]);
    assert.deepEqual(await text(`openai/gsm8k@${commit}/e`), [
      `openai/gsm8k@${commit}/e/train.csv 4 undefined`,
    ]);
    const path = await file(hub, "a.csv", "prompt");
    assert.deepEqual(await text(path), [`${path} prompt undefined`]);
    // What the hub wrote itself, of a revision with slashes.
    const refs = `${snapshot}/../../refs/refs/convert`;
    await Deno.mkdir(refs, { recursive: true });
    await Deno.writeTextFile(`${refs}/parquet`, commit);
    assert.equal((await text("openai/gsm8k@refs/convert/parquet/d")).length, 3);
    await Deno.remove(`${snapshot}/d/train-00001-of-00002.csv`);
    await assert.rejects(readDataFiles("openai/gsm8k"), {
      message:
        `Cannot read the data openai/gsm8k ${MUST}part 2 of 2 of d/train is not there; fetch it ` +
        "again (deno task fetch --dataset openai/gsm8k), or name those that are there: " +
        "'openai/gsm8k/d/train-*-of-00002.csv'",
    });
    assert.equal((await text("openai/gsm8k/d/train-*-of-00002.csv")).length, 1);
  });
});

Deno.test("a data set with configs must be told which, and none of it may lead out of the cache", () => {
  const config = (name: string) => `- config_name: ${name}\n  data_files: ${name}/*\n`;
  const card = `---\nconfigs:\n${config("one")}${config("two")}---\n`;
  return withDataset(
    { "README.md": card, "one/a.csv": "1", "two/a.csv": "2" },
    async (snapshot, hub) => {
      await assert.rejects(readDataFiles("openai/gsm8k"), {
        message:
          `Cannot read the data openai/gsm8k ${MUST}it must be told which of its configs: one, two; name openai/gsm8k/CONFIG`,
      });
      assert.deepEqual((await readDataFiles("openai/gsm8k/two")).map(({ name }) => name), [
        "openai/gsm8k/two/a.csv",
      ]);
      await Deno.symlink(await file(hub, "secret", "x"), `${snapshot}/one/b.csv`);
      await assert.rejects(
        readDataFiles("openai/gsm8k/one"),
        /a link that leads out of its folder/,
      );
      await Deno.remove(`${snapshot}/one/b.csv`);
      await Deno.truncate(`${snapshot}/one/a.csv`, 2 ** 30 + 1);
      await assert.rejects(readDataFiles("openai/gsm8k/one"), {
        name: "RangeError",
        message:
          "Cannot read the data openai/gsm8k/one as at most 1073741824 bytes are read: its 1 files " +
          "have 1073741825; name one of them, such as openai/gsm8k/one/a.csv",
      });
    },
  );
});

/** Rewards that fail as they score, each in line 2. */
const FAILING: [what: string, text: string, column: number, said: string][] = [
  [
    "a function of a completion",
    "export default (text: string, _: unknown) => {\n  throw new RangeError(`no ${text}`); };",
    9,
    "RangeError: no a",
  ],
  [
    "an object with private parts",
    "class Own { name = 'own'; #n: any; async score() { await 0;\n    return this.#n.length; } }\n" +
    "export default new Own();",
    20,
    "TypeError: Cannot read properties of undefined (reading 'length')",
  ],
  [
    "a definition",
    `import { defineOptions } from "${new URL(
      "../../../mod.ts",
      import.meta.url,
    )}"; const fail = () => {\n` +
    "throw new Error('late'); };\nexport default { name: 'late', summary: '', counts: [], options: " +
    "defineOptions('late', {}), open: () => ({ name: 'late', score: fail }) };",
    7,
    "Error: late",
  ],
];
for (const [i, [what, text, column, said]] of FAILING.entries()) {
  Deno.test(`a reward's file that fails as it scores is named with line and column: ${what}`, () =>
    withFolder(async (folder) => {
      const path = await file(folder, `failing ${i} 100%.ts`, text);
      const opened = await openRewards(colors(), path);
      const batch = { prompts: [""], completions: ["a"], examples: [{ id: "", prompt: "" }] };
      await assert.rejects(opened.score(batch), (error: Error) => {
        const place = `${path} fails in line 2, column ${column}: ${said}`;
        assert.ok(error.message.endsWith(`: ${place}`), error.message);
        const own = (error.cause as Error).cause as Error; // with the stack of the file
        assert.ok(own.stack!.includes(`${path}:2:${column}`));
        return true;
      });
    }));
}

Deno.test("a task's file that fails later is named too, and one that is frozen stays as it is", () =>
  withFolder(async (folder) => {
    const task =
      "{ name: 'own', summary: '', maxNewTokens: 2, steps: 1, defaultRewards: 'exact', " +
      "settings: { batchSize: 4 }, examples: { train: [{ id: '1', prompt: 'a' }], heldout: [] },\n" +
      "  subject() { throw new Error('no subject'); },\n" +
      "  parent: { name: 'p', async answer() { await 0; throw new Error('no answer'); } } }";
    const path = await file(folder, "late.ts", `export default ${task};`);
    const { task: opened } = await openFrom(path);
    assert.throws(() => opened.subject!(opened.examples.train[0]), {
      message: `${path} fails in line 2, column 21: Error: no subject`,
    });
    await assert.rejects(opened.parent.answer([]), {
      message: `${path} fails in line 3, column 56: Error: no answer`,
    });
    const frozen = await file(folder, "frozen.ts", `export default Object.freeze(${task});`);
    assert.equal((await openFrom(frozen)).task.name, "own");
  }));
