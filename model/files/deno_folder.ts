/** Folders of this machine: the one file of `model/files` that reads through Deno. @module */
import { assetFolder } from "./asset_folder.ts";
import {
  type FolderSource,
  hasFile,
  type MissingFolder,
  pathIn,
  type RangeFile,
} from "./folder_source.ts";

/** The folder at `path`; "" is where the program runs. */
export function denoFolder(path: string): FolderSource {
  const folder: FolderSource = {
    path,
    readText: (name) => readIfThere(pathIn(folder, name)),
    async openRange(name) {
      const file = await ifThere(Deno.open(pathIn(folder, name)));
      if (!file) return undefined;
      try {
        return new DenoFile(file, (await file.stat()).size);
      } catch (error) {
        file.close();
        throw error;
      }
    },
    list: async () =>
      (await Array.fromAsync(Deno.readDir(path === "" ? "." : path), ({ name }) => name)).sort(),
    named: (name) => named(folder, name),
  };
  return folder;
}

/** The folder that `given` is, or is the path of; the default model may have an address in its place. */
export const sourceOf = (given: string | FolderSource): FolderSource =>
  typeof given === "string" ? assetFolder(given) ?? denoFolder(given) : given;

/** What `found` gives; undefined where the file or folder is not there. */
export async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
    throw error;
  }
}

/** Text of a file; undefined where it is not there. */
export const readIfThere = (path: string): Promise<string | undefined> =>
  ifThere(Deno.readTextFile(path));

/** What is at `path`; undefined where nothing is. @throws {Error} where it may not be looked at */
export const kindOf = (path: string): Promise<"file" | "folder" | undefined> =>
  Deno.stat(path).then(
    ({ isFile, isDirectory }) => isDirectory ? "folder" : isFile ? "file" : undefined,
    (error) => {
      const { NotCapable, PermissionDenied } = Deno.errors;
      if (error instanceof NotCapable || error instanceof PermissionDenied) throw error;
      return undefined;
    },
  );

/**
 * A file's folder and name. By hand, as this module is loaded in browsers too, which have no `node:path`.
 */
export function splitPath(path: string): { folder: FolderSource; name: string } {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  const folder = at > 1 ? path.slice(0, at - 1) : path.slice(0, at);
  return { folder: sourceOf(folder), name: path.slice(at) };
}

/** A folder beside the one that names it, else one on this machine. */
async function named(
  folder: FolderSource,
  name: string,
): Promise<FolderSource | MissingFolder> {
  const asset = assetFolder(name);
  if (asset) return asset;
  const isAbsolute = /^(?:[/\\]|[A-Za-z]:)/.test(name);
  for (const path of isAbsolute ? [name] : [pathIn(folder, name), name]) {
    const found = denoFolder(path);
    if (await hasFile(found, "config.json")) return found;
  }
  return {
    missing: `${JSON.stringify(name)} is not there: set base_model_name_or_path to its folder`,
  };
}

class DenoFile implements RangeFile {
  constructor(readonly file: Deno.FsFile, readonly size: number) {}

  async read(into: Uint8Array<ArrayBuffer>, at: number): Promise<number> {
    await this.file.seek(at, Deno.SeekMode.Start);
    let done = 0;
    while (done < into.length) {
      const got = await this.file.read(into.subarray(done));
      if (got === null) break;
      done += got;
    }
    return done;
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
