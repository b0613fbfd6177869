/**
 * Where the files of a model are read from: a folder of this machine (`denoFolder`), or an address of the
 * web (`urlFolder`), which a browser tab has in place of a disk.
 * @module
 */
import { excerpt } from "../../base/excerpt.ts";
import { parseShallowJson } from "../../base/json.ts";

/** A folder, or what stands for one. */
export interface FolderSource {
  /** What errors call it; a file of it is `path/name`. */
  readonly path: string;
  /**
   * The whole text of a file; undefined where there is no such file.
   * @throws {Error} where it is longer than such a file can be
   */
  readText(name: string): Promise<string | undefined>;
  /** Opens a file to read parts of it; undefined where there is no such file. */
  openRange(name: string): Promise<RangeFile | undefined>;
  /** Names of what lies in it, sorted. @throws {Error} where names cannot be listed */
  list(): Promise<string[]>;
  /** The folder that `name`, which a file of this one holds, means; or why there is none. */
  named(name: string, revision?: string): Promise<FolderSource | MissingFolder>;
}

/** Why a name means no folder, in words that follow "as its base". */
export interface MissingFolder {
  readonly missing: string;
}

/** An open file. */
export interface RangeFile extends Disposable {
  /** Bytes, when it was opened. */
  readonly size: number;
  /**
   * Fills `into` with the bytes from `at` on, as far as the file goes. Returns how many there were.
   * Reads of one file follow each other; they are not to run at the same time.
   */
  read(into: Uint8Array<ArrayBuffer>, at: number): Promise<number>;
}

/** A file that must be there is not. */
export class MissingFileError extends Error {
  override name = "NotFound";
}

/** What errors call a file of a folder; the folder "" is where the program runs. */
export const pathIn = ({ path }: Pick<FolderSource, "path">, name: string): string =>
  path === "" ? name : `${path}/${name}`;

/** Whether there is such a file. */
export async function hasFile(folder: FolderSource, name: string): Promise<boolean> {
  using file = await folder.openRange(name);
  return file !== undefined;
}

/**
 * What the text of a JSON file says, which errors call `from`.
 * @throws {TypeError} when it is not JSON, or nests deeper than 64 levels
 */
export function jsonOf(text: string, from: string): unknown {
  try {
    return parseShallowJson(text);
  } catch (error) {
    throw new TypeError(
      `Cannot use ${from} as it must be JSON: ${excerpt((error as Error).message)}`,
    );
  }
}

/**
 * What a JSON file of a folder says; undefined where there is no such file.
 * @throws {TypeError} when it is not JSON, or nests deeper than 64 levels
 */
export async function readJson(folder: FolderSource, name: string): Promise<unknown> {
  const text = await folder.readText(name);
  return text === undefined ? undefined : jsonOf(text, pathIn(folder, name));
}
