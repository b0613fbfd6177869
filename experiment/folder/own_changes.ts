/** Files that a run was made of and that are no longer as it knew them. @module */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { kindOf } from "../../model/files/deno_folder.ts";
import type { Disk } from "../../model/files/disk.ts";
import type { DataSource } from "../../tasks/task.ts";
import type { OwnFile, RunFiles, RunInfo } from "../observer.ts";
import type { RunEvent } from "./history.ts";
import { keepFiles, type KeptFiles } from "./own_copies.ts";
import type { RunData } from "./run_data.ts";

/** Files that a run is made of: `dataFiles` are those that its task read, without copies. */
export interface FilesOfRun {
  ownFiles?: KeptFiles;
  dataFiles?: readonly DataSource[];
}

/** What a run folder says of them. */
type Known = Pick<RunData, "folder" | "config" | "history">;

/** A file that differs from what the run was trained with. */
export interface ChangedFile {
  /** As the run was given it. */
  path: string;
  /** Whether it is there at all. */
  isGone: boolean;
  /** Whether an earlier resume from there took it as it is now. */
  isAccepted: boolean;
  /** Path of the text that the run knew; absent where the run folder keeps none, or no longer that. */
  copy?: string;
}

/** The files that a run was trained with up to `step`, as its resumes took them. */
export function filesAt(
  { ownFiles, dataFiles }: FilesOfRun,
  history: readonly RunEvent[],
  step = Infinity,
): FilesOfRun {
  let files: FilesOfRun = { ownFiles, dataFiles };
  for (const event of history) {
    if (event.kind === "resumed" && event.step < step && event.files) files = event.files;
  }
  return files;
}

/** Those of a run's files that are not as they were at its checkpoint of `step`. */
export async function changedFiles(
  { folder, config, history = [] }: Known,
  step: number,
): Promise<ChangedFile[]> {
  const last = listed(filesAt(config, history)), found: ChangedFile[] = [];
  for (const { path, sha256, copy } of listed(filesAt(config, history, step))) {
    const now = await hashOf(path);
    if (now === sha256) continue;
    const old = copy === undefined ? undefined : join(folder, copy);
    const isKept = old !== undefined && await hashOf(old) === sha256;
    const isAccepted = last.some((file) => file.path === path && file.sha256 === now);
    found.push({ path, isGone: now === undefined, isAccepted, ...(isKept && { copy: old }) });
  }
  return found;
}

/** All of them, but for those of a commit, which stay as they are. */
const listed = (
  { ownFiles: { task, rewards = [] } = {}, dataFiles = [] }: FilesOfRun,
): (OwnFile & { copy?: string })[] => [
  ...(task ? [task] : []),
  ...rewards,
  ...dataFiles.filter(({ commit }) => commit === undefined)
    .map(({ name, sha256 }) => ({ path: name, sha256 })),
];

/**
 * The files that a resumed run goes on with, of which the changed ones get copies; undefined where they are
 * those that it had.
 * @throws {WriteError} where a copy cannot be written
 */
export async function otherFiles(
  { folder, config, history = [] }: Known,
  { files = {}, dataFiles }: RunInfo,
  io: Disk,
): Promise<FilesOfRun | undefined> {
  const before = filesAt(config, history);
  const sums = ({ task, rewards = [] }: RunFiles, data: FilesOfRun["dataFiles"] = []) =>
    [task ?? [], rewards, data].flat().map(({ sha256 }) => sha256).join();
  const data = before.dataFiles && dataFiles; // earlier versions kept none
  if (sums(before.ownFiles ?? {}, before.dataFiles) === sums(files, data)) return undefined;
  const ownFiles = await keepFiles(folder, files, { io, before: before.ownFiles });
  return { ownFiles, ...(dataFiles && { dataFiles }) };
}

/** SHA-256 of a file in hexadecimal digits; undefined where there is none. */
async function hashOf(path: string): Promise<string | undefined> {
  if (await kindOf(path) !== "file") return undefined;
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}
