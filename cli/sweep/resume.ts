/** Continues a sweep: `deno task train --resume SWEEP`. @module */
import { join } from "node:path";
import { refuseLinks } from "../../experiment/folder/links.ts";
import { LockedError, RunLock } from "../../experiment/folder/lock.ts";
import { readSweep } from "../../experiment/folder/sweep_file.ts";
import { type Command, type Parsed, UsageError } from "../command.ts";
import { quoted, type Terminal } from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { checkOwnFiles, planCells } from "./check.ts";
import { jobsFor } from "./jobs.ts";
import { runSweep } from "./run.ts";
import { trainOf } from "./grid.ts";
import { slurmScript } from "./slurm.ts";
import { allFacts, counts } from "./table.ts";

const MAY = ["resume", "jobs", "json", "quiet", "slurm"];

/**
 * Runs what is left of a sweep; gives the exit code. Finished runs are kept, interrupted ones go on, failed
 * ones are tried again, and those that diverged are only said: they would again.
 * @throws {UsageError} where it cannot be continued so
 */
export async function resumeSweep(
  { flags, given, settings, positional }: Parsed,
  single: Command,
  terminal: Terminal,
): Promise<number> {
  const folder = join(String(flags.resume), ".");
  const more = [
    ...positional,
    ...Object.keys(settings),
    ...given.filter((name) => !MAY.includes(name)).map((name) => `--${name}`),
  ];
  if (more.length > 0) {
    throw new UsageError(
      `Cannot change ${
        more.join(", ")
      } of the sweep ${folder} as it keeps its grid: only --jobs may ` +
        "change; start a new sweep for the rest",
    );
  }
  using _lock = await locked(folder);
  const sweep = await readSweep(folder);
  await checkOwnFiles(folder, sweep, "resume");
  const train = trainOf(sweep.cells);
  const asked = flags.jobs as number | undefined;
  if (flags.slurm) {
    terminal.write(slurmScript({ folder, sweep, train, atOnce: asked }));
    return 0;
  }
  const facts = await allFacts(folder, sweep);
  terminal.err(`continuing ${folder}: ${counts(facts.map(({ state }) => state))}`);
  const left = facts.filter(({ state }) => state !== "finished" && state !== "diverged");
  const plans = left.length === 0
    ? []
    : await planCells({ cells: left.map(({ cell }) => cell) }, single);
  const cores = navigator.hardwareConcurrency;
  const { jobs, why } = plans.length === 0
    ? { jobs: 1, why: "" }
    : jobsFor(plans, { cells: left.length, cores, asked });
  const words = why === "" ? [] : wrap(`${jobs} at once: ${why}`, terminal.columns);
  for (const line of words) terminal.err(line);
  const { json, quiet } = flags as { json: boolean; quiet: boolean };
  const next = `${train} --resume ${quoted(folder)}`;
  return await runSweep({ folder, sweep }, { jobs, json, quiet, next }, terminal);
}

/** @throws {UsageError} where another process has the sweep, or a link leads out of where it lies */
async function locked(folder: string): Promise<RunLock> {
  await refuseLinks(folder);
  try {
    return await RunLock.take(folder);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
