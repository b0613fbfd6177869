/**
 * Files that are old or new, never torn: written under a temporary name in the same folder, flushed to
 * the disk, then renamed; the folder is flushed too, so that the rename itself survives a power cut.
 * @module
 */

/** The few calls that touch the disk; tests hand in one that fails. */
export interface Disk {
  /** Creates the file, which must not exist, writes the chunks in order and flushes them. */
  write(path: string, chunks: readonly Uint8Array[]): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder. */
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Flushes a file, or the names in a folder. */
  flush(path: string): Promise<void>;
}

/** The real disk. */
export const disk: Disk = {
  async write(path, chunks) {
    using file = await Deno.open(path, { write: true, createNew: true });
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    }
    await file.sync();
  },
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path, { recursive: true }),
  makeFolder: (path) => Deno.mkdir(path),
  async flush(path) {
    if (Deno.build.os === "windows") return; // folders cannot be opened there
    using file = await Deno.open(path);
    await file.sync();
  },
};

/** A file or folder could not be written; what was there before is untouched. */
export class WriteError extends Error {
  override name = "WriteError";
}

const CAUSES: Record<string, string> = {
  ENOSPC: "the disk is full. Free some space",
  EDQUOT: "the disk quota is used up. Free some space",
  EROFS: "the file system is read-only. Choose another folder with --out",
  EACCES: "the folder may not be written. Change its owner, or choose another with --out",
  EPERM: "the folder may not be written. Change its owner, or choose another with --out",
  EEXIST: "there is a file of that name. Choose another folder with --out",
  ENOTDIR: "a part of the path is a file. Choose another folder with --out",
};

/** Names the path, the cause and the cure; `place` is where the command may write. */
export function writeError(path: string, error: unknown, place = "runs"): WriteError {
  if (error instanceof WriteError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    const places = `${place},${folderOf(path)}`;
    return new WriteError(
      `Cannot write ${path} as this command may write only inside ${place}. Choose --out inside ` +
        `${place}, or run: deno run --allow-read --allow-env --allow-write=${places} cli/bin.ts ...`,
      { cause: error },
    );
  }
  const code = (error as { code?: string }).code ?? "";
  const cause = CAUSES[code] ?? (error instanceof Error ? error.message : String(error));
  return new WriteError(`Cannot write ${path} as ${cause}. Files written before are whole.`, {
    cause: error,
  });
}

/** The folder part of a path; "." where there is none. */
export function folderOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : at === 0 ? "/" : path.slice(0, at);
}

/** The name that stands for `path` until it is whole. */
export const temporaryName = (path: string): string => `${path}.tmp-${Deno.pid}`;

const IS_TEMPORARY = /\.tmp-\d+$/;

/**
 * Puts `content` at `path`: whoever looks finds the old file or the new one.
 * @throws {WriteError} when the disk is full, read-only, …; the old file is then untouched
 */
export async function replaceFile(
  path: string,
  content: string | readonly Uint8Array[],
  io: Disk = disk,
): Promise<void> {
  const chunks = typeof content === "string" ? [new TextEncoder().encode(content)] : content;
  const temporary = temporaryName(path);
  try {
    await io.write(temporary, chunks);
    await io.rename(temporary, path);
    await io.flush(folderOf(path));
  } catch (error) {
    await io.remove(temporary).catch(() => {}); // it may never have been made
    throw writeError(path, error);
  }
}

/** Removes what a killed process left half-written, in `folder` and its `checkpoints`. */
export async function removeTemporaries(folder: string, io: Disk = disk): Promise<void> {
  for (const place of [folder, `${folder}/checkpoints`]) {
    for (const name of await listFolder(place)) {
      if (IS_TEMPORARY.test(name)) await io.remove(`${place}/${name}`);
    }
  }
}

/** Names in a folder, sorted; none where there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Flushes every file below `folder`, then the folder itself. */
export async function flushTree(folder: string, io: Disk = disk): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await flushTree(path, io);
    else if (entry.isFile) await io.flush(path);
  }
  await io.flush(folder);
}

/** Makes the folder; false where it was there already. */
export async function makeIfAbsent(path: string, io: Disk = disk): Promise<boolean> {
  // Asked first, because making a folder needs a permission that looking at one does not.
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isDirectory) return false;
  await io.makeFolder(path);
  return true;
}

/** Makes the folder and those above it; adds those that were not there to `made`, the outermost first. */
export async function makeParents(
  path: string,
  io: Disk = disk,
  made: string[] = [],
): Promise<void> {
  if (path === "." || path === "/") return;
  await makeParents(folderOf(path), io, made);
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
  const parent = folderOf(path), temporary = temporaryName(path);
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
  const base = path.slice(path.lastIndexOf("/") + 1);
  for (const name of await listFolder(parent)) {
    const isOurs = name.startsWith(`${base}.`) && IS_TEMPORARY.test(name);
    const rest = name.slice(base.length).replace(IS_TEMPORARY, "");
    if (isOurs && (rest === "" || rest === ".old")) await io.remove(`${parent}/${name}`);
  }
}
