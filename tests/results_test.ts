import assert from "node:assert/strict";
import {
  interval,
  resultsTable,
  type RunResult,
  stepReaching,
  withTable,
} from "../scripts/results.ts";
import { listAlgorithms } from "../rl/algorithms/registry.ts";
import { listTasks } from "../tasks/registry.ts";

Deno.test("an interval over seeds is Student's, cut to what a share can be", () => {
  // 0.9, 0.8, 1.0: mean 0.9, deviation 0.1, 4.303 * 0.1 / sqrt(3) = 0.2484
  const { mean, low, high } = interval([0.9, 0.8, 1.0]);
  assert.equal(mean.toFixed(4), "0.9000");
  assert.equal(low.toFixed(4), "0.6516");
  assert.equal(high, 1);
  assert.deepEqual(interval([1, 1, 1]), { mean: 1, low: 1, high: 1 });
  assert.equal(interval([0.4, 0.6]).low, 0); // 12.706 * 0.1414 / sqrt(2) = 1.27
  assert.throws(
    () => interval([1]),
    /Cannot give an interval as it takes 2 or more seeds: there are 1/,
  );
});

Deno.test("the step that reaches 0.9 is the first of five whose mean does", () => {
  const names = ["score/mean", "rewards/exact/mean"];
  const run = (...exact: number[]) => ({ names, metrics: exact.map((x, i) => [i + 1, 0, x]) });
  assert.equal(stepReaching(run(0, 1, 0, 0.9, 0.9, 0.9, 0.9, 0.9, 1)), 4);
  assert.equal(stepReaching(run(0, 0.8, 1, 0.8, 1, 0.9, 0)), 2);
  assert.ok(Number.isNaN(stepReaching(run(0, 1, 1, 1, 1)))); // four are no five
});

const result = (algorithm: string, seed: number, after: number): RunResult => ({
  ...{ algorithm, seed, before: 0.25, after, train: 1, reached: seed === 3 ? NaN : 10 + seed },
  ...{ kl: algorithm === "free" ? NaN : 1.234, skipped: 0 },
});

Deno.test("the table has a row an algorithm, and the page keeps what is around it", () => {
  const table = resultsTable([
    ...[1, 2, 3].map((seed) => result("ppo", seed, 1)),
    ...[1, 2, 3].map((seed) => result("free", seed, 0.5)),
  ]);
  const [head, , ppo, free, ...rest] = table.split("\n");
  assert.match(head, /seeds 1, 2, 3/);
  assert.equal(
    ppo,
    "| `ppo` | 0.250 | **1.000** (1.000 to 1.000) | 1.000, 1.000, 1.000 | 1.000, 1.000, 1.000 | 11, 12, never | 1.23, 1.23, 1.23 |",
  );
  assert.match(free, /^\| `free` .* \| -, -, - \|$/);
  assert.deepEqual(rest, []);
  const page = "before\n\n<!-- table -->\n\nold\n\n<!-- /table -->\n\nafter\n";
  assert.equal(withTable(page, "new"), page.replace("old", "new"));
  assert.throws(() => withTable("before", "new"), /has no <!-- table -->/);
});

Deno.test("docs/results.md has a row for every algorithm, and for every task but colors", async () => {
  const page = await Deno.readTextFile(new URL("../docs/results.md", import.meta.url));
  const of = (part: string) => [...part.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name]) => name);
  const [algorithms, tasks] = page.split("<!-- /table -->").map(of);
  assert.deepEqual(algorithms, listAlgorithms().map(({ name }) => name), "run: deno task results");
  const others = listTasks().map(({ name }) => name).filter((name) => name !== "colors");
  assert.deepEqual(tasks.sort(), others.sort(), "run: deno task results:tasks");
});
