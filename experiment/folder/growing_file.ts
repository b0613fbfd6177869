/**
 * A file that only grows: what is added reaches the disk with the next `save`, in order and once, whatever
 * fails in between.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "../../model/files/disk.ts";
import { ignoreAbsent, replaceFile, writeError } from "./files.ts";
import { requireWithin } from "./links.ts";
import { type FileMark, markOf } from "./marks.ts";
import { RunFolderError } from "./schemas.ts";

/** Bytes on disk, and bytes that are on their way there. */
export class GrowingFile {
  #pending: Uint8Array[] = [];
  #size = 0; // bytes on disk that are ours
  #hash = createHash("sha256");
  constructor(readonly name: string) {}

  /** Whether nothing was put into it. */
  get empty(): boolean {
    return this.#size === 0 && this.#pending.length === 0;
  }

  /** Takes bytes; they reach the disk with the next `save`. */
  put(bytes: Uint8Array): void {
    this.#pending.push(bytes);
  }

  /**
   * Adds what is pending to the file in `folder`. When that fails it stays pending, and what the failure
   * left of it is overwritten by the next try.
   * @throws {WriteError} when the disk is full, read-only, …
   */
  async save(folder: string, io: Disk): Promise<void> {
    if (this.#pending.length === 0) return;
    const path = join(folder, this.name), pieces = [...this.#pending];
    try {
      await requireWithin(folder, path);
      await io.append(path, this.#size, pieces);
      if (this.#size === 0) await io.flush(folder);
    } catch (error) {
      throw writeError(path, error);
    }
    this.#pending.splice(0, pieces.length);
    for (const bytes of pieces) this.#count(bytes);
  }

  /** How far the file is good, after `save`. */
  mark(): FileMark {
    return { bytes: this.#size, sha256: this.#hash.copy().digest("hex") };
  }

  /**
   * Takes over the first bytes of the file in `folder`, which a checkpoint says are its own.
   * @throws {LinkError} when a link leads to it
   * @throws {RunFolderError} when the file does not begin with those bytes
   */
  async check(folder: string, mark: FileMark): Promise<void> {
    const path = join(folder, this.name);
    await requireWithin(folder, path);
    const fault = await faultOfTable(path, mark, (bytes) => this.#count(bytes));
    if (fault) throw new RunFolderError(`Cannot continue ${path} as ${fault}`);
  }

  /** Cuts off what stands behind the bytes that were taken over. */
  async cut(folder: string, io: Disk): Promise<void> {
    const path = join(folder, this.name);
    try {
      await requireWithin(folder, path);
      if (this.#size > 0) await io.append(path, this.#size, []);
      else await io.remove(path).catch(ignoreAbsent);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** Replaces the file in `folder` by these bytes, whole; nothing stays pending. */
  protected async replaceBytes(folder: string, bytes: Uint8Array, io: Disk): Promise<void> {
    this.#pending = [];
    this.#size = 0;
    this.#hash = createHash("sha256");
    await replaceFile(join(folder, this.name), [bytes], io);
    this.#count(bytes);
  }

  #count(bytes: Uint8Array): void {
    this.#size += bytes.length;
    this.#hash.update(bytes);
  }
}

/**
 * Why the table at `path` does not begin with what `mark` says; undefined where it does. `each` is given
 * the bytes, piece by piece.
 */
export async function faultOfTable(
  path: string,
  { bytes, sha256 }: FileMark,
  each: (piece: Uint8Array) => void = () => {},
): Promise<string | undefined> {
  const found = await markOf(path, { upTo: bytes, each });
  if (found.bytes < bytes) {
    const what = found.bytes === 0 ? "empty or gone" : `cut off at byte ${found.bytes}`;
    return `it is ${what}, and ${bytes} bytes of it belong to the checkpoint`;
  }
  return found.sha256 === sha256
    ? undefined
    : `its first ${bytes} bytes are not those that belong to the checkpoint: rows were changed since`;
}
