/**
 * Run folders on disk: what cannot be written is said with its cure, and a folder appears whole, under its
 * name, or not at all. A single file is replaced as `model/files/disk.ts` does it.
 * @module
 */
import { basename, dirname, join } from "node:path";
import {
  type Disk,
  disk,
  isTemporary,
  replaceFile as replaceOnDisk,
} from "../../model/files/disk.ts";
import { ifThere } from "../../model/files/deno_folder.ts";
import { LinkError, requireWithin } from "./links.ts";

/** A file or folder could not be written; what was there before is untouched. */
export class WriteError extends Error {
  override name = "WriteError";
}

const CAUSES: Record<string, string> = {
  ENOSPC: "the disk is full. Free some space",
  EDQUOT: "your quota of the disk is used up. Remove files of your own, or have it raised",
  EROFS: "the file system is read-only. Choose another folder with --out",
  EACCES: "the folder may not be written. Change its owner, or choose another with --out",
  EPERM: "the folder may not be written. Change its owner, or choose another with --out",
  EEXIST: "there is a file of that name. Choose another folder with --out",
  ENOTDIR: "a part of the path is a file. Choose another folder with --out",
};

/** Names the path, the cause and the cure; `place` is where the command may write. */
export function writeError(path: string, error: unknown, place = "runs"): WriteError {
  if (error instanceof WriteError) return error;
  if (error instanceof LinkError) return new WriteError(error.message, { cause: error });
  if (error instanceof Deno.errors.NotCapable) {
    const places = `${place},${dirname(path)}`;
    const move = place === "runs" ? " (a run that lies elsewhere can be moved there)" : "";
    return new WriteError(
      `Cannot write ${path} as this command may write only inside ${place}. Name a folder inside ` +
        `${place}${move}, or allow the other one: deno run ` +
        `--allow-read --allow-env=XDG_RUNTIME_DIR,HOME --allow-write=${places} cli/bin.ts ...`,
      { cause: error },
    );
  }
  const code = (error as { code?: string }).code ?? "";
  const cause = CAUSES[code] ?? (error instanceof Error ? error.message : String(error));
  return new WriteError(`Cannot write ${path} as ${cause}. Files written before are whole.`, {
    cause: error,
  });
}

/** @throws {WriteError} where this program may not write `path`, before it does anything for it; see `writeError` */
export function requireWritable(path: string, place?: string): void {
  const { state } = Deno.permissions.querySync({ name: "write", path });
  if (state !== "granted") throw writeError(path, new Deno.errors.NotCapable("write"), place);
}

/** The name that stands for the folder `path` until it is whole. */
export const temporaryName = (path: string): string => `${path}.tmp-${Deno.pid}`;

/**
 * Puts `content` at `path`: whoever looks finds the old file or the new one.
 * @throws {WriteError} when the disk is full, read-only, …; the old file is then untouched
 */
export async function replaceFile(
  path: string,
  content: string | readonly Uint8Array[],
  io: Disk = disk,
): Promise<void> {
  try {
    await replaceOnDisk(path, content, io);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Removes what a killed process left half-written, in `folder` and its `checkpoints`. */
export async function removeTemporaries(folder: string, io: Disk = disk): Promise<void> {
  for (const place of [folder, join(folder, "checkpoints")]) {
    await requireWithin(folder, place);
    for (const name of await listFolder(place)) {
      if (isTemporary(name)) await io.remove(join(place, name));
    }
  }
}

/** Names in a folder, sorted; none where there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error; // a file in place of a folder, say
  }
}

/** Names of the folders in a folder, sorted; none where there is no such folder or it may not be read. */
export async function listFolders(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
  } catch (error) {
    const { NotFound, NotADirectory, PermissionDenied } = Deno.errors;
    for (const kind of [NotFound, NotADirectory, PermissionDenied]) {
      if (error instanceof kind) return [];
    }
    throw error;
  }
}

/** Flushes every file below `folder`, then the folder itself. */
export async function flushTree(folder: string, io: Disk = disk): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) await flushTree(path, io);
    else if (entry.isFile) await io.flush(path);
  }
  await io.flush(folder);
}

/** Makes the folder, which outlives a power cut from then on; false where it was there already. */
export async function makeIfAbsent(path: string, io: Disk = disk): Promise<boolean> {
  // Asked first, because making a folder needs a permission that looking at one does not.
  if ((await ifThere(Deno.stat(path)))?.isDirectory) return false;
  await io.makeFolder(path);
  try {
    await io.flush(dirname(path));
  } catch (error) {
    await Deno.remove(path).catch(() => {}); // made and known to be, or not made
    throw error;
  }
  return true;
}

/** Makes the folder and those above it; adds those that were not there to `made`, the outermost first. */
export async function makeParents(
  path: string,
  io: Disk = disk,
  made: string[] = [],
): Promise<void> {
  if (path === "." || path === dirname(path)) return;
  await makeParents(dirname(path), io, made);
  if (await makeIfAbsent(path, io)) made.push(path);
}

/**
 * Writes a folder through `write`, under a temporary name, and gives it the name `path` when it is
 * whole and on disk. A folder of that name stays until then and goes after it. When anything fails,
 * what was there is there still and nothing else is left. A kill between the two renames leaves both
 * folders whole, under temporary names.
 */
export async function placeFolder(
  path: string,
  write: (temporary: string) => Promise<void>,
  io: Disk = disk,
): Promise<void> {
  const parent = dirname(path), temporary = temporaryName(path);
  const old = temporaryName(`${path}.old`);
  const stands = (await Deno.stat(path).catch(() => undefined))?.isDirectory;
  const made: string[] = [];
  try {
    await makeParents(parent, io, made);
    // In a container every process may have the same number, one that was killed too.
    for (const left of stands ? [temporary, old] : [temporary]) {
      if (await Deno.stat(left).then(() => true, () => false)) await io.remove(left);
    }
    await io.makeFolder(temporary);
    await write(temporary);
    await flushTree(temporary, io);
    if (stands) await io.rename(path, old);
    try {
      await io.rename(temporary, path);
    } catch (error) {
      if (stands) await io.rename(old, path);
      throw error;
    }
  } catch (error) {
    await io.remove(temporary).catch(() => {}); // it may never have been made
    for (const folder of made.reverse()) {
      await Deno.remove(folder).catch(() => {}); // not where another process uses it meanwhile
    }
    throw error;
  }
  await io.flush(parent);
  for (const name of await listFolder(parent)) {
    if (isStandIn(name, basename(path))) await io.remove(join(parent, name));
  }
}

/** Whether `name` is one that a folder called `base` had on its way, whole or replaced. */
function isStandIn(name: string, base: string): boolean {
  if (!name.startsWith(`${base}.`) || !isTemporary(name)) return false;
  return [base, `${base}.old`].includes(name.slice(0, name.lastIndexOf(".tmp-")));
}

/** Behind a removal: what is gone already needs none. @throws any other error */
export function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
