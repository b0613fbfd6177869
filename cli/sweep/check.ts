/** Checks the runs of a sweep before any begins, as each would be alone. @module */
import type { PlannedRun } from "../../experiment/plan.ts";
import type { Sweep, SweepCell } from "../../experiment/folder/sweep_file.ts";
import { refuseOwnCode } from "../../experiment/folder/own_code.ts";
import { asUsageError, type Command, type Parsed, UsageError } from "../command.ts";
import { SEED } from "../flags.ts";
import { glance, parseArguments } from "../parse.ts";
import { parseOption } from "../../base/options.ts";
import { valueWords } from "./grid.ts";

/** Flags of a sweep itself, and those that do something else than train. */
export const NOT_OF_A_CELL = ["out", "resume", "list", "show", "plan", "jobs", "slurm"];

/**
 * Plans one run of each combination but for its seed: a name that is not there, a value out of range, a model
 * that was not fetched and settings that contradict each other are said before the first run begins.
 * @throws {UsageError} for a run that cannot be, and what `--plan` throws
 */
export async function planCells(
  { cells }: Pick<Sweep, "cells">,
  single: Command,
): Promise<PlannedRun[]> {
  const kinds = Map.groupBy(cells, ({ values: { seed: _, ...rest } }) => JSON.stringify(rest));
  const plans: PlannedRun[] = [];
  for (const [first] of kinds.values()) {
    try {
      plans.push(await planned(first, single));
    } catch (error) {
      if (!(error instanceof Error) || kinds.size === 1) throw error;
      const { seed: _, ...values } = first.values; // which of them it is that cannot be
      error.message = `${error.message} (with ${valueWords(values)})`;
      throw error;
    }
  }
  for (const seed of new Set(cells.map(({ values }) => values.seed))) {
    if (seed !== undefined) asUsageError(() => parseOption("--seed", SEED, seed));
  }
  return plans;
}

async function planned({ words }: SweepCell, single: Command): Promise<PlannedRun> {
  const { command, parsed } = await parsedWords(words, single);
  const own = NOT_OF_A_CELL.find((name) => parsed.given.includes(name));
  if (own !== undefined) {
    throw new UsageError(`Cannot take --${own} in a sweep as each of its runs is trained`);
  }
  let said = "";
  const flags = { ...parsed.flags, plan: true, json: true };
  await command.run({ ...parsed, flags }, {
    out: (line) => said = line,
    write: () => {},
    err: () => {},
    fancy: false,
    columns: 100,
  });
  return JSON.parse(said);
}

/** The command as it is for these words, and what they say. @throws {UsageError} */
async function parsedWords(
  words: readonly string[],
  single: Command,
): Promise<{ command: Command; parsed: Parsed }> {
  const seen = glance(words, single.spec);
  const command = seen && single.prepare ? await single.prepare(seen) : single;
  return { command, parsed: parseArguments([command.spec.name, ...words], [command.spec]) };
}

/**
 * A sweep's folder may come from anywhere: no code that lies in it is run.
 * @throws {Error} marked as usage, where a run's task or reward is such a module
 */
export const checkModules = (folder: string, { cells }: Pick<Sweep, "cells">): Promise<void> =>
  refuseOwnCode(folder, [...new Set(cells.flatMap(({ words }) => words))], {
    action: "resume",
    cure: "start a new sweep with that",
  });
