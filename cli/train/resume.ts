/** Which run `train --resume` continues. @module */
import { join } from "node:path";
import { didYouMean } from "../../base/names.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import { lookedIn } from "../../experiment/folder/named_model.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { TrainFlags } from "../commands/train.ts";
import type { RunRequest } from "./request.ts";

/** Flags that may stand beside --resume. */
const WITH_RESUME = new Set(["resume", "memory", "json", "quiet"]);

/** Finds the run to continue, and its last checkpoint. */
export async function resumed(parsed: Parsed<TrainFlags>): Promise<
  { request: RunRequest; resume: { folder: string; step: number } }
> {
  const refused = [...parsed.given.filter((name) => !WITH_RESUME.has(name)).map((n) => `--${n}`)];
  refused.push(...Object.keys(parsed.settings));
  if (refused.length > 0) {
    throw new UsageError(
      `Cannot change ${refused.join(", ")} on --resume as a run continues as it began; ` +
        "start a new run to change it",
    );
  }
  const { resume, memory } = parsed.flags;
  const folder = resume // "" where the flag stood alone
    ? join(resume, ".") // without a slash at its end
    : await newestUnfinished(parsed.positional[0]);
  if ((await listFolder(folder).catch(() => [])).length === 0) {
    throw new UsageError(
      `no run folder "${folder}"${lookedIn(folder)}.${
        didYouMean(folder, (await listFolder("runs")).map((name) => join("runs", name)))
      }`,
    );
  }
  const run = await readRun(folder);
  if (run.summary) {
    throw new UsageError(`Cannot resume ${folder} as the run is finished: it has a summary.json`);
  }
  const step = (await checkpointSteps(folder)).at(-1);
  if (step === undefined) {
    throw new UsageError(
      `Cannot resume ${folder} as it has no checkpoint yet. Start again: ${run.config.command}`,
    );
  }
  const checkpoint = join(folder, "checkpoints", `step-${step}`);
  const request = {
    ...run.config.request as unknown as RunRequest,
    ...(memory !== undefined && { memory }),
    resume: { checkpoint, step },
  };
  return { request, resume: { folder, step } };
}

async function newestUnfinished(task: string | undefined): Promise<string> {
  let newest: string | undefined, latest = -Infinity;
  for (const name of await listFolder("runs")) {
    const folder = join("runs", name);
    if (task !== undefined && !name.startsWith(`${task}-`)) continue;
    if ((await checkpointSteps(folder)).length === 0) continue;
    if ((await listFolder(folder)).includes("summary.json")) continue;
    const time = (await Deno.stat(join(folder, "checkpoints"))).mtime?.getTime() ?? 0;
    if (time > latest) [newest, latest] = [folder, time];
  }
  if (newest === undefined) {
    throw new UsageError("no unfinished run with a checkpoint in runs. Start one: deno task train");
  }
  return newest;
}
