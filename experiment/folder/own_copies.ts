/** Copies of the files of a user's own that a run is made of: they may change after it. @module */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { type Disk, replaceFile } from "../../model/files/disk.ts";
import type { OwnFile, RunFiles } from "../observer.ts";
import { listFolder, makeIfAbsent, writeError } from "./files.ts";

/** A file of a user's own; `copy` is a path in the run's folder. */
export interface KeptFile extends OwnFile {
  copy: string;
}

/** What `config.json` says of such files. */
export interface KeptFiles {
  task?: KeptFile;
  rewards?: KeptFile[];
}

const FOLDER = "own";

/**
 * Copies the files into the run's folder, below `own`, beside what is there. One that `before` has as it is
 * now keeps its copy.
 * @throws {Error} where one is no longer what the run was opened with
 * @throws {WriteError} where they cannot be written
 */
export async function keepFiles(
  folder: string,
  files: RunFiles,
  { io, before = {} }: { io: Disk; before?: KeptFiles },
): Promise<KeptFiles> {
  const place = join(folder, FOLDER), known = [before.task ?? [], before.rewards ?? []].flat();
  await makeIfAbsent(place, io).catch((error) => {
    throw writeError(place, error);
  });
  const taken = new Set((await listFolder(place)).map((name) => name.toLowerCase()));
  const keep = async (file: OwnFile): Promise<KeptFile> => {
    const same = known.find(({ path, sha256 }) => path === file.path && sha256 === file.sha256);
    if (same) return same;
    const name = freeName(basename(file.path), taken), copy = join(folder, FOLDER, name);
    const bytes = await Deno.readFile(file.path);
    if (createHash("sha256").update(bytes).digest("hex") !== file.sha256) {
      throw new Error(
        `Cannot begin a run with ${file.path} as it changed while it was opened: start again`,
      );
    }
    await replaceFile(copy, [bytes], io).catch((error) => {
      throw writeError(copy, error);
    });
    return { ...file, copy: `${FOLDER}/${name}` };
  };
  const kept: KeptFiles = {};
  if (files.task) kept.task = await keep(files.task);
  for (const file of files.rewards ?? []) (kept.rewards ??= []).push(await keep(file));
  return kept;
}

/** The name, with a number before it where another file has it. */
function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let i = 2; taken.has(free.toLowerCase()); i++) free = `${i}-${name}`;
  taken.add(free.toLowerCase());
  return free;
}
