/** A sweep under way: its runs, what is said of them, its table, and how it ends. @module */
import { join } from "node:path";
import { removeTemporaries } from "../../experiment/folder/files.ts";
import { refuseOwnCode } from "../../experiment/folder/own_code.ts";
import { checkpointSteps, readRunConfig, readTable } from "../../experiment/folder/run_data.ts";
import type { Sweep, SweepCell } from "../../experiment/folder/sweep_file.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { jsonLine } from "../printable.ts";
import { duration, type Terminal } from "../terminal.ts";
import { canRun, cellLine, closing, endedAs, faultLines, sweepObject } from "./ending.ts";
import { foreignIn } from "./foreign.ts";
import { type CellEnd, eachAtOnce, inWorker, type RunCell } from "./pool.ts";
import { SweepProgress } from "./progress.ts";
import { allFacts, type CellFacts, writeTable } from "./table.ts";

/** How a sweep is run. */
export interface Running {
  jobs: number;
  json: boolean;
  quiet: boolean;
  /** The line that goes on with the sweep. */
  next: string;
  /** Default: in a worker. */
  runCell?: RunCell;
}

/** Runs what can still be run of the sweep in `folder`, which the caller has locked; gives the exit code. */
export async function runSweep(
  { folder, sweep }: { folder: string; sweep: Sweep },
  { jobs, json, quiet, next, runCell = inWorker }: Running,
  terminal: Terminal,
): Promise<number> {
  const { cells } = sweep, all = await allFacts(folder, sweep);
  const open = [...all.keys()].filter((i) => canRun(all[i].state));
  const progress = new SweepProgress(terminal, { cells, open }, { jobs, quiet });
  using interrupt = listenForInterrupt(
    { err: (line) => progress.say(line) },
    () => "every run after its step, or before its first",
  );
  const { signal } = interrupt;
  await removeTemporaries(folder);
  await writeTable(folder, sweep, all);
  let written = Promise.resolve();
  const run = async (i: number) => {
    const cell = cells[i], began = performance.now();
    all[i] = { cell, state: "running" };
    progress.begin(i);
    const end = await argsOf(folder, cell)
      .then((args) => runCell(args, signal, (step, of) => progress.follow(i, step, of)))
      .catch(failed);
    all[i] = await endedAs(folder, cell, { ...end, next });
    // One after the other: of two at once the older might come last.
    await (written = written.then(() => writeTable(folder, sweep, all)));
    progress.end(i, all[i].state === "finished");
    if (quiet) return;
    const seconds = (performance.now() - began) / 1000, isLast = signal.aborted;
    progress.say(endLine(all[i], progress, { seconds, isLast }));
    for (const line of faultLines(folder, all[i], terminal.columns)) progress.say(line);
  };
  try {
    await eachAtOnce(open, { jobs, signal }, run);
  } finally {
    progress.close();
  }
  for (const line of closing({ folder, sweep, all, next, stopped: signal.aborted }, terminal)) {
    json ? terminal.err(line) : terminal.out(line);
  }
  if (json) terminal.out(jsonLine(sweepObject(folder, all)));
  if (all.every(({ state }) => state === "finished")) return 0;
  return signal.aborted ? INTERRUPTED : 1;
}

/** What is said of a run as it ends; `isLast`: no other one begins. */
function endLine(
  facts: CellFacts,
  { count, left, isOver }: SweepProgress,
  { seconds, isLast }: { seconds: number; isLast: boolean },
): string {
  const line = cellLine(facts) + (facts.state === "waiting" ? "" : `  ${duration(seconds)}`);
  return isLast ? line : `${count}  ${line}${isOver ? "" : `  left ${left}`}`;
}

const failed = (error: unknown): CellEnd => ({
  code: 1,
  message: String((error as Error).message),
});

/**
 * A run goes on from its last checkpoint. One that was cut short before its first begins anew: it has no step.
 * @throws {Error} where it has steps, and its checkpoints are gone: they are not this command's to remove
 */
async function argsOf(folder: string, cell: SweepCell): Promise<string[]> {
  const { folder: name, words } = cell;
  const place = join(folder, name), said = ["--json", "--quiet"];
  if (await kindOf(join(place, "config.json")) !== undefined) await checkCell(folder, cell);
  if ((await checkpointSteps(place)).length > 0) return ["train", "--resume", place, ...said];
  if ((await readTable(place, "metrics.csv")).length > 1) {
    throw new Error(
      `Cannot continue ${place} as its checkpoints are gone: move it away, and the run begins anew`,
    );
  }
  await Deno.remove(place, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  return ["train", ...words, ...said, "--out", place];
}

/** @throws {Error} where the run that lies there is another, or would run code of the sweep's folder */
async function checkCell(folder: string, cell: SweepCell): Promise<void> {
  const place = join(folder, cell.folder);
  const config = await readRunConfig(place).catch(() => undefined);
  if (config === undefined) return; // no run can be continued with it, which is said then
  const foreign = foreignIn(cell, config);
  if (foreign !== undefined) {
    throw new Error(`Cannot continue ${place} as another run lies there, ${foreign}: move it away`);
  }
  const { task, rewards = [] } = config.request as { task: string; rewards?: { name: string }[] };
  const names = rewards.map((reward) => String(reward?.name));
  await refuseOwnCode(folder, [String(task), ...names], {
    action: "resume",
    cure: "start a new sweep with that",
  });
}
