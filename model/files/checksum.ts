/** What the files of a folder hold, in a few letters. @module */
import { createHash } from "node:crypto";
import type { FolderSource } from "./folder_source.ts";

const BLOCK = 2 ** 20; // bytes read at a time

/** SHA-256, in hexadecimal digits, of every file of `folder` whose name `wanted` takes; sorted by name. */
export async function checksums(
  folder: FolderSource,
  wanted: (name: string) => boolean,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await folder.list()).filter(wanted)) {
    using file = await folder.openRange(name);
    if (!file) continue; // just removed
    const hash = createHash("sha256"), block = new Uint8Array(BLOCK);
    for (let at = 0; at < file.size; at += BLOCK) {
      hash.update(block.subarray(0, await file.read(block, at)));
    }
    found[name] = hash.digest("hex");
  }
  return found;
}
