/** What a name stands for where a policy is asked for: a run, a checkpoint of one, or a model. @module */
import { basename, join } from "node:path";
import { asUsage } from "../../base/usage.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { bestStep, isRun, namedModel, namedRun } from "./named_model.ts";
import { checkpointFolder, checkpointSteps, readRunConfig } from "./run_data.ts";

/** The weights that a name means. */
export interface NamedCheckpoint {
  /** A name for `modelFolder`. */
  model: string;
  /** Name for a folder. */
  name: string;
  /** The run's folder, and its checkpoint; absent where it is a model. */
  run?: { folder: string; step: number; which: WhichCheckpoint };
}

/** Why it is this one: the run alone stands for its last, RUN@best for its best; "named": it was asked for. */
export type WhichCheckpoint = "last" | "best" | "named";

/**
 * A run, which stands for its last checkpoint or that of `step`, RUN@best, a checkpoint's folder, or a model.
 * @param action what errors say cannot be done: "export"
 * @throws {Error} marked as usage, where nothing is there, or not what is asked for of it
 * @throws {RunFolderError} where the run's config.json is not what a run writes
 */
export async function namedCheckpoint(
  asked: string,
  { step, action }: { step?: number; action: string },
): Promise<NamedCheckpoint> {
  const path = join(asked, "."); // without a slash at its end
  const no = (why: string) =>
    asUsage(new Error(`Cannot ${action} step ${step} of ${path} as ${why}`));
  const within = /^(.+)\/checkpoints\/step-(\d+)$/.exec(path);
  if (within && await isRun(within[1])) {
    const its = Number(within[2]);
    if (step === undefined || step === its) return await ofRun(within[1], { step: its, action });
    throw no(`it is step ${its}`);
  }
  const run = await namedRun(path);
  if (run?.which === "best") {
    const best = await bestStep(run.folder);
    if (step === undefined || step === best) {
      return await ofRun(run.folder, { step: best, action, which: "best" });
    }
    throw no(`its best is step ${best}`);
  }
  if (run) return await ofRun(path, { step, action });
  if (await kindOf(join(path, "metrics.csv")).catch(() => undefined) === "file") {
    await readRunConfig(path); // a run whose config.json is none: it says so
  }
  await namedModel(asked);
  if (step !== undefined) {
    throw asUsage(
      new Error(`Cannot choose a checkpoint of ${asked} as it is a model, not a run`),
    );
  }
  const isFolder = await kindOf(path) === "folder";
  const name = isFolder ? basename(await Deno.realPath(path)) : path.replaceAll("/", "--");
  return { model: asked, name };
}

async function ofRun(
  folder: string,
  { step: asked, action, which = asked === undefined ? "last" : "named" }: {
    step?: number;
    action: string;
    which?: WhichCheckpoint;
  },
): Promise<NamedCheckpoint> {
  await readRunConfig(folder); // says what is wrong with it
  const steps = await checkpointSteps(folder), step = asked ?? steps.at(-1);
  if (step === undefined) {
    throw asUsage(new Error(`Cannot ${action} ${folder} as it has no checkpoint yet`));
  }
  if (!steps.includes(step)) {
    const there = steps.join(", ") || "none";
    throw asUsage(new Error(`no checkpoint of step ${step} in ${folder}.  Steps: ${there}`));
  }
  const name = basename(await Deno.realPath(folder)) + (asked === undefined ? "" : `-step-${step}`);
  return { model: checkpointFolder(folder, step), name, run: { folder, step, which } };
}
