import assert from "node:assert/strict";
import { UsageError } from "../../../cli/command.ts";
import { seedsMeant } from "../../../cli/flags.ts";
import { seedsIn } from "../../../cli/study/plan.ts";
import { run } from "../_terminal.ts";
import { singleRun } from "../../../cli/commands/train.ts";
import { glance } from "../../../cli/parse.ts";
import { axesOf, sweepFor } from "../../../cli/sweep/asked.ts";
import { cellsOf, combinations, valuesOf } from "../../../cli/sweep/grid.ts";
import { jobsFor } from "../../../cli/sweep/jobs.ts";

const seen = (line: string) => glance(line.split(" "), singleRun().spec)!;
const axes = async (line: string) =>
  (await axesOf(seen(line))).map(({ name, values }) => [name, ...values]);

Deno.test("commas part numbers, choices, true and false, algorithms, presets and seeds", async () => {
  assert.deepEqual(await axes("colors --seed 1,2,3"), [["seed", "1", "2", "3"]]);
  assert.deepEqual(await axes("colors learningRate=1e-4,1e-3"), [["learningRate", "1e-4", "1e-3"]]);
  assert.deepEqual(await axes("colors klEstimator=k1,k2 recompute=true,false"), [
    ["klEstimator", "k1", "k2"],
    ["recompute", "true", "false"],
  ]);
  assert.deepEqual(await axes("colors --algorithm ppo,grpo --steps 5,10"), [
    ["algorithm", "ppo", "grpo"],
    ["steps", "5", "10"],
  ]);
});

Deno.test("where values have commas of their own, a bar parts them or they are one", async () => {
  assert.deepEqual(await axes("colors --reward semantic:0.5,exact"), []);
  assert.deepEqual(await axes("colors --reward exact|semantic:0.5,exact"), [
    ["reward", "exact", "semantic:0.5,exact"],
  ]);
  assert.deepEqual(await axes("colors --model tiny|runs/a,b"), [["model", "tiny", "runs/a,b"]]);
  assert.deepEqual(await axes("colors loraRank=4 loraTargets=q_proj,v_proj"), []);
});

Deno.test("settings of one algorithm of several, of a task and of a reward are known", async () => {
  assert.deepEqual(await axes("colors --algorithm ppo,grpo groupSize=4,8"), [
    ["algorithm", "ppo", "grpo"],
    ["groupSize", "4", "8"],
  ]);
  assert.deepEqual(await axes("colors --reward exact|semantic semanticPower=1,4"), [
    ["reward", "exact", "semantic"],
    ["semanticPower", "1", "4"],
  ]);
});

Deno.test("seeds vary fastest, wherever they are given", async () => {
  const found = await axesOf(seen("colors --seed 1,2 batchSize=6,12"));
  assert.deepEqual(found.map(({ name }) => name), ["batchSize", "seed"]);
  assert.deepEqual(combinations(found), [
    { batchSize: "6", seed: "1" },
    { batchSize: "6", seed: "2" },
    { batchSize: "12", seed: "1" },
    { batchSize: "12", seed: "2" },
  ]);
});

Deno.test("a list that is none is refused", () => {
  const refused: [string, RegExp][] = [
    ["1,,2", /a value stands on each side of ,: one is missing/],
    ["1,", /one is missing/],
    ["1,2,1", /1 comes twice/],
    ["1e-3,0.001", /0\.001 comes twice/],
    ["0,0002", /0002 begins with a zero: a decimal sign is a point/],
  ];
  for (const [text, why] of refused) {
    assert.throws(
      () => valuesOf("x", text, ","),
      (error) => error instanceof UsageError && why.test(error.message),
      text,
    );
  }
  assert.deepEqual(valuesOf("x", "0,0.5", ","), ["0", "0.5"]);
});

Deno.test("whoever writes a range of seeds is told what it means, with commas", async () => {
  const told: [string, string][] = [
    ...["1-3", "1..3", "1 - 3", "1:3", "1…3"].map((text): [string, string] => [text, "1,2,3"]),
    ["0-30", `${Array.from({ length: 20 }, (_, i) => i).join()},...,30`],
  ];
  for (const [text, seeds] of told) assert.equal(seedsMeant(text), seeds, text);
  for (const text of ["3-1", "1-1", "-3", "1-", "a-b", "1-3-5", "1"]) {
    assert.equal(seedsMeant(text), undefined, text);
  }
  const cure =
    /^Cannot set --seed as it takes a whole number: it is "1-3" .*\. Several seeds have commas between: --seed 1,2,3/;
  for (const line of ["train colors --seed 1-3 --plan", "train colors --seed 1-3,7"]) {
    const { code, err } = await run(line);
    assert.equal(code, 2);
    assert.match(err.replace(/^error: /, ""), cure);
  }
  assert.throws(
    () => seedsIn("1-3"),
    /it is "1-3"\. Several seeds have commas between: --seeds 1,2,3$/,
  );
});

Deno.test("more runs than a sweep may have are refused before they are made", () => {
  const values = Array.from({ length: 101 }, (_, i) => String(i));
  const many = ["a", "b", "c"].map((name) => ({ name, values }));
  assert.throws(() => combinations(many), /1030301 combinations as a sweep has at most 10000 runs/);
});

Deno.test("folders of runs are told apart by their numbers, and hold nothing that a path acts on", () => {
  const grid = [{ name: "model", values: ["../../etc", "a b|c", "=x", "é/1"] }];
  const cells = cellsOf(grid, ({ model }) => ["colors", model]);
  assert.deepEqual(cells.map(({ folder }) => folder), [
    "1-model-..-..-etc",
    "2-model-a-b-c",
    "3-model-x",
    "4-model-é-1",
  ]);
  assert.deepEqual(cells[1].words, ["colors", "a b|c"]);
  const long = cellsOf([{ name: "x", values: ["y".repeat(300), "z"] }], () => []);
  assert.ok(long[0].folder.length < 100);
});

Deno.test("one run is no sweep, and is not given what a sweep has", async () => {
  assert.equal(
    await sweepFor(seen("colors --seed 1 --reward semantic,exact"), singleRun()),
    undefined,
  );
  for (const flag of ["--jobs 2", "--slurm"]) {
    await assert.rejects(
      sweepFor(seen(`colors ${flag}`), singleRun()),
      /as that is of a sweep, and this is one run: give several values/,
    );
  }
});

const plan = (total: number, available?: number, software = true) => ({
  ...{ total: total * 2 ** 20, available: available && available * 2 ** 20 },
  device: { kind: "cpu", name: "one", software },
});

Deno.test("as many runs at once as cores, runs and memory allow", () => {
  const cells = 12, cores = 4;
  assert.equal(jobsFor([plan(50, 8000)], { cells, cores }).jobs, 4);
  assert.equal(jobsFor([plan(50, 8000)], { cells: 3, cores }).jobs, 3);
  assert.equal(jobsFor([plan(700, 2100)], { cells, cores }).jobs, 2, "each takes 700 + 300 MiB");
  assert.equal(jobsFor([plan(50, 2100), plan(700, 2100)], { cells, cores }).jobs, 2, "the largest");
  assert.equal(jobsFor([plan(4000, 2000)], { cells, cores }).jobs, 1, "which then says why not");
  assert.equal(jobsFor([plan(50)], { cells, cores }).jobs, 4, "memory that nobody knows");
  assert.equal(jobsFor([plan(50, undefined, false)], { cells, cores }).jobs, 1, "of a card");
  assert.equal(jobsFor([plan(500, 1600, false)], { cells, cores }).jobs, 3);
  assert.equal(jobsFor([plan(4000, 2000)], { cells, cores, asked: 20 }).jobs, 12);
});
