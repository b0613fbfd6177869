/** Reads a file of data for a task: a path, or a file of a data set in the hub's cache. @module */
import { join } from "node:path";
import { excerpt, firstOf } from "../../base/excerpt.ts";
import { ifThere, kindOf, readIfThere } from "../../model/files/deno_folder.ts";
import { isHubId } from "../../model/hub/names.ts";
import { cacheFolder } from "../../model/hub/settings.ts";
import type { DataFile, TaskContext } from "../../tasks/task.ts";
import { lookedIn } from "./named_model.ts";

const DATA = /\.(?:csv|tsv|json|jsonl|parquet|txt)$/i;

/** What a task may ask for here: in a browser's tab there are no files. */
export const taskContext = (): TaskContext => "Deno" in globalThis ? { readData } : {};

/**
 * The file at a path; else of the data set OWNER/NAME in the hub's cache, as Python's libraries keep it: the
 * file OWNER/NAME/PATH, or the only file of data where no path is given.
 * @throws {Error} where it is not there, or a data set has several files and none is named
 */
export async function readData(name: string): Promise<DataFile> {
  const kind = await kindOf(name);
  if (kind === "file") return { name, bytes: await Deno.readFile(name) };
  const [owner, set, ...rest] = name.split("/");
  const cannot = (why: string) =>
    new Error(
      `Cannot read the data ${
        excerpt(name)
      } as it must be a file, or OWNER/NAME of a data set: ${why}`,
    );
  if (kind === "folder") throw cannot("it is a folder; name a file in it");
  if (set === undefined || !isHubId(`${owner}/${set}`)) {
    throw cannot(`there is none${lookedIn(name)}`);
  }
  const home = join(cacheFolder(), `datasets--${owner}--${set}`);
  const commit = (await readIfThere(join(home, "refs/main")))?.trim();
  const snapshot = join(home, "snapshots", commit ?? "");
  if (commit === undefined || await kindOf(snapshot) !== "folder") {
    throw cannot(
      `there is no such file${lookedIn(name)}, and the hub's cache does not have it as ${home}. ` +
        "Name the file of data that you have",
    );
  }
  if (rest.length > 0) {
    const bytes = await ifThere(Deno.readFile(join(snapshot, ...rest)));
    if (bytes) return { name, bytes };
  }
  const files = (await filesIn(snapshot)).filter((path) => DATA.test(path));
  const all = firstOf(files, { apart: ", " }) || "none";
  if (rest.length > 0) throw cannot(`${owner}/${set} has no ${rest.join("/")}: it has ${all}`);
  if (files.length !== 1) {
    throw cannot(`it must be told which of its files: ${all}; name ${name}/FILE`);
  }
  return { name: `${name}/${files[0]}`, bytes: await Deno.readFile(join(snapshot, files[0])) };
}

/** Paths of all files in a folder, links to files among them, in order. */
async function filesIn(folder: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    if (isDirectory) found.push(...await filesIn(folder, path));
    else found.push(path);
  }
  return found.sort();
}
