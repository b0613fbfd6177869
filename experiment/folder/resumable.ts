/** Finds what of a run can be continued: its newest checkpoint that is whole and its own. @module */
import { join } from "node:path";
import { listFolder, listFolders } from "./files.ts";
import { faultOfTable } from "./growing_file.ts";
import { readHistory } from "./history.ts";
import { requireRunFolder, requireWithin } from "./links.ts";
import { RunLock } from "./lock.ts";
import type { Manifest } from "./manifest.ts";
import { checkpointFolder, checkpointSteps, readRunConfig, type RunConfig } from "./run_data.ts";
import { type CheckpointOfRun, examine } from "./sound_checkpoint.ts";

/** A checkpoint that was not taken. */
export interface PassedOver {
  folder: string;
  /** In words that follow "as". */
  why: string;
}

/** A run that can be continued. Disposing of it releases the run. */
export interface Resumable extends Disposable {
  /** The run's folder. */
  folder: string;
  config: RunConfig;
  /** Its newest good checkpoint. */
  checkpoint: string;
  step: number;
  /** Newer ones, which are damaged or not of this run; the newest first. */
  passedOver: PassedOver[];
  /** For people: what else they should know. */
  notices: string[];
  /** The right to write the run, for `RunFolder`. */
  lock: RunLock;
}

/** A run that cannot be continued, though it is one. */
export class NotResumableError extends Error {
  override name = "NotResumableError";
}

/**
 * The newest checkpoint of a run that is whole, with the rows that belong to it, and the right to write the
 * run from there on.
 * @param options.finished take a run that is finished too, to train it further. Default false
 * @param options.upTo only checkpoints up to this step: the last that is good, as a run that diverged
 * keeps it. Default: all are
 * @throws {LockedError} when another process has the run
 * @throws {NotResumableError} when it is finished, or has no good checkpoint
 * @throws {RunFolderError} when it is not a run folder
 */
export async function findResumable(
  folder: string,
  { finished = false, upTo = Infinity }: { finished?: boolean; upTo?: number } = {},
): Promise<Resumable> {
  await requireRunFolder(folder);
  await readRunConfig(folder); // before a lock is made in what is no run
  using held = new DisposableStack();
  const lock = held.use(await RunLock.take(folder));
  const config = await readRunConfig(folder), history = await readHistory(folder);
  if (!finished && (await listFolder(folder)).includes("summary.json")) {
    throw new NotResumableError(
      `Cannot resume ${folder} as the run is finished: it has a summary.json`,
    );
  }
  const passedOver: PassedOver[] = [];
  const steps = (await checkpointSteps(folder)).filter((step) => step <= upTo);
  for (const step of steps.reverse()) {
    const checkpoint = checkpointFolder(folder, step);
    const { why, manifest } = await examineWithRows(folder, { step, config, history });
    if (why !== undefined) {
      passedOver.push({ folder: checkpoint, why });
      continue;
    }
    const notices = lock.notice === undefined ? [] : [lock.notice];
    if (!manifest) notices.push(`${checkpoint} is of an earlier version: it cannot be checked`);
    const owned = held.move();
    return {
      ...{ folder, config, checkpoint, step, passedOver, notices, lock },
      [Symbol.dispose]: () => owned.dispose(),
    };
  }
  throw new NotResumableError(
    passedOver.length === 0
      ? `Cannot resume ${folder} as it has no checkpoint yet. Start again: ${config.command}`
      : `Cannot resume ${folder} as none of its checkpoints is good: ` +
        passedOver.map(({ folder, why }) => `${folder}: ${why}`).join("; ") +
        `. Put back what was changed, or start again: ${config.command}`,
  );
}

/** Why a checkpoint cannot be continued from, in words that follow "as"; with its manifest. */
async function examineWithRows(
  folder: string,
  checkpoint: CheckpointOfRun,
): Promise<{ why?: string; manifest?: Manifest }> {
  const { why, manifest } = await examine(folder, checkpoint, "run");
  if (why !== undefined || !manifest) return { why, manifest };
  try {
    return { manifest, why: await faultOfRows(folder, manifest) };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

async function faultOfRows(folder: string, { tables }: Manifest): Promise<string | undefined> {
  for (const [name, mark] of Object.entries(tables)) {
    await requireWithin(folder, join(folder, name));
    const fault = await faultOfTable(join(folder, name), mark);
    if (fault !== undefined) return `of ${name}, ${fault}`;
  }
}

/** A run that was cut short. */
interface Unfinished {
  folder: string;
  /** Of its `config.json`; undefined where that cannot be told. */
  task: string | undefined;
  /** When it was last written, milliseconds. */
  time: number;
}

/**
 * Folders of runs in `runs` that have no summary, the one written last first. What is no run folder, or
 * may not be looked at, or is a link, is passed over.
 */
export async function unfinishedRuns(runs: string): Promise<Unfinished[]> {
  const found: Unfinished[] = [];
  for (const name of await listFolders(runs)) {
    const folder = join(runs, name);
    try {
      const names = await listFolder(folder);
      if (!names.includes("config.json") || names.includes("summary.json")) continue;
      const of = names.includes("checkpoints") ? "checkpoints" : "config.json";
      const { mtime } = await Deno.stat(join(folder, of));
      const task = await readRunConfig(folder).then(({ task }) => task, () => undefined);
      found.push({ folder, task, time: mtime?.getTime() ?? 0 });
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    }
  }
  return found.sort((a, b) => b.time - a.time);
}
