/** Runs of a sweep that end in bad ways: what is said, and that table and folders say the same. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readCsv, unguard } from "../../../experiment/folder/csv.ts";
import { note, readHistory } from "../../../experiment/folder/history.ts";
import { RunLock } from "../../../experiment/folder/lock.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { glanceAt } from "../../../experiment/folder/run_state.ts";
import { cellLine, closing, endedAs } from "../../../cli/sweep/ending.ts";
import { allFacts, type CellFacts, writeTable } from "../../../cli/sweep/table.ts";
import { withFolder } from "../../_folder.ts";
import { writeSmallModel } from "../../experiment/_model.ts";
import { completion, info, timings } from "../_folders.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Rewards of a user's own that go wrong beside the run, in its 200th score: before that 100 are greedy. */
const REWARDS = {
  late: 'Promise.reject(new Error("the helper is gone \\u001b[31mred\\u001b[39m\\u0007"))',
  thrown: 'setTimeout(() => { throw new Error("a timer threw") })',
  exits: "Deno.exit(0)",
};

Deno.test("what a run throws late, and one that ends its thread, end it alone: one line each, kept in table and folder", () =>
  withFolder(async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    for (const [name, code] of Object.entries(REWARDS)) {
      const text = `let scores = 0;\nexport default () => {\n  if (++scores === 200) ${code};\n` +
        "  return scores % 2;\n};\n";
      await Deno.writeTextFile(`${place}/${name}.ts`, text);
    }
    const rewards = ["exact", ...Object.keys(REWARDS).map((name) => `${name}.ts`)];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--no-prompt", `--config=${root}deno.json`, "--allow-read"],
        ...[`--allow-write=${place}/runs`, "--allow-env", "--allow-sys", `${root}cli/bin.ts`],
        ...["train", "colors", "--reward", rewards.join("|"), "--model", "model", "--steps", "40"],
        ...["--device", "cpu", "batchSize=6", "--skip-players", "--jobs", "2", "--out", "runs/s"],
      ],
      cwd: place,
      env: { NO_COLOR: "1" },
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(code, 1, err);
    assert.doesNotMatch(err, /Uncaught|^ +at /m, "no stack of Deno's");
    const said = `${out}${err}`.replaceAll(/\s+/g, " ");
    const causes = {
      late: "nothing caught: Error: the helper is gone red\\u{7} (late.ts:3:",
      thrown: "nothing caught: Error: a timer threw (thrown.ts:3:",
      exits: "Cannot go on as the code of its task or reward ended its thread: leave Deno.exit out",
    };
    const csv = await Deno.readTextFile(`${place}/runs/s/sweep.csv`);
    // deno-lint-ignore no-control-regex -- they must be gone
    assert.doesNotMatch(csv, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    const [head, ...rows] = readCsv(csv), at = (name: string) => head.indexOf(name);
    assert.deepEqual(rows.map((row) => row[at("state")]), ["finished", ...Array(3).fill("failed")]);
    for (const [i, name] of Object.keys(REWARDS).entries()) {
      const row = rows[i + 1], folder = row[at("run")], cause = causes[name as keyof typeof causes];
      assert.ok(unguard(row[at("error")]).includes(cause), row[at("error")]);
      assert.match(said, new RegExp(`failed reward ${name}\\.ts 0:\\d\\d`));
      const line = `failed: reward ${name}.ts, in runs/s/${folder}: `;
      assert.equal(said.split(line).length, 3, "as it ends, and with all at the end");
      const glance = await glanceAt(`${place}/runs/s/${folder}`);
      assert.equal(glance.state, "failed", "as the table has it");
      assert.ok(glance.next, "and how to go on");
      assert.ok(glance.done > 0);
    }
    assert.match(out, /^try again {2}deno task train --resume runs\/s$/m);
  }));

/** A run of one step in the folder of a cell, left without a word. */
async function begun(folder: string): Promise<RunFolder> {
  const run = new RunFolder({ out: folder, command: "", request: { task: "colors", seed: 1 } });
  await run.start(info());
  await run.step({
    step: 1,
    metrics: { a: 1 },
    completions: [completion(1, "train", "x")],
    timings,
  });
  return run;
}
const cell = { folder: "1", values: { seed: "1" }, words: ["colors", "--model", "tiny"] };
const request = { task: "colors", seed: 1, algorithm: "ppo", model: "tiny" };

Deno.test("how a run ended is noted where it could not itself, once, and not where it is another's", () =>
  withFolder(async (folder) => {
    const run = new RunFolder({ out: `${folder}/1`, command: "", request });
    await run.start(info());
    const end = { code: 1, message: "its thread died", next: "again" };
    setTimeout(() => void run.close(), 100); // a thread's lock outlives it for a moment
    const { state, error } = await endedAs(folder, cell, end);
    assert.deepEqual([state, error], ["failed", "its thread died"]);
    const glance = await glanceAt(`${folder}/1`);
    assert.deepEqual([glance.state, glance.cause, glance.next], [
      ...["failed", "its thread died", "again"],
    ]);
    await endedAs(folder, cell, end);
    assert.equal((await readHistory(`${folder}/1`)).length, 1);
    await note(`${folder}/1`, { step: 0, kind: "diverged", cause: "KL is NaN" });
    assert.equal((await endedAs(folder, cell, end)).state, "diverged");
    await note(`${folder}/1`, { step: 0, kind: "stopped", cause: "it was interrupted" });
    assert.equal((await endedAs(folder, cell, { ...end, code: 130 })).state, "stopped");
    using _other = await RunLock.take(`${folder}/1`);
    assert.equal((await endedAs(folder, cell, end)).state, "running");
  }));

Deno.test("what failed before it had a folder is told of by the table, until it has one", () =>
  withFolder(async (folder) => {
    const axes = [{ name: "seed", values: ["1", "2"] }];
    const cells = [cell, { ...cell, folder: "2", values: { seed: "2" } }];
    const sweep = { task: "colors", command: "", started: "", axes, cells, versions: {} };
    const failed = await endedAs(folder, cell, { code: 2, message: "=no model", next: "" });
    assert.deepEqual(failed, { cell, state: "failed", error: "=no model" });
    await writeTable(folder, sweep, [failed, { cell: cells[1], state: "waiting" }]);
    const states = async () => (await allFacts(folder, sweep)).map(({ state }) => state);
    assert.deepEqual(await states(), ["failed", "waiting"]);
    assert.equal((await allFacts(folder, sweep))[0].error, "=no model");
    await (await begun(`${folder}/1`)).close();
    assert.notEqual((await allFacts(folder, sweep))[0].error, "=no model");
  }));

Deno.test("a sweep that was stopped says what is kept, and that nothing is lost", () => {
  const axes = [{ name: "seed", values: ["1", "2"] }];
  const run = { done: 3, config: { steps: 12 } } as CellFacts["run"];
  const stopped: CellFacts = { cell, state: "stopped", run },
    waiting = { cell, state: "waiting" } as const;
  assert.equal(cellLine(stopped), "stopped  seed 1  3 of 12 steps, kept");
  assert.equal(cellLine(waiting), "not begun  seed 1");
  const sweep = { task: "colors", command: "", started: "", axes, cells: [cell], versions: {} };
  const last = (all: readonly CellFacts[]) =>
    closing({ folder: "runs/s", sweep, all, next: "again", stopped: true }, {
      ...{ out() {}, write() {}, err() {}, fancy: false, columns: 100 },
    }).slice(-4);
  assert.deepEqual(last([stopped, waiting]), [
    "stopped, and nothing is lost: each run keeps what it has done, and goes on from there",
    "2 runs: 1 stopped, 1 waiting",
    "table    runs/s/sweep.csv",
    "continue  again",
  ]);
  assert.equal(
    last([waiting])[0],
    "stopped before a run began, and nothing is lost: the sweep keeps its grid",
  );
});
