/** Tasks, rewards and data from a user's own files, and what is said of files that are none. @module */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { isUsage } from "../../../base/usage.ts";
import { readData, taskContext } from "../../../experiment/folder/data_file.ts";
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
    "Cannot load the task @ as it fails in line 2: SyntaxError: Expression expected. Correct the file",
  ],
  [
    "a throw",
    "throws.ts",
    '\n\nthrow new RangeError("too many");',
    "Cannot load the task @ as it fails in line 3: RangeError: too many. Correct the file",
  ],
  [
    "a type error",
    "type.ts",
    "const task: any = undefined;\nexport default task.examples;",
    "Cannot load the task @ as it fails in line 2: TypeError: Cannot read properties of undefined (reading " +
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
    "Cannot load the task @ as it fails in line 2: Error: not today. Correct the file",
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
      new Error(`Cannot load the task ${path} as it fails in line 1: ${missing}. Correct the file`),
    );
    await file(folder, "c.ts", "export const a = 1;\n\nthrow new Error('inside');");
    const outer = await file(folder, "d.ts", 'export { a as default } from "./c.ts";');
    await assert.rejects(loadReward(outer), {
      message:
        `Cannot load the reward ${outer} as it fails in line 3 of ${
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
  assert.equal(taskContext().readData, readData);
  const code = `const { taskContext } = await import("${ROOT}experiment/folder/data_file.ts");
const { log } = console;
delete globalThis.Deno;
log(Object.keys(taskContext()).length);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", code] })
    .output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "0");
});

Deno.test("data is a file, or a file of a data set in the hub's cache", () =>
  withFolder(async (folder) => {
    const before = Deno.env.get("HF_HUB_CACHE");
    Deno.env.set("HF_HUB_CACHE", `${folder}/hub`);
    try {
      const commit = "c".repeat(40), home = `${folder}/hub/datasets--openai--gsm8k`;
      await Deno.mkdir(`${home}/snapshots/${commit}/main`, { recursive: true });
      await Deno.mkdir(`${home}/refs`);
      await Deno.writeTextFile(`${home}/refs/main`, commit);
      await file(`${home}/snapshots/${commit}`, "README.md", "no data");
      await file(`${home}/snapshots/${commit}/main`, "train.parquet", "train");
      const text = async (name: string) => {
        const read = await readData(name);
        return [read.name, new TextDecoder().decode(read.bytes)];
      };
      const only = "openai/gsm8k/main/train.parquet";
      assert.deepEqual(await text("openai/gsm8k"), [only, "train"]);
      assert.deepEqual(await text(only), [only, "train"]);
      const path = await file(folder, "a.csv", "prompt");
      assert.deepEqual(await text(path), [path, "prompt"]);
      await file(`${home}/snapshots/${commit}/main`, "test.parquet", "test");
      const cannot = (name: string) =>
        `Cannot read the data ${name} as it must be a file, or OWNER/NAME of a data set: `;
      const cases: [string, string][] = [
        [
          "openai/gsm8k",
          "it must be told which of its files: main/test.parquet, main/train.parquet; name openai/gsm8k/FILE",
        ],
        [
          "openai/gsm8k/x.csv",
          "openai/gsm8k has no x.csv: it has main/test.parquet, main/train.parquet",
        ],
        [folder, "it is a folder; name a file in it"],
        [`${folder}/b.csv`, "there is none"],
        [
          "openai/other",
          `there is no such file in ${Deno.cwd()}, and the hub's cache does not have it as ` +
          `${folder}/hub/datasets--openai--other. Name the file of data that you have`,
        ],
      ];
      for (const [name, why] of cases) {
        await assert.rejects(readData(name), new Error(cannot(name) + why));
      }
    } finally {
      if (before === undefined) Deno.env.delete("HF_HUB_CACHE");
      else Deno.env.set("HF_HUB_CACHE", before);
    }
  }));
