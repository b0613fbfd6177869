/** Checks the runs of a sweep before any begins, as each would be alone. @module */
import { join } from "node:path";
import { formatBytes } from "../../base/units.ts";
import type { PlannedRun } from "../../experiment/plan.ts";
import type { Sweep, SweepCell } from "../../experiment/folder/sweep_file.ts";
import { refuseOwnCode, refuseOwnFiles } from "../../experiment/folder/own_code.ts";
import { asUsageError, type Command, type Parsed, UsageError } from "../command.ts";
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
    if (seed !== undefined) asUsageError(() => parseOption("--seed", single.spec.flags.seed, seed));
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
  const plan: PlannedRun = JSON.parse(said);
  if (plan.fits) return plan;
  throw new Error(
    `Cannot begin the sweep as each of its runs must fit: one needs ${
      formatBytes(plan.total)
    } of device ` +
      `memory, and ${
        formatBytes(plan.available!)
      } may be taken. train with one value of each and --plan ` +
      "says what makes it fit",
  );
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

/** A setting that names a file which is written: it may lie beside the runs, not in one. */
const CACHE = /^serverCache=/;

/**
 * A sweep's folder may come from anywhere: no code that lies in it is run. Nor does a run read what lies where
 * runs are written, and begun anew: as a run alone, which begins in an empty folder.
 * @throws {Error} marked as usage, where a word of a run names such a file
 */
export async function checkOwnFiles(
  folder: string,
  { cells }: Pick<Sweep, "cells">,
  action: "resume" | "begin",
): Promise<void> {
  const words = [...new Set(cells.flatMap(({ words }) => words))];
  await refuseOwnCode(folder, words, { action, cure: "start a new sweep with that" });
  const cure = "Take a copy elsewhere, and start a new sweep with that";
  await refuseOwnFiles(folder, words.filter((word) => !CACHE.test(word)), { action, cure });
  const caches = words.filter((word) => CACHE.test(word));
  if (caches.length === 0) return;
  for (const { folder: name } of cells) {
    await refuseOwnFiles(join(folder, name), caches, {
      action,
      cure: "Name a file outside of the runs' folders, such as runs/answers.jsonl",
    });
  }
}
