/** `train` with tasks and rewards in files, in a process that may do what `deno task train` may. @module */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { readRun } from "../../experiment/folder/run_data.ts";
import { inTemporary, withFolder } from "../_folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { tasks: { train: { command: TASK } } } = JSON.parse(
  await Deno.readTextFile(`${ROOT}deno.json`),
);
/** What `deno task train` runs, from any folder. */
const LINE = TASK.replace("cli/bin.ts", `${ROOT}cli/bin.ts`)
  .replace("--no-prompt", `--no-prompt --config=${ROOT}deno.json`);

interface Printed {
  code: number;
  out: string;
  err: string;
}

/** Runs `deno task train WORDS` in `place` as a shell does. */
async function train(place: string, words: string): Promise<Printed> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `${LINE} ${words}`],
    cwd: place,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

const TABLE =
  'prompt,answer\n"The sky is ",blue\n"Grass is ",green\n"Snow 😀 is ",white\n"Coal is ",black\n';
const MODULE = `
import { defineOptions } from "${new URL("../../mod.ts", import.meta.url)}";
export const definition = {
  name: "letters", summary: "words of letters",
  options: defineOptions("the task letters", {
    level: { kind: "integer", default: 1, min: 1, max: 3, doc: "how many prompts", group: "Task" },
  }),
  open: ({ level }: { level: number }) => ({
    name: "letters", summary: "", maxNewTokens: 2, steps: 1, defaultRewards: "exact",
    settings: { batchSize: 4 }, algorithm: "grpo",
    examples: {
      train: Array.from({ length: level }, (_, i) => ({ id: String(i), prompt: "say " + i, answer: "a" })),
      heldout: [{ id: "h", prompt: "say h", answer: "a" }],
    },
    parent: { name: "a", answer: (all: unknown[]) => Promise.resolve(all.map(() => "a")) },
  }),
};
`;

async function write(place: string): Promise<void> {
  await Deno.writeTextFile(`${place}/my prompts.csv`, TABLE);
  await Deno.writeTextFile(
    `${place}/short answer.ts`,
    "export default (text: string) => 1 / (1 + text.length);",
  );
  await Deno.writeTextFile(`${place}/letters.ts`, MODULE);
}
const SMALL = "--device cpu --quiet --json batchSize=4";

inTemporary(
  "a run of files with spaces is made, repeated by its line, and extended",
  async (place) => {
    await write(place);
    const asked = `'./my prompts.csv' --reward './short answer.ts:0.5,exact' --steps 1 ${
      SMALL.replace("--quiet ", "")
    }`;
    const { code, out, err } = await train(place, asked);
    assert.equal(code, 0, err);
    const { folder, task, rewards, players } = JSON.parse(out);
    assert.match(folder, /^runs\/my-prompts-ppo-1-[\d-]+$/);
    assert.deepEqual([task, rewards], ["my-prompts", ["short_answer", "exact"]]);
    assert.equal(players.nothing.reward, 0.5);
    assert.match(err, /^note: 1 of 4 prompts of \.\/my prompts\.csv are held out/m);
    const read = (name: string) => Deno.readTextFile(`${place}/${folder}/${name}`);
    const { command } = JSON.parse(await read("config.json"));
    assert.equal(
      command,
      "deno task train './my prompts.csv' --algorithm ppo --reward './short answer.ts:0.5,exact' --model tiny " +
        "--steps 1 --seed 1 --device cpu batchSize=4",
    );
    assert.ok((await read("report.html")).includes("&#39;./my prompts.csv&#39;"));
    assert.equal(await read("own/my prompts.csv"), TABLE);
    const again = await train(
      place,
      `${command.replace("deno task train ", "")} --quiet --out runs/again`,
    );
    assert.equal(again.code, 0, again.err);
    assert.equal(
      await Deno.readTextFile(`${place}/runs/again/metrics.csv`),
      await read("metrics.csv"),
    );
    const more = await train(place, `--resume runs/again --steps 2 --quiet --json`);
    assert.equal(more.code, 0, more.err);
    assert.equal(JSON.parse(more.out).steps, 2);
    assert.deepEqual(JSON.parse(more.out).players, players);
  },
);

/** Pastes a command that was offered into a shell. */
async function paste(place: string, command: string): Promise<Printed> {
  const [before, words] = command.split("deno task train ");
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", before.replace(/&& $/, "") || "true"],
    cwd: place,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return await train(place, `${words} --quiet`);
}

/** The commands that a message offers, a line each. */
const offered = (err: string): string[] => err.match(/(?<=^ {4})\S.*$/gm) ?? [];

const OTHER_TABLE = TABLE.replace("green", "bluish");
const OTHER_REWARD = "export default (text: string) => text.length;";

inTemporary(
  "a run whose own files changed goes on with the old text, or the new",
  async (place) => {
    await write(place);
    const read = (name: string) => Deno.readTextFile(`${place}/${name}`);
    const reward = await read("short answer.ts");
    const change = async (table: string, reward: string) => {
      await Deno.writeTextFile(`${place}/my prompts.csv`, table);
      await Deno.writeTextFile(`${place}/short answer.ts`, reward);
    };
    const asked =
      `'./my prompts.csv' --reward './short answer.ts:0.5,exact' --steps 1 --out runs/a`;
    const made = await train(place, `${asked} --skip-players ${SMALL}`);
    assert.equal(made.code, 0, made.err);

    await change(OTHER_TABLE, OTHER_REWARD);
    const refused = await train(place, "--resume runs/a/ --steps 2 learningRate=1e-5 --quiet");
    assert.equal(refused.code, 2);
    const line = "deno task train --resume runs/a --steps 2 learningRate=0.00001";
    const table = "'./my prompts.csv'", own = "'./short answer.ts'";
    assert.equal(
      refused.err,
      `error: Cannot resume runs/a as ./my prompts.csv changed since step 1, and ./short answer.ts changed ` +
        `since step 1. Do one of the two:\n` +
        `  take the old text back:\n` +
        `    mv ${table} './my prompts.csv.new' && cp 'runs/a/own/my prompts.csv' ${table} && ` +
        `mv ${own} './short answer.ts.new' && cp 'runs/a/own/short answer.ts' ${own} && ${line}\n` +
        `  go on with the new one, which is noted in the run:\n` +
        `    ${line} --accept-changed-files\n`,
    );
    const [, onward] = offered(refused.err);
    const other = await paste(place, onward);
    assert.equal(other.code, 0, other.err);
    assert.match(
      other.err,
      /^continuing with \.\/my prompts\.csv, \.\/short answer\.ts as changed since step 1: /m,
    );
    const { ownFiles } = JSON.parse(await read("runs/a/config.json"));
    const history = JSON.parse(await read("runs/a/history.json"));
    const { files, changed } = history.at(-1);
    assert.deepEqual(
      [ownFiles.task.copy, files.ownFiles.task.copy, files.ownFiles.rewards[0].copy],
      ["own/my prompts.csv", "own/2-my prompts.csv", "own/2-short answer.ts"],
    );
    assert.equal(await read("runs/a/own/2-my prompts.csv"), OTHER_TABLE);
    assert.equal(await read("runs/a/own/my prompts.csv"), TABLE);
    assert.deepEqual(changed.maxNewTokens, [6, 7]); // as many as the longest answer needs

    // As where it was killed before another checkpoint: what was asked for then still holds.
    await Deno.remove(`${place}/runs/a/checkpoints/step-2`, { recursive: true });
    await Deno.remove(`${place}/runs/a/summary.json`);
    const onceMore = await train(place, "--resume runs/a --steps 2 --quiet");
    assert.equal(onceMore.code, 0, onceMore.err);

    await change(TABLE, reward); // which are others now than at step 2
    await Deno.remove(`${place}/runs/a/summary.json`); // as where the run was killed
    const bare = await train(place, "--resume --steps 3 --quiet");
    assert.equal(bare.code, 2);
    assert.match(
      bare.err,
      /passed over runs\/a: Cannot resume runs\/a as \.\/my prompts\.csv changed since step 2/,
    );
    const [back, same] = offered(bare.err);
    assert.match(same, /^deno task train --resume runs\/a --steps 3 --accept-changed-files/);
    const old = await paste(place, back);
    assert.equal(old.code, 0, old.err);
    assert.equal(await read("my prompts.csv"), OTHER_TABLE);
    assert.equal(await read("my prompts.csv.new"), TABLE);
    assert.equal((await read("runs/a/metrics.csv")).trim().split("\n").length, 4);

    await Deno.remove(`${place}/short answer.ts`);
    const gone = await train(place, "--resume runs/a --steps 4 --quiet");
    assert.deepEqual([gone.code, offered(gone.err)], [2, [
      `cp 'runs/a/own/2-short answer.ts' ${own} && deno task train --resume runs/a --steps 4`,
    ]]);
    const alone = await train(place, "colors --accept-changed-files");
    assert.match(
      alone.err,
      /Cannot take --accept-changed-files without --resume as a new run reads/,
    );
  },
);

inTemporary(
  "a data file that changed is named, and taken where that is asked for",
  async (place) => {
    const record = (i: number) =>
      `{"question":"What is ${i} + 1?","answer":"It is ${i + 1}.\\n#### ${i + 1}"}\n`;
    const records = Array.from({ length: 10 }, (_, i) => record(i));
    await Deno.writeTextFile(`${place}/sums.jsonl`, records.join(""));
    const small =
      "--steps 1 --model tiny --skip-players --device cpu --quiet batchSize=4 groupSize=2";
    const made = await train(place, `math data=sums.jsonl maxNewTokens=2 --out runs/a ${small}`);
    assert.equal(made.code, 0, made.err);
    const config = JSON.parse(await Deno.readTextFile(`${place}/runs/a/config.json`));
    const sha256 = await sumOf(`${place}/sums.jsonl`);
    assert.deepEqual(config.dataFiles, [{ name: "sums.jsonl", sha256 }]);
    await Deno.writeTextFile(`${place}/sums.jsonl`, records.slice(1).join(""));
    const { code, err } = await train(place, "--resume runs/a --steps 2 --quiet");
    assert.equal(code, 2);
    assert.match(
      err,
      /Cannot resume runs\/a as sums\.jsonl changed since step 1\. Do one of the two/,
    );
    assert.match(
      err,
      /old text back \(sums\.jsonl from where you have it: the run folder keeps no/,
    );
    const other = await paste(place, offered(err)[1]);
    assert.equal(other.code, 0, other.err);
    const history = JSON.parse(await Deno.readTextFile(`${place}/runs/a/history.json`));
    assert.deepEqual(history.at(-1).files.dataFiles, [
      { name: "sums.jsonl", sha256: await sumOf(`${place}/sums.jsonl`) },
    ]);
    const { completions } = await readRun(`${place}/runs/a`); // other prompts after than before: no damage
    const asked = (phase: string) => completions.filter((row) => row.phase === phase).length;
    assert.deepEqual([asked("before"), asked("after")], [10, 9]);
  },
);

const sumOf = async (path: string): Promise<string> =>
  createHash("sha256").update(await Deno.readFile(path)).digest("hex");

inTemporary(
  "a run that would run code of its own folder is not continued",
  async (place) => {
    await write(place);
    const made = await train(place, `letters.ts groupSize=2 --out runs/a ${SMALL}`);
    assert.equal(made.code, 0, made.err);
    const config = `${place}/runs/a/config.json`, text = await Deno.readTextFile(config);
    for (const path of ["runs/a/own/letters.ts", "./runs/../runs/a/own/letters.ts"]) {
      await Deno.writeTextFile(
        config,
        text.replaceAll('"task": "letters.ts"', `"task": "${path}"`),
      );
      const { code, err } = await train(place, "--resume runs/a --steps 2 --quiet");
      assert.match(
        err,
        /Cannot resume runs\/a as it would run the code of \S+letters\.ts, which lies in that folder/,
      );
      assert.equal(code, 2);
    }
    await Deno.writeTextFile(config, text);
    const none = await train(place, "letters.ts --resume --steps 2 --quiet");
    assert.equal(none.code, 2); // it is finished, and --resume alone takes one that is not
    assert.match(
      none.err,
      /no unfinished run of letters in runs .*Start one: deno task train letters\.ts$/m,
    );
  },
);

inTemporary(
  "a module's own settings are in its help, on its line and in config.json",
  async (place) => {
    await write(place);
    const help = await train(place, "./letters.ts --help");
    assert.equal(help.code, 0, help.err);
    assert.match(
      help.out,
      /^Settings, Task:\n {2}level +how many prompts\n +\(default 1, 1 to 3\)$/m,
    );
    assert.match(
      help.out,
      /^Of letters: --steps 1 --reward exact --model tiny --algorithm grpo\.$/m,
    );
    assert.match(help.out, /^ {2}groupSize /m); // of the algorithm that the task decides on
    const { code, out, err } = await train(place, `letters.ts level=2 groupSize=2 ${SMALL}`);
    assert.equal(code, 0, err);
    const { folder, algorithm } = JSON.parse(out);
    assert.equal(algorithm, "grpo");
    const { config, command } = JSON.parse(
      await Deno.readTextFile(`${place}/${folder}/config.json`),
    );
    assert.deepEqual([config.level, config.groupSize], [2, 2]);
    assert.match(command, /train letters\.ts --algorithm grpo .* level=2 groupSize=2 batchSize=4$/);
    const plan = await train(place, `letters.ts --plan --json --device cpu groupSize=2`);
    assert.equal(JSON.parse(plan.out).task, "letters");
    const refused: [string, RegExp][] = [
      [
        "letters.ts levl=2",
        /unknown setting levl\. Did you mean level=VALUE \(how many prompts, default 1, 1 to 3\)\?/,
      ],
      ["letters.ts level=4", /Cannot set level as it must be 1 to 3: it is "4"/],
      ["colors level=2", /Cannot set level as it is a setting of the task math, not of colors\./],
      ["leters.ts", /as it must be a file: it is not there in .*\. Did you mean letters\.ts\?/],
      ["letters.txt/", /a task's own file is a module .* or a table/],
      ["letters.ts --reward ./none.ts", /Cannot read the reward \.\/none\.ts as it must be a file/],
      ["letters.ts --stepz 1", /unknown option --stepz/],
      ["colours", /no task "colours"\. Did you mean "colors"\?/],
    ];
    for (const [words, message] of refused) {
      const { code, err } = await train(place, words);
      assert.match(err, message, words);
      assert.equal(code, 2, words);
    }
  },
);

Deno.test("files that are at fault end with 1, and are named with the line", () =>
  withFolder(async (place) => {
    await Deno.writeTextFile(`${place}/broken.csv`, "prompt,answer\r\na,b\r\na,c\r\n");
    await Deno.writeTextFile(`${place}/throws.ts`, '\nthrow new Error("no");');
    const cases: [string, RegExp][] = [
      [
        "broken.csv",
        /^error: Cannot read broken\.csv:3 as each prompt may occur once: "a" is on line 2 too; take/m,
      ],
      [
        "throws.ts",
        /^error: Cannot load the task throws\.ts as it fails in line 2, column 7: Error: no\. Correct the file/m,
      ],
      [
        "colors --reward throws.ts",
        /^error: Cannot load the reward throws\.ts as it fails in line 2, column 7: Error: no/m,
      ],
    ];
    for (const [words, message] of cases) {
      const { code, err } = await train(place, words);
      assert.match(err, message, words);
      assert.equal(code, 1, words);
    }
    await Deno.writeTextFile(
      `${place}/late.ts`,
      "const helper = (text: string) => {\n  throw new Error(text);\n};\n" +
        "export default (text: string, _: unknown) => helper(`no ${text.length > 99}`);",
    );
    const late = await train(place, `colors --reward ./late.ts --skip-players --debug ${SMALL}`);
    assert.equal(late.code, 1);
    assert.match(
      late.err,
      /^error: Cannot score by the reward late: \.\/late\.ts fails in line 2, column 9: Error: no false$/m,
    );
    assert.match(
      late.err,
      /^caused by: Error: no false\n +at helper \(file:.*\/late\.ts:2:9\)\n +at .*\/late\.ts:4:\d+\)?$/m,
    );
    await Deno.writeTextFile(`${place}/whole.csv`, TABLE);
    const whole = await train(place, "whole.csv --help");
    assert.match(whole.out, /^Of whole: --steps 40 --reward exact --model tiny\.$/m);
    const help = await train(place, "broken.csv --help");
    assert.equal(help.code, 0);
    assert.match(help.out, /broken\.csv cannot be opened so: Cannot read broken\.csv:3 as/);
    assert.match(help.out, /^ {2}heldoutShare /m);
  }));

Deno.test("--list has every task with what it decides, in words and as one object", () =>
  withFolder(async (place) => {
    const { code, out } = await train(place, "--list --json");
    assert.equal(code, 0);
    const list = JSON.parse(out);
    assert.deepEqual(list.tasks[0], {
      ...{
        name: "colors",
        doc: "name what two colours give when mixed",
        settings: [],
        model: "tiny",
      },
      ...{ algorithm: "ppo", reward: "semantic", steps: 40, prompts: { train: 72, heldout: 18 } },
      fits: ["semantic", "exact", "first_word"],
    });
    const names = ["colors", "shades", "opposites", "categories", "copy", "negative"];
    assert.deepEqual(list.tasks.map(({ name }: { name: string }) => name), [
      ...[...names, "analogies", "math", "dialogue", "imdb"],
    ]);
    assert.deepEqual(list.rewards.map(({ name }: { name: string }) => name).sort(), [
      ...["contains", "exact", "first_word", "format", "judge_hard", "judge_soft", "length"],
      ...["numeric_hard", "numeric_soft", "perplexity", "regex", "repetition", "rouge"],
      ...["semantic", "sentiment"],
    ]);
    assert.deepEqual(Object.keys(list), ["tasks", "algorithms", "rewards", "presets"]);
    assert.ok(
      list.rewards.find(({ name }: { name: string }) => name === "semantic").settings.includes(
        "semanticPower",
      ),
    );
    const text = (await train(place, "--list")).out;
    assert.match(
      text,
      /^ {2}colors {6}name what two colours give when mixed\n {14}--model tiny --algorithm ppo --reward semantic\n {14}72 prompts to train on, 18 held out\n {14}rewards semantic, exact, first_word$/m,
    );
  }));
