/** JSON files of a model folder, read so that no text of theirs can break the reader. @module */
import { type FolderSource, pathIn } from "./folder_source.ts";

const MAX_DEPTH = 64; // zod and JSON.stringify call themselves once a level

/**
 * What a JSON file says; undefined where there is no such file.
 * @throws {TypeError} when it is not JSON, or nests deeper than 64 levels
 */
export async function readPlainJson(folder: FolderSource, name: string): Promise<unknown> {
  const text = await folder.readText(name);
  return text === undefined ? undefined : parsePlainJson(text, pathIn(folder, name));
}

/** As `readPlainJson`, of the text of the file called `from`. */
export function parsePlainJson(text: string, from: string): unknown {
  if (depthOf(text) > MAX_DEPTH) {
    throw new TypeError(
      `Cannot use ${from} as its JSON must have at most ${MAX_DEPTH} levels: it has more`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot use ${from} as it must be JSON: ${(error as Error).message}`);
  }
}

/** The most brackets that are open at a time; texts in quotes do not count. */
function depthOf(text: string): number {
  let [depth, most] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) { // "
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) {
        if (text.charCodeAt(at) === 0x5c) at++; // \
      }
    } else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return most;
}
