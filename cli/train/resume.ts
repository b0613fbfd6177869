/** Which run `train --resume` continues. @module */
import { join } from "node:path";
import { didYouMean } from "../../base/names.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import { type Changes, endOf } from "../../experiment/folder/history.ts";
import { lookedIn } from "../../experiment/folder/named_model.ts";
import { checkpointSteps, readRun, type RunData } from "../../experiment/folder/run_data.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { TrainFlags } from "../commands/train.ts";
import { quoted } from "../terminal.ts";
import { allChanges, changed, changesAsked, changeWords, scheduleNotice } from "./changes.ts";
import { type Catalogue, known, type RunRequest } from "./request.ts";

/** A run to continue. */
export interface Resumed {
  request: RunRequest;
  /** `asked` is all that differs from the run's first request. */
  resume: { folder: string; step: number; asked: Changes };
  /** What people should know before it continues. */
  notices: string[];
}

/** Finds the run to continue, and the checkpoint to continue from, with what is changed of it. */
export async function resumed(parsed: Parsed<TrainFlags>, catalogue: Catalogue): Promise<Resumed> {
  const now = changesAsked(parsed);
  const { flags: { resume: named, memory }, positional: [task] } = parsed;
  if (task !== undefined) known("task", task, catalogue.tasks);
  const folder = named // "" where the flag stood alone
    ? join(named, ".") // without a slash at its end
    : await newestUnfinished(task, catalogue);
  if ((await listFolder(folder).catch(() => [])).length === 0) {
    throw new UsageError(
      `no run folder "${folder}"${lookedIn(folder)}.${
        didYouMean(folder, (await listFolder("runs")).map((name) => join("runs", name)))
      }`,
    );
  }
  const run = await readRun(folder);
  checkFinished(run, now);
  const limit = goodSteps(run, now);
  const step = (await checkpointSteps(folder)).filter((step) => step <= limit).at(-1);
  if (step === undefined) {
    throw new UsageError(
      `Cannot resume ${folder} as it has no checkpoint yet. Start again: ${run.config.command}`,
    );
  }
  if (now.steps !== undefined && now.steps < step) {
    throw new UsageError(
      `Cannot end ${folder} at step ${now.steps} as it has ${step} steps: give --steps above that`,
    );
  }
  const asked = allChanges(run.history ?? [], now);
  const request = {
    ...changed(run.config.request as unknown as RunRequest, asked),
    ...(memory !== undefined && { memory }),
    resume: { checkpoint: join(folder, "checkpoints", `step-${step}`), step },
  };
  const schedules = scheduleNotice({ ...run.config.config, ...now.settings }, {
    from: run.config.steps,
    to: now.steps ?? run.config.steps,
    step,
  });
  const words = changeWords(now);
  const notices = [
    `continuing ${folder} from step ${step}${words && `, from there on with${words}`}`,
    ...(schedules === undefined ? [] : [schedules]),
  ];
  return { request, resume: { folder, step, asked }, notices };
}

/** @throws {UsageError} where the run has all its steps, and no more are asked for */
function checkFinished({ folder, summary }: RunData, { steps = 0 }: Changes): void {
  if (!summary || steps > summary.steps) return;
  throw new UsageError(
    `Cannot resume ${folder} as the run is finished: it has its ${summary.steps} steps. Extend it: ` +
      `deno task train --resume ${quoted(folder)} --steps ${2 * summary.steps}`,
  );
}

/**
 * Checkpoints up to this step are good: after a divergence the last before it.
 * @throws {UsageError} where the run diverged and would again, as nothing is changed
 */
function goodSteps({ folder, history = [] }: RunData, { settings }: Changes): number {
  const end = endOf(history);
  if (end?.kind !== "diverged") return Infinity;
  if (Object.keys(settings).length === 0) {
    throw new UsageError(
      `Cannot resume ${folder} with the same settings as it diverged, and would again. ` +
        `Change one:  ${end.next}`,
    );
  }
  return end.from ?? Infinity;
}

async function newestUnfinished(
  task: string | undefined,
  { tasks }: Catalogue,
): Promise<string> {
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
    const of = task === undefined ? "" : ` of ${task}`;
    throw new UsageError(
      `no unfinished run${of} with a checkpoint in runs. ` +
        `Start one: deno task train ${task ?? tasks[0].name}`,
    );
  }
  return newest;
}
