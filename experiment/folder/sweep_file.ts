/** `sweep.json`: the whole grid of a sweep, as it was asked for. @module */
import { join } from "node:path";
import * as z from "npm:zod@4.6.7";
import { kindOf } from "../../model/files/deno_folder.ts";
import { replaceFile } from "./files.ts";
import { readChecked, RunFolderError } from "./schemas.ts";

/** Its name. */
export const SWEEP_FILE = "sweep.json";
/** The table beside it. */
export const SWEEP_TABLE = "sweep.csv";

/** Something that the runs of a sweep differ in. */
export interface SweepAxis {
  /** A setting, or a flag without its dashes. */
  name: string;
  /** As they were given. */
  values: string[];
}

/** One run of a sweep. */
export interface SweepCell {
  /** Name of its folder in that of the sweep. */
  folder: string;
  /** The value of each axis, by its name. */
  values: Record<string, string>;
  /** What `deno task train` is given to run it, but for its folder. */
  words: string[];
}

/** What `sweep.json` holds. */
export interface Sweep {
  task: string;
  /** The line that repeats the sweep. */
  command: string;
  /** When it was made, ISO 8601 in UTC. */
  started: string;
  axes: SweepAxis[];
  /** Every combination of values, the last axis' fastest. */
  cells: SweepCell[];
  /** Versions that made it. */
  versions: Record<string, string>;
}

const name = z.string().regex(/^[^/\\\0]+$/, "a folder's name").refine(
  (text) => text !== "." && text !== "..",
  "a folder's name",
);

const schema = z.looseObject({
  task: z.string(),
  command: z.string(),
  started: z.string(),
  axes: z.array(z.looseObject({ name: z.string(), values: z.array(z.string()).min(1) })).min(1),
  cells: z.array(z.looseObject({
    folder: name,
    values: z.record(z.string(), z.string()),
    words: z.array(z.string()).min(1),
  })).min(1).refine(
    (cells) => new Set(cells.map(({ folder }) => folder)).size === cells.length,
    "runs in a folder each",
  ),
  versions: z.record(z.string(), z.string()),
});

/** Whether a folder is that of a sweep. */
export const isSweep = async (folder: string): Promise<boolean> =>
  await kindOf(join(folder, SWEEP_FILE)).catch(() => undefined) === "file";

/** @throws {RunFolderError} when there is none, or it is not as a sweep writes it */
export async function readSweep(folder: string): Promise<Sweep> {
  const sweep = await readChecked(folder, SWEEP_FILE, schema);
  if (sweep) return sweep;
  throw new RunFolderError(`Cannot read ${folder} as a sweep's folder holds a ${SWEEP_FILE}`);
}

/** @throws {WriteError} when it cannot be written */
export const writeSweep = (folder: string, sweep: Sweep): Promise<void> =>
  replaceFile(join(folder, SWEEP_FILE), `${JSON.stringify(sweep, null, 2)}\n`);
