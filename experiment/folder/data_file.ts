/** Reads files of data for a task: a path, or those of a data set in the hub's cache. @module */
import { excerpt, firstOf } from "../../base/excerpt.ts";
import { denoFolder, kindOf } from "../../model/files/deno_folder.ts";
import { cachePaths } from "../../model/hub/cache.ts";
import { missingShard } from "../../model/hub/data_files.ts";
import { cachedDataset, MAX_DATA } from "../../model/hub/dataset.ts";
import { HubError } from "../../model/hub/errors.ts";
import { hubName } from "../../model/hub/names.ts";
import type { DataFile, TaskContext } from "../../tasks/task.ts";
import { lookedIn } from "./named_model.ts";

/** Commits by data set, OWNER/NAME[@REVISION] as it is asked for: read in place of what was fetched last. */
export type DataCommits = Readonly<Record<string, string>>;

/** What a task may ask for here: in a browser's tab there are no files. */
export const taskContext = (commits: DataCommits = {}): TaskContext =>
  "Deno" in globalThis
    ? {
      readData: (name) => readData(name, commits),
      readDataFiles: (name) => readDataFiles(name, commits),
    }
    : {};

/**
 * The one file that a name stands for, as `readDataFiles` says.
 * @throws {Error} where those are several, with their names
 */
export async function readData(name: string, commits: DataCommits = {}): Promise<DataFile> {
  const found = await locate(name, commits);
  if (found.length > 1) {
    const all = firstOf(found.map((one) => one.name), { apart: ", " });
    throw cannot(name, `one file is wanted: it is ${all}; name one of them`);
  }
  return await read(found[0]);
}

/**
 * The file at a path; else of the data set OWNER/NAME[@REVISION] in the hub's cache its files for training
 * and, where it has them, those that are held out. OWNER/NAME/WHICH stands for a config, a file, a folder or
 * a pattern of it. No connection is opened.
 * @throws {Error} where it is not there, with the command that fetches it, and where it must be told which
 */
export async function readDataFiles(
  name: string,
  commits: DataCommits = {},
): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (const file of await locate(name, commits)) files.push(await read(file));
  return files;
}

interface Located extends Pick<DataFile, "name" | "split" | "of"> {
  path: string;
  /** Of a data set: what `path` is in, and may not lead out of. */
  folder?: string;
}

async function read({ name, split, of, path, folder }: Located): Promise<DataFile> {
  if (folder === undefined) return { name, bytes: await Deno.readFile(path) };
  using file = await denoFolder(folder).openRange(path);
  if (!file) throw new Error(`Cannot read ${name} as it is gone: fetch it again`);
  const bytes = new Uint8Array(file.size), got = await file.read(bytes, 0);
  return { name, bytes: bytes.subarray(0, got), ...(split && { split }), ...(of && { of }) };
}

const cannot = (name: string, why: string): Error =>
  new Error(
    `Cannot read the data ${
      excerpt(name)
    } as it must be a file, or OWNER/NAME of a data set: ${why}`,
  );

/** A data set with its revision, and what of it; a revision with slashes is refs/KIND/NAME. */
const SET = /^(?<set>[^/@]+(?:\/[^/@]+)?(?:@(?:refs\/[^/]+\/[^/]+|[^/]+))?)(?:\/(?<which>.+))?$/;

async function locate(name: string, commits: DataCommits): Promise<Located[]> {
  const kind = await kindOf(name);
  if (kind === "file") return [{ name, path: name }];
  if (kind === "folder") throw cannot(name, "it is a folder; name a file in it");
  const { set: asked = "", which } = SET.exec(name)?.groups ?? {};
  if (!hubName(asked, "dataset")) throw cannot(name, `there is none${lookedIn(name)}`);
  const commit = Object.hasOwn(commits, asked) ? commits[asked] : undefined;
  const set = commit === undefined ? asked : `${asked.replace(/@.*/, "")}@${commit}`;
  const found = await cachedDataset(set, { which }).catch((error) => {
    if (!(error instanceof HubError)) throw error;
    const end = /[.?]$/.test(error.message) ? "" : ".";
    const cure = error.code === "missing"
      ? `${end} This gets more of it: ${fetching(set, which)}`
      : "";
    throw new Error(error.message + cure, { cause: error });
  });
  if (!found) {
    throw cannot(
      name,
      `there is no such file${lookedIn(name)}, and the hub's cache does not have it as ` +
        `${cachePaths(set, {}, "dataset").home}. This gets it from the hub: ${
          fetching(set, which)
        }`,
    );
  }
  const { data, folder, several, named } = found;
  if (several) {
    throw cannot(
      name,
      `it must be told which of its configs: ${
        firstOf(several, { apart: ", " })
      }; name ${set}/CONFIG`,
    );
  }
  const missing = named ? undefined : missingShard(data);
  if (missing !== undefined) {
    throw cannot(
      name,
      `${missing}; fetch it again (${fetching(set, which)}), or name those that are there: ` +
        `'${set}/${data[0].path.replace(/-\d{5}-of-/, "-*-of-")}'`,
    );
  }
  const files = data.map(({ path, split }) => ({
    ...{ name: `${asked}/${path}`, path, folder, of: { set: asked, commit: found.commit } },
    ...(split && { split }),
  }));
  await checkSize(name, folder, files);
  return files;
}

const fetching = (set: string, which?: string): string =>
  `deno task fetch --dataset ${set}${which === undefined ? "" : ` --files '${which}'`}`;

/** @throws {RangeError} for more than is read into memory at once */
async function checkSize(
  name: string,
  folder: string,
  files: readonly Located[],
): Promise<void> {
  let bytes = 0;
  for (const { path } of files) bytes += (await Deno.stat(`${folder}/${path}`)).size;
  if (bytes <= MAX_DATA) return;
  throw new RangeError(
    `Cannot read the data ${excerpt(name)} as at most ${MAX_DATA} bytes are read: ` +
      `its ${files.length} files have ${bytes}; name one of them, such as ${files[0].name}`,
  );
}
