/** A sweep under way: its runs, what is said of them, its table, and how it ends. @module */
import { join } from "node:path";
import { removeTemporaries } from "../../experiment/folder/files.ts";
import { refuseOwnCode } from "../../experiment/folder/own_code.ts";
import { checkpointSteps, readRunConfig, readTable } from "../../experiment/folder/run_data.ts";
import { type Sweep, SWEEP_TABLE, type SweepCell } from "../../experiment/folder/sweep_file.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { jsonLine } from "../printable.ts";
import { score } from "../report/table.ts";
import { columns, duration, quoted, type Terminal } from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { allFacts, type CellFacts, type CellState, counts, factsOf, writeTable } from "./table.ts";
import { foreignIn } from "./foreign.ts";
import { valueWords } from "./grid.ts";
import { type CellEnd, eachAtOnce, inWorker, type RunCell } from "./pool.ts";

/** How a sweep is run. */
export interface Running {
  jobs: number;
  json: boolean;
  quiet: boolean;
  /** The words before `--resume`. */
  train: string;
  /** Default: in a worker. */
  runCell?: RunCell;
}

/** Runs what can still be run of the sweep in `folder`, which the caller has locked; gives the exit code. */
export async function runSweep(
  { folder, sweep }: { folder: string; sweep: Sweep },
  { jobs, json, quiet, train, runCell = inWorker }: Running,
  terminal: Terminal,
): Promise<number> {
  using interrupt = listenForInterrupt(terminal);
  const { signal } = interrupt;
  const all = await allFacts(folder, sweep);
  const open = [...all.keys()].filter((i) => canRun(all[i].state));
  await removeTemporaries(folder);
  await writeTable(folder, sweep, all);
  let written = Promise.resolve();
  const started = performance.now();
  let ended = 0;
  await eachAtOnce(open, { jobs, signal }, async (i) => {
    const cell = sweep.cells[i], began = performance.now();
    all[i] = { cell, state: "running" };
    const end = await argsOf(folder, cell).then((args) => runCell(args, signal)).catch(failed);
    all[i] = withEnd(await factsOf(folder, cell), end);
    // One after the other: of two at once the older might come last.
    await (written = written.then(() => writeTable(folder, sweep, all)));
    const now = performance.now();
    const left = (now - started) / ++ended * (open.length - ended) / 1000;
    if (quiet) return;
    const words = [
      ...[cellLine(all[i]), duration((now - began) / 1000)],
      ...(ended < open.length && !signal.aborted ? [`left ${duration(left)}`] : []),
    ];
    terminal.err(`${ended} of ${open.length}  ${words.join("  ")}`);
  });
  for (const line of closing({ folder, sweep, all, train }, terminal)) {
    json ? terminal.err(line) : terminal.out(line);
  }
  if (json) terminal.out(jsonLine(sweepObject(folder, all)));
  if (all.every(({ state }) => state === "finished")) return 0;
  return signal.aborted ? INTERRUPTED : 1;
}

const failed = (error: unknown): CellEnd => ({
  code: 1,
  message: String((error as Error).message),
});

/** A run that diverged would again; one that runs is another process'. */
const canRun = (state: CellState): boolean => ["waiting", "stopped", "failed"].includes(state);

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

/** What its end says where its folder does not: a run may fail before it has one. */
function withEnd(facts: CellFacts, { code, message }: CellEnd): CellFacts {
  if (facts.state === "finished" || facts.state === "diverged") return facts;
  if (code === INTERRUPTED) return facts;
  return {
    ...facts,
    state: "failed",
    error: message ?? facts.error ?? `it ended with code ${code}`,
  };
}

/** One run in a line: what it is, its state, and held-out answers before and after. */
function cellLine({ cell, state, run }: CellFacts): string {
  const words = `${state}  ${valueWords(cell.values)}`;
  if (!run?.summary) return words;
  const { before, after } = run.summary.heldout;
  const name = Number.isNaN(after.exact) ? "reward" : "exact";
  return `${words}  ${name} ${score(before[name])} -> ${score(after[name])}`;
}

/** The last lines: every run in a table, what went wrong, where it all is, and how to go on. */
function closing(
  { folder, sweep: { axes }, all, train }: {
    folder: string;
    sweep: Sweep;
    all: readonly CellFacts[];
    train: string;
  },
  { columns: room }: Terminal,
): string[] {
  const names = axes.map(({ name }) => name);
  const rows = all.map(({ cell, state, run }) => [
    ...names.map((name) => cell.values[name]),
    state,
    ...["exact", "reward"].map((name) =>
      score(run?.summary?.heldout.after[name as "exact" | "reward"] ?? null)
    ),
  ]);
  const table = columns([[...names, "state", "held-out exact", "reward"], ...rows]);
  const wrong = all.filter(({ state }) => state === "failed" || state === "diverged");
  const resume = `${train} --resume ${quoted(folder)}`;
  return [
    "",
    ...(table.every((line) => line.length <= room) ? table : rows.map((row) => row.join("  "))),
    "",
    ...wrong.flatMap(({ cell, state, error = "", run }) => [
      ...wrap(`${state}: ${cell.folder}: ${error}`, room),
      ...(state === "diverged" && run?.next ? [`  ${run.next}`] : []),
    ]),
    `${all.length} runs: ${counts(all.map(({ state }) => state))}`,
    `table    ${join(folder, SWEEP_TABLE)}`,
    `compare  deno task compare ${quoted(folder)}`,
    ...(all.some(({ state }) => canRun(state))
      ? [`${wrong.length > 0 ? "try again" : "continue"}  ${resume}`]
      : []),
  ];
}

/** What `--json` prints. */
const sweepObject = (folder: string, all: readonly CellFacts[]) => ({
  folder,
  table: join(folder, SWEEP_TABLE),
  runs: all.map(({ cell, state, run, error }) => ({
    folder: join(folder, cell.folder),
    values: cell.values,
    state,
    ...(error !== undefined && { error }),
    ...(run?.summary && { heldout: run.summary.heldout }),
  })),
});
