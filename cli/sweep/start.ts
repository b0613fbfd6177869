/** Begins a sweep: its folder, its grid, its runs; or a Slurm script of them. @module */
import { join } from "node:path";
import about from "../../deno.json" with { type: "json" };
import { disk } from "../../model/files/disk.ts";
import { RunLock } from "../../experiment/folder/lock.ts";
import { makeRunFolder } from "../../experiment/folder/make_run_folder.ts";
import {
  isSweep,
  type Sweep,
  type SweepAxis,
  writeSweep,
} from "../../experiment/folder/sweep_file.ts";
import { hostsIn, trainCommand } from "../../experiment/servers.ts";
import { type Command, type Parsed, UsageError } from "../command.ts";
import { quoted, type Terminal } from "../terminal.ts";
import { checkOut } from "../train/out.ts";
import { wrap } from "../wrap.ts";
import { checkOwnFiles, NOT_OF_A_CELL, planCells } from "./check.ts";
import { cellsOf } from "./grid.ts";
import { jobsFor } from "./jobs.ts";
import { runSweep } from "./run.ts";
import { slurmScript } from "./slurm.ts";
import { allFacts, writeTable } from "./table.ts";

/** Flags that each run does not have, or has from the sweep. */
const OWN = [...NOT_OF_A_CELL, "json", "quiet"];

/** Runs every combination of `axes`; gives the exit code. */
export async function startSweep(
  parsed: Parsed,
  { axes, single }: { axes: SweepAxis[]; single: Command },
  terminal: Terminal,
): Promise<number> {
  const { flags, given } = parsed;
  const other = ["resume", "list", "show", "plan"].find((name) => given.includes(name));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot take --${other} with several values of ${
        axes[0].name
      } as that is of one run: give one value`,
    );
  }
  const cells = cellsOf(axes, (values) => wordsOf(parsed, values));
  const plans = await planCells({ cells }, single);
  const sweep: Sweep = {
    task: plans[0].task,
    command: commandOf(parsed),
    started: new Date().toISOString(),
    axes,
    cells,
    versions: { plainrl: about.version, deno: Deno.version.deno },
  };
  const folder = await makeSweepFolder(sweep, flags.out as string | undefined);
  using _lock = await RunLock.take(folder);
  await writeSweep(folder, sweep);
  const grid = axes.map(({ name, values }) => `${name} ${values.join(", ")}`).join("; ");
  for (const line of wrap(`sweep of ${cells.length} runs: ${grid}`, terminal.columns)) {
    terminal.err(line);
  }
  terminal.err(folder);
  const asked = flags.jobs as number | undefined;
  const train = trainCommand(hostsIn(parsed.settings)),
    next = `${train} --resume ${quoted(folder)}`;
  if (flags.slurm) {
    await writeTable(folder, sweep, await allFacts(folder, sweep));
    terminal.err(`when they have run, their table: ${next}`);
    terminal.write(slurmScript({ folder, sweep, train, atOnce: asked }));
    return 0;
  }
  const cores = navigator.hardwareConcurrency;
  const { jobs, why } = jobsFor(plans, { cells: cells.length, cores, asked });
  for (const line of wrap(`${jobs} at once: ${why}`, terminal.columns)) terminal.err(line);
  const { json, quiet } = flags as { json: boolean; quiet: boolean };
  return await runSweep({ folder, sweep }, { jobs, json, quiet, next }, terminal);
}

/** The words of one run. Flags come last: one whose value may be left out would take a setting for it. */
function wordsOf(
  { positional, flags, given, settings }: Parsed,
  values: Readonly<Record<string, string>>,
): string[] {
  const value = (name: string, asked: unknown) => values[name] ?? String(asked);
  return [
    ...positional,
    ...Object.entries(settings).map(([name, asked]) => `${name}=${value(name, asked)}`),
    ...given.filter((name) => !OWN.includes(name)).flatMap((name) => {
      const asked = flags[name];
      return asked === true || asked === "" ? [`--${name}`] : [`--${name}`, value(name, asked)];
    }),
  ];
}

/** The line that repeats the sweep. */
function commandOf(parsed: Parsed): string {
  const words = wordsOf(parsed, {}).map(quoted);
  return [trainCommand(hostsIn(parsed.settings)), ...words].join(" ");
}

/** @throws {UsageError} where there is something already */
async function makeSweepFolder(sweep: Sweep, out: string | undefined): Promise<string> {
  if (out !== undefined) {
    const folder = join(out, ".");
    if (await isSweep(folder)) {
      throw new UsageError(
        `Cannot write ${folder} as there is a sweep. Choose another with --out, or continue it: ` +
          `deno task train --resume ${quoted(folder)}`,
      );
    }
    await checkOut(folder);
    await checkOwnFiles(folder, sweep, "begin");
  }
  // Named as a run is, with the number of runs where a run has its seed.
  const { task, cells } = sweep;
  return await makeRunFolder({ task, algorithm: "sweep", seed: cells.length }, { out, io: disk });
}
