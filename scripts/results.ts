/**
 * Trains a task with every algorithm and several seeds, and writes the table of docs/results.md:
 * `deno task results`. Runs that are there are not run again.
 * @module
 */
import { parseArgs } from "node:util";
import { seedInterval } from "../base/statistics/intervals.ts";
import { markdownTable } from "../cli/report/markdown.ts";
import { meanOf } from "../experiment/rollout.ts";
import { readRun, readSummary, type RunData } from "../experiment/folder/run_data.ts";
import { listAlgorithms } from "../rl/algorithms/registry.ts";

/** What one run came to. */
export interface RunResult {
  algorithm: string;
  seed: number;
  /** Share of held-out prompts answered exactly, greedily, 0 to 1. */
  before: number;
  after: number;
  /** The same of the training prompts, after training. */
  train: number;
  /** First step from which five rollouts in a row have a mean share of exact answers of 0.9; NaN: none. */
  reached: number;
  /** KL to the reference in the last rollout, nats per sequence; NaN where it is not measured. */
  kl: number;
  /** Updates that were skipped. */
  skipped: number;
}

/**
 * Mean, and half of the 95 % interval of the mean over n seeds; by Student's t, so that three seeds that
 * agree by luck are not taken for more than three.
 * @throws {RangeError} for fewer than 2 values
 */
export function meanOver(values: readonly number[]): { mean: number; half: number } {
  const { mean, high, n, method } = seedInterval(values);
  if (method === "none") {
    throw new RangeError(`Cannot give an interval as it takes 2 or more seeds: there are ${n}`);
  }
  return { mean, half: high - mean };
}

/** The mean of shares and its interval, cut to 0 to 1. @throws as `meanOver` */
export function interval(values: readonly number[]): { mean: number; low: number; high: number } {
  const { mean, half } = meanOver(values);
  return { mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
}

/** The first of five steps in a row whose mean of `column` is 0.9 or more; NaN where there are none. */
export function stepReaching({ names, metrics }: Pick<RunData, "names" | "metrics">): number {
  const at = 1 + names.indexOf("rewards/exact/mean");
  const found = metrics.findIndex((_, i) => {
    const five = metrics.slice(i, i + 5).map((row) => row[at]);
    return five.length === 5 && meanOf(five) >= 0.9;
  });
  return found < 0 ? NaN : metrics[found][0];
}

/** What a finished run came to. */
export async function resultOf(folder: string): Promise<RunResult> {
  const run = await readRun(folder), { summary, names, metrics } = run;
  if (!summary) throw new Error(`Cannot tell the results of ${folder} as it is not finished`);
  const column = (name: string) => metrics.map((row) => row[1 + names.indexOf(name)]);
  return {
    ...{ algorithm: summary.algorithm, seed: summary.seed },
    before: summary.heldout.before.exact,
    after: summary.heldout.after.exact,
    train: summary.train.after.exact,
    reached: stepReaching(run),
    kl: names.includes("kl/reference") ? column("kl/reference").at(-1)! : NaN,
    skipped: column("optimizer/skipped_updates").reduce((sum, x) => sum + x, 0),
  };
}

/** A row an algorithm, in the order in which they first come. */
export function resultsTable(results: readonly RunResult[]): string {
  const share = (x: number) => x.toFixed(3);
  const rows = [...Map.groupBy(results, ({ algorithm }) => algorithm)].map(([name, all]) => {
    const { mean, low, high } = interval(all.map(({ after }) => after));
    const each = (tell: (run: RunResult) => string) => all.map(tell).join(", ");
    return [
      `\`${name}\``,
      share(all[0].before),
      `**${share(mean)}** (${share(low)} to ${share(high)})`,
      each(({ after }) => share(after)),
      each(({ train }) => share(train)),
      each(({ reached }) => Number.isNaN(reached) ? "never" : String(reached)),
      each(({ kl }) => Number.isNaN(kl) ? "-" : kl.toFixed(2)),
    ];
  });
  const seeds = [...new Set(results.map(({ seed }) => seed))].join(", ");
  return markdownTable([
    [
      "algorithm",
      "held-out before",
      "held-out after: mean (95 % interval)",
      `seeds ${seeds}`,
      "training after",
      "0.9 from step",
      "last KL",
    ],
    ...rows,
  ]);
}

/** The page with another table between the two marks of a name. @throws {Error} where it has none */
export function withTable(page: string, table: string, name = "table"): string {
  const begin = `<!-- ${name} -->`,
    from = page.indexOf(begin),
    to = page.indexOf(`<!-- /${name} -->`);
  if (from < 0 || to < from) {
    throw new Error(`Cannot write the table as docs/results.md has no ${begin} to put it in`);
  }
  return `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`;
}

/** Trains one run by the command line; `words` name the task, and what else is not its own. */
export async function trainRun(
  words: readonly string[],
  { seed, out }: { seed: string; out: string },
): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "train", ...words, "--seed", seed, "--out", out, "--json"],
    stdout: "null",
  }).output();
  if (!success) throw new Error(`Cannot go on as the run ${out} failed; see above`);
}

if (import.meta.main) {
  const { values: { task, seeds, only } } = parseArgs({
    options: {
      task: { type: "string", default: "colors" },
      seeds: { type: "string", default: "1,2,3" },
      only: { type: "string" },
    },
  });
  const names = only?.split(",") ?? listAlgorithms().map(({ name }) => name);
  const results: RunResult[] = [];
  for (const algorithm of names) {
    for (const seed of seeds.split(",")) {
      const out = `runs/results/${algorithm}-${seed}`;
      if (!await readSummary(out).catch(() => undefined)) {
        await trainRun([task, "--algorithm", algorithm], { seed, out });
      }
      results.push(await resultOf(out));
    }
  }
  const table = resultsTable(results), page = "docs/results.md";
  if (only === undefined) {
    await Deno.writeTextFile(page, withTable(await Deno.readTextFile(page), table));
  } else console.log(table);
}
