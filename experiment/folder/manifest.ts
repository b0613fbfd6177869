/**
 * The manifest of a checkpoint, written last: every file with its size and hash, how much of the run's
 * tables belongs to it, and what exactly was trained. With it a resume tells a checkpoint that is whole
 * and its own from one that is damaged, foreign, or of a run that was changed since.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import about from "../../deno.json" with { type: "json" };
import { oneLine } from "../../base/excerpt.ts";
import { type Disk, disk } from "../../model/files/disk.ts";
import { readIfThere } from "../../model/files/deno_folder.ts";
import type { RunInfo } from "../observer.ts";
import { replaceFile } from "./files.ts";
import { type FileMark, markOf } from "./marks.ts";
import { faultOf, manifestSchema, RunFolderError } from "./schemas.ts";

/** Name of the file. */
export const MANIFEST = "manifest.json";
/** Raised when older programs could no longer tell whether a checkpoint is good. */
const FORMAT = 1;

/** What was trained, as far as it decides what the next step computes. */
export interface Identity
  extends Pick<RunInfo, "seed" | "task" | "data" | "algorithm" | "weights" | "source" | "shape"> {
  /** Of the run's `config.json`; null in runs that an earlier version began. */
  run: string | null;
  /** Every setting as resolved. */
  settings: Readonly<Record<string, unknown>>;
  /** What tells the content of each file and network that rewards read, by its name; absent without any. */
  rewardFiles?: Readonly<Record<string, string>>;
}

/** What `manifest.json` holds. */
export interface Manifest extends Identity {
  format: number;
  /** Version of the program that wrote it. */
  plainrl: string;
  step: number;
  device: Omit<RunInfo["device"], "software">;
  /** Of the checkpoint, by path in its folder. */
  files: Record<string, FileMark>;
  /** How much of each table of the run belongs to it, by name. */
  tables: Record<string, FileMark>;
}

/** What a run is, for the manifests of its checkpoints. */
export const identityOf = (info: RunInfo, run: string | null): Identity => ({
  run,
  seed: info.seed,
  task: info.task,
  data: info.data,
  algorithm: info.algorithm,
  weights: info.weights,
  source: info.source,
  shape: info.shape,
  settings: info.config,
  ...((info.files?.rewards || info.rewardSources) && {
    rewardFiles: {
      ...Object.fromEntries(info.files?.rewards?.map(({ path, sha256 }) => [path, sha256]) ?? []),
      ...info.rewardSources,
    },
  }),
});

/** Seals the checkpoint in `folder`, all of whose other files are there. */
export async function writeManifest(
  folder: string,
  { identity, ...rest }:
    & { identity: Identity }
    & Pick<Manifest, "step" | "device" | "tables">,
  io: Disk = disk,
): Promise<void> {
  const files: Record<string, FileMark> = {};
  for (const name of await filesOf(folder)) files[name] = await markOf(join(folder, name));
  const { kind, name, tuning } = rest.device;
  const manifest = {
    format: FORMAT,
    plainrl: about.version,
    ...identity,
    ...rest,
    device: { kind, name, ...(tuning && { tuning }) },
    files,
  };
  await replaceFile(join(folder, MANIFEST), manifestText(manifest), io);
}

/** With a hash of itself, as a flipped bit in a manifest must be seen too. */
function manifestText(manifest: Readonly<Record<string, unknown>>): string {
  const sha256 = createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
  return JSON.stringify({ ...manifest, sha256 }, null, 2) + "\n";
}

/**
 * The manifest in the checkpoint `folder`; undefined where there is none.
 * @throws {RunFolderError} when it is damaged, or of a later version
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, MANIFEST);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  const cannot = (why: string) => new RunFolderError(`Cannot use ${path} as ${why}`);
  let manifest: Manifest;
  try {
    const { sha256: _, ...rest } = JSON.parse(text);
    if (rest.format > FORMAT) {
      throw cannot(`this version reads format ${FORMAT}: it is ${Number(rest.format)}`);
    }
    if (manifestText(rest) !== text) throw cannot("its text is not that of its own hash");
    manifest = rest;
  } catch (error) {
    if (error instanceof RunFolderError) throw error;
    throw cannot(`it is not whole: ${(error as Error).message}`);
  }
  const fault = faultOf(manifestSchema, manifest);
  if (fault !== undefined) throw cannot(fault);
  return manifest;
}

/**
 * Why the files in the checkpoint `folder` are not those of its manifest; undefined where they are.
 * @param isRead which of them must be there, as they were. Default: all
 */
export async function faultOfFiles(
  folder: string,
  { files }: Pick<Manifest, "files">,
  isRead: (name: string) => boolean = () => true,
): Promise<string | undefined> {
  const there = await filesOf(folder);
  const read = Object.entries(files).filter(([name]) => isRead(name));
  const missing = read.find(([name]) => !there.includes(name));
  if (missing !== undefined) return `${missing[0]} is missing`;
  const foreign = there.find((name) => !Object.hasOwn(files, name));
  if (foreign !== undefined) return `${oneLine(foreign)} is not a file of it`;
  for (const [name, { bytes }] of read) {
    const { size } = await Deno.stat(join(folder, name));
    if (size !== bytes) return `${name} has ${size} bytes: it was written with ${bytes}`;
  }
  for (const [name, { sha256 }] of read) {
    if ((await markOf(join(folder, name))).sha256 !== sha256) {
      return `${name} does not hold what was written: its hash differs`;
    }
  }
}

/** Files below `folder` but for the manifest and what a file browser leaves (`.DS_Store`), by path. */
async function filesOf(folder: string, below = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    if (path === MANIFEST || name.startsWith(".")) continue;
    if (isDirectory) names.push(...await filesOf(folder, path));
    else names.push(path);
  }
  return names.sort();
}
