/**
 * Trains the runs whose curves the figures show, and writes data/NAME.csv, a row a step:
 * `deno task figures:runs`, or `deno task figures:runs one-row-early` for some. On another device the last
 * digits differ.
 * @module
 */
import { type Change, runCommand } from "./_run.ts";
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

/** The table as it is kept: the columns above, six digits. @throws {SyntaxError} where one is missing */
export function kept(metrics: string): string {
  const number = (text: string) => text === "" ? "" : String(Number(Number(text).toPrecision(6)));
  const rows = readCsv(metrics, { file: "metrics.csv", columns: COLUMNS });
  const lines = rows.map(({ values }) => COLUMNS.map((name) => number(values[name])).join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\n");
}

if (import.meta.main) {
  for (const [name, [words, change]] of Object.entries(RUNS)) {
    if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
    const { metrics, summary: { train, heldout } } = await runCommand(words, change);
    await Deno.writeTextFile(new URL(`data/${name}.csv`, import.meta.url), kept(metrics));
    console.log(`${name}: exact ${train.after.exact} / ${heldout.after.exact}`);
  }
}
