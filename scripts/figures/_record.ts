/**
 * Trains the runs whose curves the figures show, and writes data/NAME.csv, a row a step:
 * `deno task figures:runs`, or `deno task figures:runs one-row-early` for some. On another device the last
 * digits differ.
 * @module
 */
import { type Change, runCommand } from "./_run.ts";
import { BUG_TABLES, DATA } from "./_runs.ts";
import { readCsv } from "../../base/csv.ts";

/** What is kept of a run. */
const COLUMNS = [
  ...["step", "score/mean", "kl/reference", "policy/entropy", "policy/approxkl", "policy/clipfrac"],
  ...["policy/ratio_min", "policy/ratio_max", "value/explained_variance", "optimizer/grad_norm"],
  "sampling/logp_difference_max",
];

const ONE_ROW_EARLY: Change = {
  file: "model/rows.ts",
  from: "first: prompt.length - 1,",
  to: "first: prompt.length - 2,",
};
const SIXTEEN_EPOCHS = "colors --steps 12 --seed 1 --reward exact epochs=16 learningRate=5e-4 " +
  "klCoefficient=0 valueCoefficient=0 lambda=1";

/** Each run's command, and the line of the code that is changed in it. */
export const RUNS: Readonly<Record<string, readonly [words: string, change?: Change]>> = {
  "healthy": ["colors --steps 12 --seed 1"],
  "one-row-early": ["colors --steps 12 --seed 1", ONE_ROW_EARLY],
  "lambda-0": ["colors --steps 12 --seed 1 lambda=0"],
  "kl-1": ["colors --steps 12 --seed 1 klCoefficient=1"],
  "no-clip": [`${SIXTEEN_EPOCHS} clipLow=1 clipHigh=1000000`],
};

/** What is kept of a run of docs/exercises/1-find-the-bug.md. */
const BUG_COLUMNS = [
  ...["step", "score/mean", "kl/reference", "kl/penalty_mean", "policy/entropy", "policy/approxkl"],
  ...["policy/clipfrac", "policy/ratio_min", "policy/ratio_max", "returns/mean", "value/mean"],
  ...["value/explained_variance", "optimizer/grad_norm", "sampling/logp_difference_max"],
];
/** On the way from scores to the rewards of tokens, behind the place where `score/mean` is measured. */
const PLUS_FIVE: Change = {
  file: "rl/algorithms/ppo.ts",
  from: "    score,\n    coefficient,",
  to: "    score: score.map((of) => of + 5),\n    coefficient,",
};

/** The runs of that exercise, by the names of their tables. */
export const BUGS: typeof RUNS = {
  "a": RUNS["kl-1"],
  "b": ["colors --steps 12 --seed 1", PLUS_FIVE],
  "c": ["colors --steps 12 --seed 1 epochs=16 clipLow=1 clipHigh=1e9"],
  "d": RUNS.healthy,
  "e": RUNS["lambda-0"],
  "f": RUNS["one-row-early"],
};

/** The table as it is kept: the columns, six digits. @throws {SyntaxError} where one is missing */
export function kept(metrics: string, columns: readonly string[] = COLUMNS): string {
  const number = (text: string) => text === "" ? "" : String(Number(Number(text).toPrecision(6)));
  const rows = readCsv(metrics, { file: "metrics.csv", columns: [...columns] });
  const lines = rows.map(({ values }) => columns.map((name) => number(values[name])).join(","));
  return [columns.join(","), ...lines, ""].join("\n");
}

if (import.meta.main) {
  for (const [name, [words, change]] of Object.entries({ ...RUNS, ...BUGS })) {
    if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
    const { metrics, summary: { train, heldout } } = await runCommand(words, change);
    const [folder, columns] = name in BUGS ? [BUG_TABLES, BUG_COLUMNS] : [DATA, COLUMNS];
    await Deno.writeTextFile(new URL(`${name}.csv`, folder), kept(metrics, columns));
    console.log(`${name}: exact ${train.after.exact} / ${heldout.after.exact}`);
  }
}
