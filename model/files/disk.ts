/**
 * Files that are old or new, never torn: written under a temporary name in the same folder, flushed to
 * the disk, then renamed; the folder is flushed too, so that the rename itself survives a power cut.
 * @module
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** What a file is written from, piece by piece. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The few calls that touch the disk; tests hand in one that fails. */
export interface Disk {
  /** Creates the file, which must not exist, writes the chunks in order and flushes them. */
  write(path: string, chunks: Chunks): Promise<void>;
  /**
   * Writes the chunks into the file from byte `at` on, cuts off what stood behind them and flushes it. The
   * file is made where there is none. @throws {Error} when it ends before `at`
   */
  append(path: string, at: number, chunks: Chunks): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder. */
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Flushes a file, or the names in a folder. */
  flush(path: string): Promise<void>;
}

async function writeAll(file: Deno.FsFile, chunks: Chunks): Promise<void> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
  }
  await file.sync();
}

/** The real disk. */
export const disk: Disk = {
  async write(path, chunks) {
    using file = await Deno.open(path, { write: true, createNew: true });
    await writeAll(file, chunks);
  },
  async append(path, at, chunks) {
    using file = await Deno.open(path, { write: true, create: true });
    const { size } = await file.stat();
    if (size < at) throw new Error(`it ends at byte ${size}, before ${at}: another program cut it`);
    if (size > at) await file.truncate(at);
    await file.seek(at, Deno.SeekMode.Start);
    await writeAll(file, chunks);
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

/**
 * Puts `content` at `path`: whoever looks finds the old file or the new one. When writing fails, or what
 * gives the chunks does, the temporary file is removed and `path` stays as it was.
 */
export async function replaceFile(
  path: string,
  content: string | Chunks,
  io: Disk = disk,
): Promise<void> {
  const chunks = typeof content === "string" ? [new TextEncoder().encode(content)] : content;
  // Processes may share a folder, and in containers a process number too.
  const temporary = `${path}.tmp-${crypto.getRandomValues(new BigUint64Array(1))[0]}`;
  try {
    await io.write(temporary, chunks);
    await io.rename(temporary, path);
    await io.flush(dirname(path));
  } catch (error) {
    await io.remove(temporary).catch(() => {}); // it may never have been made
    throw error;
  }
}

/** Whether a name is that of a file or folder on its way to another name. */
export const isTemporary = (name: string): boolean => /\.tmp-\d+$/.test(name);

/** Makes a folder and those above it, where they are not there. */
export const makeFolders = (path: string): Promise<void> => Deno.mkdir(path, { recursive: true });

/** The path of a `file:` address, without a slash at its end. */
export const localPath = (url: URL): string => resolve(fileURLToPath(url));

/** The path without links, from the root; undefined where there is nothing. */
export const fullPath = (path: string): Promise<string | undefined> =>
  Deno.realPath(path).catch(() => undefined);
