import assert from "node:assert/strict";
import { csvLines, readCsv } from "../../../experiment/folder/csv.ts";
import { readMetrics, readRun, RunFolderError } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { glanceAt } from "../../../experiment/folder/run_state.ts";
import { parsePhase } from "../../../experiment/observer.ts";
import { inTemporary } from "../../_folder.ts";
import { completion, info, summary, timings } from "../../cli/_folders.ts";

const STEPS = 4;

/** A finished run of a few steps, with evaluations; gives its folder. */
async function finished(out: string): Promise<string> {
  const run = new RunFolder({ out, command: "deno task train colors", request: {} });
  await run.start({ ...info(), steps: STEPS });
  const ask = async (step: number, phase: string) => {
    for (const split of ["train", "heldout"]) {
      const rows = ["a", "b"].map((id) => ({
        ...completion(step, `${phase}:${split}`, " red"),
        id: `${split} ${id}`,
      }));
      await run.evaluation(parsePhase(`${phase}:${split}`), rows, {
        ...{ step, exact: 0.5, reward: 0.5, tokens: 2 },
      });
    }
  };
  await ask(0, "before");
  for (let step = 1; step <= STEPS; step++) {
    const metrics = {
      "score/mean": step / 10,
      "policy/clipfrac": 0.25,
      "rewards/exact/mean": 1,
      "kl/reference": step === 2 ? NaN : -7,
    };
    await run.step({ step, metrics, completions: [completion(step, "train", " blue")], timings });
  }
  await ask(STEPS, "after");
  await run.end({ ...summary, steps: STEPS });
  return out;
}

/** Rows of a table in place of those that are there. */
async function edit(
  path: string,
  change: (rows: string[][]) => readonly (readonly string[])[],
): Promise<void> {
  await Deno.writeTextFile(path, csvLines(change(readCsv(await Deno.readTextFile(path)))));
}

/** A cell in place of one, by its row and the name of its column. */
const cell = (row: number, column: string, text: string) => (rows: string[][]) =>
  rows.map((cells, i) =>
    i === row ? cells.map((old, k) => rows[0][k] === column ? text : old) : cells
  );

async function refused(folder: string, message: RegExp): Promise<void> {
  await assert.rejects(readRun(folder), (error) => {
    assert.ok(error instanceof RunFolderError, `${error}`);
    assert.match(error.message, message);
    assert.match(error.message, /Put it back as the run wrote it$/);
    return true;
  });
}

inTemporary("a finished run has a row for each of its steps, or it is damaged", async (place) => {
  const folder = await finished(`${place}/run`), path = `${folder}/metrics.csv`;
  assert.equal((await readRun(folder)).metrics.length, STEPS);
  const text = await Deno.readTextFile(path);
  const words = /metrics\.csv as the run is finished and has a row for each of its 4 steps by its/;
  const cut: [(rows: string[][]) => string[][], RegExp][] = [
    [(rows) => rows.slice(0, -1), /: it is damaged, there are 3 rows, to step 3\./],
    [(rows) => rows.slice(0, 2), /: it is damaged, there is 1 row, to step 1\./],
    [(rows) => rows.slice(0, 1), /: it is damaged, there is none\./],
    [(rows) => rows.toSpliced(2, 1), /: it is damaged, there are 3 rows, to step 4\./],
    [
      (rows) => [...rows, ["5", "1", "0", "0", "0"]],
      /: it is damaged, there are 5 rows, to step 5\./,
    ],
  ];
  for (const [change, found] of cut) {
    await edit(path, change);
    await refused(folder, words);
    await refused(folder, found);
    await assert.rejects(readMetrics(folder, "ppo"), words, "where metrics alone are read");
    await Deno.writeTextFile(path, text);
  }
  await Deno.writeTextFile(path, text.slice(0, text.length - 3)); // a row that was cut off
  await refused(folder, /there are 3 rows, to step 3/);
  await Deno.remove(path);
  await refused(folder, words);
  await Deno.remove(`${folder}/summary.json`); // a run that was cut short may have any number
  assert.equal((await readRun(folder)).metrics.length, 0);
});

inTemporary("a finished run answered every prompt again, or it is damaged", async (place) => {
  const folder = await finished(`${place}/run`), path = `${folder}/completions.csv`;
  const text = await Deno.readTextFile(path);
  assert.equal((await readRun(folder)).completions.length, 4 + STEPS + 4);
  for (const [left, words, there] of [[1, "held-out", 1], [2, "held-out", 0], [3, "training", 1]]) {
    await edit(path, (rows) => rows.slice(0, -left));
    await refused(
      folder,
      RegExp(
        `completions.csv as .* its 2 ${words} prompts again after step 4: it is damaged, there are answers to ${there}\\.`,
      ),
    );
    await Deno.writeTextFile(path, text);
  }
  await Deno.remove(path); // what is not there at all, as in a copy made small, is no news
  assert.equal((await readRun(folder)).completions.length, 0);
});

inTemporary("a table with two columns of one name is refused", async (place) => {
  const folder = await finished(`${place}/run`);
  for (
    const [name, from, to] of [
      ["metrics.csv", "policy/clipfrac", "score/mean"],
      ["metrics.csv", "policy/clipfrac", "ppo/mean_scores"], // as earlier versions called it
      ["metrics.csv", "policy/clipfrac", "step"],
      ["evaluations.csv", "reward", "exact"],
      ["completions.csv", "answer", "prompt"],
    ]
  ) {
    const path = `${folder}/${name}`, text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(from, to));
    const twice = to === "ppo/mean_scores" ? "score/mean" : to;
    await refused(
      folder,
      RegExp(`${name} as each column has a name of its own: "${twice}" is there twice\\.`),
    );
    await Deno.writeTextFile(path, text);
  }
});

inTemporary(
  "what is no share where a share stands is named, and so is no number",
  async (place) => {
    const folder = await finished(`${place}/run`);
    const wrong: [string, string, string, RegExp][] = [
      [
        "metrics.csv",
        "policy/clipfrac",
        "1.5",
        /row 2, column policy\/clipfrac: .* share, 0 to 1: it is 1\.5/,
      ],
      [
        "metrics.csv",
        "rewards/exact/mean",
        "-0.1",
        /rewards\/exact\/mean is a share, 0 to 1: it is -0\.1/,
      ],
      [
        "metrics.csv",
        "score/mean",
        "many",
        /column score\/mean: a number, or nothing.*: it is "many"/,
      ],
      ["metrics.csv", "score/mean", " ", /it is " "/],
      [
        "evaluations.csv",
        "exact",
        "7",
        /row 2 of \S+evaluations\.csv: exact is a share, 0 to 1: it is 7/,
      ],
      [
        "completions.csv",
        "score:exact",
        "2",
        /row 2 of \S+completions\.csv: score:exact is a share/,
      ],
      ["completions.csv", "reward", "x", /it is "x"/],
    ];
    for (const [name, column, text, message] of wrong) {
      const path = `${folder}/${name}`, was = await Deno.readTextFile(path);
      await edit(path, cell(2, column, text));
      await refused(folder, message);
      await Deno.writeTextFile(path, was);
    }
    const near = `${folder}/metrics.csv`, was = await Deno.readTextFile(near);
    await edit(near, cell(2, "policy/clipfrac", "1.0000001")); // what rounding adds is no damage
    await readRun(folder);
    await Deno.writeTextFile(near, was);
    const path = `${folder}/summary.json`, whole = JSON.parse(await Deno.readTextFile(path));
    for (const exact of [1.5, -0.5]) {
      const after = { ...whole.heldout.after, exact };
      await Deno.writeTextFile(
        path,
        JSON.stringify({ ...whole, heldout: { ...whole.heldout, after } }),
      );
      await refused(folder, RegExp(`summary.json as heldout.after.exact is ${exact} `));
      await assert.rejects(glanceAt(folder), RunFolderError, "and so a list has no such figure");
    }
  },
);
