/** What happened to a run beside its steps: `history.json`, one entry after the other. @module */
import { join } from "node:path";
import type { OptionValue } from "../../base/options.ts";
import type { Disk } from "../../model/files/disk.ts";
import type { SplitResult, Summary } from "../observer.ts";
import { replaceFile } from "./files.ts";
import type { FilesOfRun } from "./own_changes.ts";
import { historySchema, readChecked } from "./schemas.ts";

/** What is asked for on `--resume` beside the run: all that differs from the run's first request. */
export interface Changes {
  /** Steps of the whole run. */
  steps?: number;
  /** Steps between checkpoints. */
  saveEvery?: number;
  /** Steps between evaluations. */
  evaluateEvery?: number;
  /** Evaluations without a better one that end it. */
  patience?: number;
  /** What it is written as beside its folder's tables. */
  log?: "none" | "tensorboard";
  settings: Readonly<Record<string, OptionValue>>;
}

/** One entry; `step` is how many steps were done, `time` ISO 8601 in UTC. */
export type RunEvent = { step: number; time: string } & RunEventBody;

/** An entry without its place. */
export type RunEventBody =
  | {
    /** It was continued after this step. Rows of later steps up to then were dropped. */
    kind: "resumed";
    /** What holds from here on that the first request had otherwise. */
    asked: Changes;
    /** Settings that are others than before, as they were and as they are. */
    changed: Record<string, [before: unknown, after: unknown]>;
    /** The files that it goes on with, all of them, where one changed. */
    files?: FilesOfRun;
  }
  | {
    /** A signal, an error, or a divergence ended the process. */
    kind: "stopped" | "failed" | "diverged";
    /** One sentence. */
    cause: string;
    /** Of the checkpoint that is good. */
    from?: number;
    /** The line that continues. */
    next?: string;
  }
  | {
    /** The run had its steps, and was extended afterwards. */
    kind: "finished";
    after: Record<"train" | "heldout", SplitResult>;
  }
  | {
    /** The console took no more. */
    kind: "console";
    cause: string;
  };

/**
 * What `history.json` of a run says; nothing where there is none.
 * @throws {RunFolderError} when it is not what a run writes
 */
export async function readHistory(folder: string): Promise<RunEvent[]> {
  return (await readChecked(folder, "history.json", historySchema) ?? []) as RunEvent[];
}

/** Adds an entry to the history of the run in `folder`. @throws {WriteError} when it cannot be written */
export async function note(
  folder: string,
  { step, io, ...body }: RunEventBody & { step: number; io?: Disk },
): Promise<void> {
  const event = { step, time: new Date().toISOString(), ...body };
  const text = JSON.stringify([...await readHistory(folder), event], null, 2);
  await replaceFile(join(folder, "history.json"), `${text}\n`, io);
}

/** What a finished run says of itself once it is extended. */
export const finished = ({ train, heldout }: Summary): RunEventBody => ({
  kind: "finished",
  after: { train: train.after, heldout: heldout.after },
});

/** What holds after the last resume that the first request had otherwise. */
export const changesOf = (history: readonly RunEvent[]): Changes =>
  history.findLast((event) => event.kind === "resumed")?.asked ?? { settings: {} };

/**
 * Settings as they held in the process that saved the checkpoint of `step`: those that the run began with
 * and what each resume up to then changed. Default: as they hold now.
 */
export function settingsAt(
  began: Readonly<Record<string, unknown>>,
  history: readonly RunEvent[],
  step = Infinity,
): Record<string, unknown> {
  const last = history.findLastIndex((event) => event.kind === "resumed" && event.step < step);
  const settings = { ...began };
  for (const event of history.slice(0, last + 1)) {
    if (event.kind !== "resumed") continue;
    for (const [key, [, after]] of Object.entries(event.changed)) settings[key] = after;
  }
  return settings;
}

/** Each setting that differs, before and after; one that only one of the two knows is none. */
export function differing(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, [before: unknown, after: unknown]> {
  const same = (key: string) => JSON.stringify(before[key]) === JSON.stringify(after[key]);
  return Object.fromEntries(
    Object.keys(before).filter((key) => Object.hasOwn(after, key) && !same(key))
      .map((key) => [key, [before[key], after[key]]]),
  );
}

/** How the run ended where it was cut short: the last entry, unless it was continued after it. */
export function endOf(
  history: readonly RunEvent[],
): Extract<RunEvent, { cause: string; kind: "stopped" | "failed" | "diverged" }> | undefined {
  const last = history.findLast(({ kind }) => kind !== "console");
  return last?.kind === "stopped" || last?.kind === "failed" || last?.kind === "diverged"
    ? last
    : undefined;
}
