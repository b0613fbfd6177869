/** How much a file holds, and which bytes: what a manifest keeps of it. @module */
import { createHash } from "node:crypto";

/** Bytes of a file, from its start, and their SHA-256 in hexadecimal digits. */
export interface FileMark {
  bytes: number;
  sha256: string;
}

const BLOCK = 2 ** 20; // bytes read at a time: files of gigabytes are never held

/** Mark of the file at `path`, or of its first `upTo` bytes; of no bytes where there is no file. */
export async function markOf(
  path: string,
  { upTo = Infinity, each = () => {} }: {
    upTo?: number;
    /** Is given the bytes, piece by piece; they are overwritten afterwards. */
    each?: (piece: Uint8Array) => void;
  } = {},
): Promise<FileMark> {
  const hash = createHash("sha256"), block = new Uint8Array(BLOCK);
  let bytes = 0;
  try {
    using file = await Deno.open(path);
    while (bytes < upTo) {
      const got = await file.read(block.subarray(0, Math.min(BLOCK, upTo - bytes)));
      if (got === null) break;
      const piece = block.subarray(0, got);
      hash.update(piece);
      each(piece);
      bytes += got;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return { bytes, sha256: hash.digest("hex") };
}
