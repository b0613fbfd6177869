/** Folders of this machine: the one file of `model/files` that reads through Deno. @module */
import { excerpt, shown } from "../../base/excerpt.ts";
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
    async readText(name) {
      using file = await openRegular(folder, name);
      return file && await file.text(pathIn(folder, name), mostBytes(name));
    },
    openRange: (name) => openRegular(folder, name),
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

/** Text of a file, as `FolderSource.readText` of its folder reads it; undefined where it is not there. */
export function readIfThere(path: string): Promise<string | undefined> {
  const { folder, name } = splitPath(path);
  return folder.readText(name);
}

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
    missing: `${shown(name)} is not there: set base_model_name_or_path to its folder`,
  };
}

/** Most bytes of a file that is read as a whole, by the end of its name; weights are read in parts. */
const MOST: readonly (readonly [end: string, bytes: number])[] = [
  ["tokenizer.json", 2 ** 27], // the largest that are published have a fourth of it
  ["vocab.json", 2 ** 27],
  ["merges.txt", 2 ** 27],
  ["added_tokens.json", 2 ** 27],
  [".csv", 2 ** 29 - 25], // a table of a long run: what a string can hold
  ["", 2 ** 24],
];
const mostBytes = (name: string): number => MOST.find(([end]) => name.endsWith(end))![1];

/** A blob of a hub's cache, to which its snapshots link. */
const BLOB = /[/\\](?:models|datasets)--[^/\\]+[/\\]blobs[/\\](?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Opens a file of `folder`; undefined where it is not there. A folder may come from anywhere: what is read
 * of it may be copied into another one, and reading must end.
 * @throws {Error} where it is no regular file, or a link that leads out of the folder
 */
async function openRegular(folder: FolderSource, name: string): Promise<DenoFile | undefined> {
  const path = pathIn(folder, name);
  const cannot = (what: string): Error =>
    new Error(`Cannot read ${excerpt(path, 500)} as it must be a regular file: it is ${what}`);
  if (await hasLink(folder, name)) {
    const [root, real] = [
      await Deno.realPath(folder.path === "" ? "." : folder.path),
      await ifThere(Deno.realPath(path)),
    ];
    if (real === undefined) return undefined;
    const inside = /[/\\]$/.test(root) ? root : root + (root.includes("\\") ? "\\" : "/");
    if (!real.startsWith(inside) && !BLOB.test(real)) {
      throw cannot("a link that leads out of its folder; put the file itself there");
    }
  }
  const found = await ifThere(Deno.stat(path)); // before it is opened: a pipe would wait for a writer
  if (!found) return undefined;
  if (!found.isFile) throw cannot(found.isDirectory ? "a folder" : "a device, pipe or socket");
  const file = await ifThere(Deno.open(path));
  if (!file) return undefined;
  try {
    return new DenoFile(file, (await file.stat()).size);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether a part of the path inside the folder is a symbolic link. */
async function hasLink(folder: FolderSource, name: string): Promise<boolean> {
  const parts = name.split(/[/\\]/);
  for (const [i] of parts.entries()) {
    const path = pathIn(folder, parts.slice(0, i + 1).join("/"));
    if ((await ifThere(Deno.lstat(path)))?.isSymlink) return true;
  }
  return false;
}

/** A file that is open. */
export class DenoFile implements RangeFile {
  constructor(readonly file: Deno.FsFile, readonly size: number) {}

  /** All of it, `most` bytes at most: a live run adds to its files while others read them. */
  async text(path: string, most: number): Promise<string> {
    let bytes = new Uint8Array(Math.min(this.size, most) + 1);
    let got = await this.read(bytes, 0);
    while (got === bytes.length && got <= most) {
      const grown = new Uint8Array(Math.min(2 * got, most) + 1);
      grown.set(bytes);
      bytes = grown;
      got += await this.read(bytes.subarray(got), got);
    }
    if (got <= most) {
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, got));
    }
    throw new Error(
      `Cannot read ${excerpt(path, 500)} as it may have ${most} bytes: it has ${
        Math.max(this.size, got)
      } or more`,
    );
  }

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
