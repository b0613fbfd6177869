/** Makes the folder of a new run. @module */
import about from "../../deno.json" with { type: "json" };
import { taskNameOf } from "../../base/own_file.ts";
import type { RunConfig } from "./run_data.ts";
import { basename, dirname, join } from "node:path";
import type { Disk } from "../../model/files/disk.ts";
import type { RunInfo } from "../observer.ts";
import { makeIfAbsent, makeParents, writeError } from "./files.ts";
import { requireRunFolder } from "./links.ts";

/**
 * Makes the folder `out`, or one under `runs` named by the run and the time; gives its path.
 * @throws {WriteError} where `out` is not empty, or a folder cannot be made
 * @throws {LinkError} where a link leads out of the run's place
 */
export async function makeRunFolder(
  { task, algorithm, seed }: Pick<RunInfo, "task" | "algorithm" | "seed">,
  { out, io }: { out?: string; io: Disk },
): Promise<string> {
  const make = async <T>(how: (path: string, io: Disk) => Promise<T>, path: string): Promise<T> => {
    try {
      return await how(path, io);
    } catch (error) {
      throw writeError(path, error);
    }
  };
  if (out !== undefined) {
    const folder = join(dirname(out), basename(out));
    await requireRunFolder(folder);
    await make(makeParents, dirname(folder));
    const isNew = await make(makeIfAbsent, folder);
    if (isNew || (await Array.fromAsync(Deno.readDir(folder))).length === 0) return folder;
    throw writeError(
      folder,
      new Error(`it is not empty. Choose another with --out, or continue: --resume ${folder}`),
    );
  }
  await make(makeIfAbsent, "runs");
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  const name = `runs/${nameIn(task)}-${algorithm}-${seed}-${time}`;
  for (let i = 1;; i++) {
    const path = i === 1 ? name : `${name}-${i}`;
    if (await make(makeIfAbsent, path)) return path;
  }
}

/** A task's name as a part of a folder's: one of a program's own may be any text. */
const nameIn = (task: string): string =>
  /^[\p{L}\p{M}\p{N}_-]{1,100}$/u.test(task) ? task : taskNameOf(task).slice(0, 100).toWellFormed();

/** What `config.json` of a run holds that begins now. */
export function newConfig(
  info: RunInfo,
  { command, request, ownFiles }: Pick<RunConfig, "command" | "request" | "ownFiles">,
): RunConfig {
  return {
    id: crypto.randomUUID(),
    task: info.task,
    algorithm: info.algorithm,
    rewards: info.rewards,
    weights: info.weights,
    model: info.model,
    source: info.source,
    seed: info.seed,
    steps: info.steps,
    device: info.device,
    command,
    request,
    config: info.config,
    ...(ownFiles && { ownFiles }),
    ...(info.dataFiles && { dataFiles: info.dataFiles }),
    started: new Date().toISOString(),
    versions: {
      plainrl: about.version,
      deno: Deno.version.deno,
      system: `${Deno.build.os} ${Deno.build.arch}`,
    },
  };
}
