/** What a name on the command line stands for: a run, a checkpoint of one, or a model. @module */
import { basename, join } from "node:path";
import { bestStep, isRun, namedModel, namedRun } from "../../experiment/folder/named_model.ts";
import {
  checkpointFolder,
  checkpointSteps,
  readRun,
  type RunData,
} from "../../experiment/folder/run_data.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { UsageError } from "../command.ts";

/** What is exported. */
export interface Subject {
  /** For `exportModel`. */
  model: string;
  /** Name for a folder. */
  name: string;
  run?: { data: RunData; step: number };
}

/** A run, a checkpoint of one, or a model by name. */
export async function findSubject(asked: string, checkpoint: number | undefined): Promise<Subject> {
  const path = join(asked, "."); // without a slash at its end
  const within = /^(.+)\/checkpoints\/step-(\d+)$/.exec(path);
  if (within && await isRun(within[1])) {
    const step = Number(within[2]);
    if (checkpoint === undefined || checkpoint === step) return await ofRun(within[1], step);
    throw new UsageError(`Cannot export step ${checkpoint} of ${path} as it is step ${step}`);
  }
  const run = await namedRun(path);
  if (run?.which === "best") {
    const step = await bestStep(run.folder);
    if (checkpoint === undefined || checkpoint === step) return await ofRun(run.folder, step);
    throw new UsageError(`Cannot export step ${checkpoint} of ${path} as its best is step ${step}`);
  }
  if (run) return await ofRun(path, checkpoint);
  await namedModel(asked);
  if (checkpoint !== undefined) {
    throw new UsageError(`Cannot choose a checkpoint of ${asked} as it is a model, not a run`);
  }
  const isFolder = await kindOf(path) === "folder";
  const name = isFolder ? basename(await Deno.realPath(path)) : path.replaceAll("/", "--");
  return { model: asked, name };
}

async function ofRun(folder: string, asked: number | undefined): Promise<Subject> {
  const data = await readRun(folder);
  const steps = await checkpointSteps(folder);
  const step = asked ?? steps.at(-1);
  if (step === undefined) {
    throw new UsageError(`Cannot export ${folder} as it has no checkpoint yet`);
  }
  if (!steps.includes(step)) {
    throw new UsageError(
      `no checkpoint of step ${step} in ${folder}.  Steps: ${steps.join(", ") || "none"}`,
    );
  }
  const name = basename(await Deno.realPath(folder)) + (asked === undefined ? "" : `-step-${step}`);
  return { model: checkpointFolder(folder, step), name, run: { data, step } };
}
