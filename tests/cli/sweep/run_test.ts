import assert from "node:assert/strict";
import { singleRun, train } from "../../../cli/commands/train.ts";
import type { Command, Parsed } from "../../../cli/command.ts";
import { main } from "../../../cli/main.ts";
import { checkOwnFiles, planCells } from "../../../cli/sweep/check.ts";
import { cellsOf } from "../../../cli/sweep/grid.ts";
import { eachAtOnce, inWorker, type RunCell } from "../../../cli/sweep/pool.ts";
import { runSweep } from "../../../cli/sweep/run.ts";
import { slurmScript } from "../../../cli/sweep/slurm.ts";
import { allFacts } from "../../../cli/sweep/table.ts";
import type { Terminal } from "../../../cli/terminal.ts";
import { note } from "../../../experiment/folder/history.ts";
import { readCsv, unguard } from "../../../experiment/folder/csv.ts";
import { readSweep, type Sweep, writeSweep } from "../../../experiment/folder/sweep_file.ts";
import type { TrainFlags } from "../../../cli/commands/train.ts";
import { fakeParts } from "../_fake.ts";
import { glanceAt } from "../../../experiment/folder/run_state.ts";
import { kindOf } from "../../../model/files/deno_folder.ts";
import { writeSmallModel } from "../../experiment/_model.ts";
import { inTemporary } from "../../_folder.ts";

const axes = [{ name: "task", values: ["colors", "late", "broken", "hostile"] }, {
  name: "seed",
  values: ["1", "2"],
}];
const sweep: Sweep = {
  ...{ task: "colors", command: "deno task train", started: "2026-11-27T00:00:00Z", axes },
  cells: cellsOf(axes, ({ task, seed }) => [task, "--seed", seed, "--model", "tiny"]),
  versions: {},
};

/** Runs a command line by a training program that is made up, which fails in step 3 of "late". */
const fakeCell = (log: string[]): RunCell => async (args) => {
  log.push(args.join(" "));
  let last = "";
  const command: Command = {
    ...singleRun(),
    prepare: undefined,
    run: (parsed, terminal) => train(parsed as Parsed<TrainFlags>, terminal, fakeParts),
  };
  const code = await main(args, {
    commands: [command],
    terminal: { ...silent, out: (line) => last = line },
  });
  return { code, message: JSON.parse(last).error?.message };
};

const silent: Terminal = { out() {}, write() {}, err() {}, fancy: false, columns: 100 };
const running = { jobs: 2, json: false, quiet: true, next: "deno task train --resume it" };

/** The table by run: a row by column. */
async function tableOf(folder: string): Promise<Record<string, string>[]> {
  const [head, ...rows] = readCsv(await Deno.readTextFile(`${folder}/sweep.csv`));
  return rows.map((row) => Object.fromEntries(row.map((text, i) => [head[i], unguard(text)])));
}

inTemporary(
  "a run that fails does not end the others, and is named with its error",
  async (folder) => {
    const said: string[] = [], log: string[] = [];
    const terminal = { ...silent, out: (line: string) => said.push(line) };
    const code = await runSweep(
      { folder, sweep },
      { ...running, runCell: fakeCell(log) },
      terminal,
    );
    assert.equal(code, 1);
    assert.equal(log.length, 8);
    const rows = await tableOf(folder);
    assert.deepEqual(rows.map(({ state }) => state), [
      ...["finished", "finished", "failed", "failed", "failed", "failed", "finished", "finished"],
    ]);
    assert.deepEqual(rows[0].heldout_exact, "0.6");
    assert.equal(rows[2].error, "the device is lost");
    assert.match(rows[4].error, /the model is broken/, "which never had a folder");
    const words = said.join("\n");
    assert.match(
      words.replaceAll(/\s+/g, " "),
      /failed: task late, seed 1, in \S+\/3-task-late-seed-1: the device is lost/,
    );
    assert.match(words, /8 runs: 4 finished, 4 failed/);
    assert.match(words, /try again {2}deno task train --resume it$/);
    const told = (await allFacts(folder, sweep)).map(({ state }) => state);
    assert.deepEqual(told, rows.map(({ state }) => state), "whoever lists it says the same");
  },
);

inTemporary(
  "a resumed sweep keeps what is finished and tries again what failed",
  async (folder) => {
    const log: string[] = [];
    const run = () => runSweep({ folder, sweep }, { ...running, runCell: fakeCell(log) }, silent);
    await run();
    await note(`${folder}/3-task-late-seed-1`, { step: 2, kind: "diverged", cause: "KL is NaN" });
    const { mtime } = await Deno.stat(`${folder}/1-task-colors-seed-1/summary.json`);
    log.length = 0;
    assert.equal(await run(), 1);
    assert.equal(log.length, 3, `finished and diverged ones are not run: ${log.join("; ")}`);
    log.sort(); // two go on at once
    assert.match(
      log[0],
      /^train --resume \S+4-task-late-seed-2 --json --quiet$/,
      "which had a checkpoint",
    );
    assert.match(
      log[1],
      /^train broken --seed 1 --model tiny --json --quiet --out \S+5-task-broken-seed-1$/,
    );
    assert.equal((await tableOf(folder))[2].state, "diverged");
    assert.deepEqual((await Deno.stat(`${folder}/1-task-colors-seed-1/summary.json`)).mtime, mtime);
  },
);

inTemporary(
  "a run without a checkpoint begins anew, and its folder is made room for",
  async (folder) => {
    const place = `${folder}/1-task-colors-seed-1`, log: string[] = [];
    await Deno.mkdir(place);
    await Deno.writeTextFile(`${place}/config.json`, "{ cut off");
    await runSweep({ folder, sweep }, { ...running, runCell: fakeCell(log) }, silent);
    assert.equal((await tableOf(folder))[0].state, "finished");
  },
);

inTemporary("a run that cannot even be begun is one that failed", async (folder) => {
  const log: string[] = [];
  const runCell: RunCell = (args, signal) =>
    args[1] === "colors"
      ? Promise.reject(new Error("no \u001b[31mthread\u001b[39m\u0007"))
      : fakeCell(log)(args, signal);
  const two = { ...sweep, cells: [sweep.cells[0], sweep.cells[6]] };
  assert.equal(await runSweep({ folder, sweep: two }, { ...running, runCell }, silent), 1);
  const rows = await tableOf(folder);
  assert.deepEqual([rows[0].state, rows[0].error], ["failed", "no thread\\u{7}"]);
  assert.deepEqual([rows[1].state, log.length], ["finished", 1]);
});

inTemporary("a run with steps whose checkpoints are gone is not removed", async (folder) => {
  const place = `${folder}/1-task-colors-seed-1`, log: string[] = [];
  await Deno.mkdir(place);
  await Deno.writeTextFile(`${place}/config.json`, "{ cut off");
  await Deno.writeTextFile(`${place}/metrics.csv`, "step,score/mean\n1,0.5\n");
  await runSweep({ folder, sweep }, { ...running, runCell: fakeCell(log) }, silent);
  const [{ state, error }] = await tableOf(folder);
  assert.equal(state, "failed");
  assert.match(error, /its checkpoints are gone: move it away/);
  assert.equal(await Deno.readTextFile(`${place}/config.json`), "{ cut off");
});

inTemporary("with --json the last line has every run", async (folder) => {
  let last = "";
  const terminal = { ...silent, out: (line: string) => last = line };
  const json = { ...running, json: true, runCell: fakeCell([]) };
  assert.equal(await runSweep({ folder, sweep }, json, terminal), 1);
  const { runs, table } = JSON.parse(last);
  assert.equal(table, `${folder}/sweep.csv`);
  assert.deepEqual(runs[2], {
    folder: `${folder}/3-task-late-seed-1`,
    values: { task: "late", seed: "1" },
    state: "failed",
    error: "the device is lost",
  });
});

inTemporary(
  "Ctrl-C stops what is under way, begins no more, and says how to go on",
  async (folder) => {
    const said: string[] = [], log: string[] = [];
    const terminal = { ...silent, out: (line: string) => said.push(line) };
    const runCell: RunCell = async (args, signal) => {
      log.push(args.join(" "));
      Deno.kill(Deno.pid, "SIGTERM"); // a SIGINT would end the tests
      while (!signal.aborted) await new Promise((done) => setTimeout(done, 5));
      return { code: 130 };
    };
    assert.equal(
      await runSweep({ folder, sweep }, { ...running, jobs: 1, runCell }, terminal),
      130,
    );
    assert.equal(log.length, 1);
    assert.match(
      said.join("\n"),
      /stopped before a run began, and nothing is lost: .*\n8 runs: 8 waiting\n.*\ncontinue {2}deno task train --resume it$/,
    );
  },
);

inTemporary(
  "a run in a worker stops when it is told to, with what is done saved",
  async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    const stop = new AbortController(), out = `${place}/run`;
    const words = ["colors", "batchSize=6", "--model", `${place}/model`, "--device", "cpu"];
    const args = ["train", ...words, "--steps", "100000", "--json", "--quiet", "--out", out];
    const over = inWorker(args, stop.signal);
    while (
      await kindOf(`${out}/metrics.csv`) === undefined &&
      await kindOf(`${out}/checkpoints/step-0`) === undefined
    ) {
      await new Promise((done) => setTimeout(done, 10));
    }
    stop.abort();
    const { code, message } = await over;
    assert.equal(code, 130);
    assert.match(message!, /^stopped at step \d+, saved$/);
    assert.equal((await glanceAt(out)).state, "stopped");
  },
);

inTemporary("what a run throws in a worker is its end, with the reason", async (place) => {
  const { code, message } = await inWorker(
    ["train", "colors", "--model", `${place}/nothing`, "--json"],
    new AbortController().signal,
  );
  assert.equal(code, 2);
  assert.match(message!, /no run or model "/);
});

Deno.test("a sweep with one run that cannot be begins none", async () => {
  const refused: [string[], Record<string, string>, RegExp][] = [
    [["colors", "--seed", "1"], { seed: "x" }, /Cannot set --seed as it takes a whole number/],
    [["colors", "--algorithm", "grp"], {}, /no algorithm "grp"\. Did you mean "grpo"/],
    [["colors", "batchSize=-1"], { batchSize: "-1" }, /Cannot set batchSize as it must be/],
    [["colors", "--resume", "x"], {}, /Cannot take --resume in a sweep/],
    [["colors", "--out", "/elsewhere"], {}, /Cannot take --out in a sweep/],
    [["colors", "fault=left-padding"], {}, /Cannot train with fault=left-padding as/],
    [
      ["colors", "--memory", "0.001"],
      {},
      /Cannot begin the sweep as each of its runs must fit: one/,
    ],
  ];
  for (const [words, values, why] of refused) {
    const cells = [{ folder: "1", values, words: [...words, "--device", "cpu"] }];
    await assert.rejects(planCells({ cells }, singleRun()), why, words.join(" "));
  }
});

Deno.test("so many at once, none more once it is stopped, and what is begun ends", async () => {
  const stop = new AbortController(), seen: number[] = [];
  let now = 0, most = 0;
  const run = async (item: number) => {
    most = Math.max(most, ++now);
    seen.push(item);
    if (item === 3) stop.abort();
    await new Promise((done) => setTimeout(done, 5));
    now--;
  };
  await eachAtOnce([0, 1, 2, 3, 4, 5, 6, 7], { jobs: 3, signal: stop.signal }, run);
  assert.deepEqual([most, now], [3, 0]);
  assert.ok(seen.length < 8 && seen.length >= 4, seen.join());
});

Deno.test("what ends a sweep, such as a full disk, begins no more runs and is thrown", async () => {
  const seen: number[] = [], { signal } = new AbortController();
  const run = async (item: number) => {
    seen.push(item);
    await new Promise((done) => setTimeout(done, item === 1 ? 1 : 20));
    if (item === 1) throw new Error("no room");
  };
  await assert.rejects(eachAtOnce([0, 1, 2, 3, 4], { jobs: 2, signal }, run), /no room/);
  assert.deepEqual(seen, [0, 1]);
});

inTemporary(
  "a Slurm task has the words of its run, continues it, and leaves a finished one",
  async (place) => {
    const words = [
      "colors",
      "stop=it's\nso",
      "--reward",
      "exact,./my reward.ts:0.5",
      "--seed",
      "1",
    ];
    const cells = [{ folder: "1-a", values: {}, words }, {
      folder: "2-b",
      values: {},
      words: ["b"],
    }];
    const script = slurmScript({
      folder: "runs/s",
      sweep: { task: "a task", command: "deno task train 'a\nb'", cells },
      train: "PLAINRL_HOST=a:1 deno task train:net",
      atOnce: 4,
    });
    assert.match(script, /^#SBATCH --array=0-1%4$/m);
    assert.match(script, /^#SBATCH --job-name=a-task-sweep$/m);
    await Deno.mkdir(`${place}/bin`);
    await Deno.writeTextFile(
      `${place}/bin/deno`,
      `#!/bin/sh\nprintf '%s\\0' "$PLAINRL_HOST" "$@"\n`,
      { mode: 0o755 },
    );
    await Deno.writeTextFile(`${place}/sweep.sh`, script);
    const task = async (id?: string): Promise<{ code: number; said: string[] }> => {
      const { code, stdout } = await new Deno.Command("/bin/sh", {
        args: ["sweep.sh"],
        cwd: place,
        clearEnv: true,
        env: { PATH: `${place}/bin:/usr/bin:/bin`, ...(id && { SLURM_ARRAY_TASK_ID: id }) },
      }).output();
      return { code, said: new TextDecoder().decode(stdout).split("\0").slice(0, -1) };
    };
    const before = ["a:1", "task", "train:net"];
    assert.deepEqual((await task("0")).said, [
      ...before,
      ...words,
      "--quiet",
      "--out",
      "runs/s/1-a",
    ]);
    await Deno.mkdir(`${place}/runs/s/2-b/checkpoints/step-0`, { recursive: true });
    assert.deepEqual((await task("1")).said, [...before, "--quiet", "--resume", "runs/s/2-b"]);
    await Deno.writeTextFile(`${place}/runs/s/2-b/summary.json`, "{}");
    assert.deepEqual(await task("1"), { code: 0, said: [] });
    assert.equal((await task("2")).code, 2);
    assert.equal((await task()).code, 2);
  },
);

inTemporary(
  "a sweep's folder runs no code that lies in it, and is read strictly",
  async (folder) => {
    await Deno.writeTextFile(`${folder}/evil.ts`, "throw 1");
    for (
      const words of [
        [`${folder}/evil.ts`],
        ["colors", "--reward", `exact,${folder}/evil.ts:0.5`],
        [`--reward=${folder}/evil.ts`],
      ]
    ) {
      await assert.rejects(
        checkOwnFiles(folder, { cells: [{ folder: "1", values: {}, words }] }, "resume"),
        /would run the code of .*evil\.ts, which lies in that folder/,
      );
    }
    await checkOwnFiles(folder, sweep, "resume");
    for (
      const words of [
        [`${folder}/1-a/own/prompts.csv`],
        ["colors", `semanticEmbedder=${folder}/words.txt`],
        ["colors", "--model", `${folder}/2-b/checkpoints/step-1`],
        ["colors", `serverCache=${folder}/2-b/answers.jsonl`],
      ]
    ) {
      const cells = ["1-a", "2-b"].map((name) => ({ folder: name, values: {}, words }));
      await assert.rejects(
        checkOwnFiles(folder, { cells }, "resume"),
        /Cannot resume .* as what a run reads must lie elsewhere than what it writes: .* lies in that/,
        words.join(" "),
      );
    }
    const beside = ["colors", `serverCache=${folder}/answers.jsonl`, "--model", `${folder}-x/1-a`];
    await checkOwnFiles(folder, { cells: [{ folder: "1", values: {}, words: beside }] }, "begin");
    await writeSweep(folder, sweep);
    assert.deepEqual(await readSweep(folder), sweep);
    for (const out of ["../elsewhere", "..", "a/b", ""]) {
      const cells = [{ ...sweep.cells[0], folder: out }];
      await writeSweep(folder, { ...sweep, cells });
      await assert.rejects(readSweep(folder), /cells\.0\.folder is .*a folder's name/s, out);
    }
  },
);
