/**
 * Trains the runs whose curves the figures show, and writes each one's table, a row a step:
 * `deno task figures:runs`, or `deno task figures:runs one-row-early` for some. On another device the last
 * digits differ.
 * @module
 */
import { readCsv } from "../../base/csv.ts";
import type { Summary } from "../../experiment/observer.ts";
import type { TrainRequest } from "../../experiment/request.ts";
import { trainTask } from "../../experiment/train.ts";
import { watch } from "../experiments/_run.ts";
import { lettersRequest } from "../experiments/letters.ts";
import { plusRequest } from "../experiments/plus_five.ts";
import { type Change, runCommand } from "./_run.ts";
import { BUG_TABLES, DATA } from "./_runs.ts";

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

const REINFORCE = "colors --algorithm reinforce --reward exact --steps 20 --seed 1 epochs=1 " +
  "klCoefficient=0 batchBaseline=false";
const OUTGROWN = "colors --reward exact --steps 10 --seed 2 batchSize=24 epochs=16 " +
  "learningRate=5e-4 klCoefficient=0 valueCoefficient=0 lambda=1";
const EXACT = ["step", "rewards/exact/mean"], CLIPPED = [...EXACT, "policy/entropy"];

/** Each run's command, the line of the code that is changed in it, and what is kept of it. */
export const RUNS: Readonly<
  Record<string, readonly [words: string, change?: Change, columns?: readonly string[]]>
> = {
  "healthy": ["colors --steps 12 --seed 1"],
  "one-row-early": ["colors --steps 12 --seed 1", ONE_ROW_EARLY],
  "lambda-0": ["colors --steps 12 --seed 1 lambda=0"],
  "kl-1": ["colors --steps 12 --seed 1 klCoefficient=1"],
  "no-clip": [`${SIXTEEN_EPOCHS} clipLow=1 clipHigh=1000000`],
  "10-reinforce": [REINFORCE, undefined, ["step", "score/mean", "loss/policy"]],
  "12-lambda-0.95": ["colors --steps 12 --seed 1", undefined, EXACT],
  "12-lambda-0": ["colors --steps 12 --seed 1 lambda=0", undefined, EXACT],
  "13-clipped": [OUTGROWN, undefined, CLIPPED],
  "13-unclipped": [`${OUTGROWN} clipLow=1 clipHigh=1e9`, undefined, CLIPPED],
};

const plusFive = (method: Parameters<typeof plusRequest>[0]) =>
  [plusRequest(method, 5, 1), EXACT] as const;
const lettersAt = (klCoefficient: number) =>
  [lettersRequest(klCoefficient, 1), ["step", "score/mean", "kl/reference"]] as const;

/** The runs that no command makes: those of scripts/experiments. */
const EXPERIMENTS: Readonly<
  Record<string, readonly [request: TrainRequest, columns: readonly string[]]>
> = {
  "11-none": plusFive("none"),
  "11-batch": plusFive("batch"),
  "11-whitened": plusFive("whitened"),
  "14-letters-0": lettersAt(0),
  "14-letters-0.3": lettersAt(0.3),
  "14-letters-1": lettersAt(1),
  "14-letters-3": lettersAt(3),
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
const BUGS: typeof RUNS = {
  "a": RUNS["kl-1"],
  "b": ["colors --steps 12 --seed 1", PLUS_FIVE],
  "c": ["colors --steps 12 --seed 1 epochs=16 clipLow=1 clipHigh=1e9"],
  "d": RUNS.healthy,
  "e": RUNS["lambda-0"],
  "f": RUNS["one-row-early"],
};

/** The table as it is kept: the columns, six digits. @throws {SyntaxError} where one is missing */
function kept(metrics: string, columns: readonly string[]): string {
  const rows = readCsv(metrics, { file: "metrics.csv", columns: [...columns] });
  return table(
    rows.map(({ values }) => columns.map((name) => values[name] === "" ? NaN : +values[name])),
    columns,
  );
}

/** Six digits a number, nothing for NaN. */
function table(rows: readonly (readonly number[])[], columns: readonly string[]): string {
  const number = (x: number) => Number.isNaN(x) ? "" : String(Number(x.toPrecision(6)));
  return [columns.join(","), ...rows.map((row) => row.map(number).join(",")), ""].join("\n");
}

/** A run that several tables are of, each with columns of its own. */
export interface TrainedOnce {
  words: string;
  change?: Change;
  tables: { name: string; columns: readonly string[] }[];
}

/** The commands behind the tables of those names, each once; without names, behind all. */
export function commandsOf(names: readonly string[] = []): TrainedOnce[] {
  const commands = new Map<string, TrainedOnce>();
  for (const [name, [words, change, columns = COLUMNS]] of Object.entries({ ...RUNS, ...BUGS })) {
    if (names.length > 0 && !names.includes(name)) continue;
    const key = JSON.stringify([words, change]);
    const command = commands.get(key) ?? { words, change, tables: [] };
    command.tables.push({ name, columns: name in BUGS ? BUG_COLUMNS : columns });
    commands.set(key, command);
  }
  return [...commands.values()];
}

async function record(name: string, text: string, { train, heldout }: Summary): Promise<void> {
  await Deno.writeTextFile(new URL(`${name}.csv`, name in BUGS ? BUG_TABLES : DATA), text);
  console.log(`${name}: exact ${train.after.exact} / ${heldout.after.exact}`);
}

if (import.meta.main) {
  const isAsked = (name: string) => Deno.args.length === 0 || Deno.args.includes(name);
  for (const { words, change, tables } of commandsOf(Deno.args)) {
    const { metrics, summary } = await runCommand(words, change);
    for (const { name, columns } of tables) await record(name, kept(metrics, columns), summary);
  }
  for (const [name, [request, columns]] of Object.entries(EXPERIMENTS)) {
    if (!isAsked(name)) continue;
    const { rows, summary, observer } = watch();
    await trainTask(request, observer);
    await record(name, table(rows.map((row) => columns.map((of) => row[of])), columns), summary());
  }
}
