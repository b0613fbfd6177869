/** Which run `train --resume` continues. @module */
import { join } from "node:path";
import { didYouMean } from "../../base/names.ts";
import { listFolder, listFolders } from "../../experiment/folder/files.ts";
import { type Changes, endOf } from "../../experiment/folder/history.ts";
import {
  type ChangedFile,
  changedFiles,
  filesAt,
  type FilesOfRun,
} from "../../experiment/folder/own_changes.ts";
import { LinkError } from "../../experiment/folder/links.ts";
import { LockedError, type RunLock } from "../../experiment/folder/lock.ts";
import { lookedIn } from "../../experiment/folder/named_model.ts";
import { refuseOwnCode } from "../../experiment/folder/own_code.ts";
import {
  findResumable,
  NotResumableError,
  type Resumable,
  unfinishedRuns,
} from "../../experiment/folder/resumable.ts";
import { readRun, type RunData } from "../../experiment/folder/run_data.ts";
import { hostsIn, trainCommand } from "../../experiment/servers.ts";
import { faultOf, requestSchema } from "../../experiment/folder/schemas.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { TrainFlags } from "../commands/train.ts";
import { quoted } from "../terminal.ts";
import { allChanges, changed, changesAsked, changeWords, scheduleNotice } from "./changes.ts";
import { acceptedNotice, changedFilesError, keptOf } from "./changed_files.ts";
import type { Ready } from "./ready.ts";
import { type Catalogue, known, type RunRequest } from "./request.ts";

/** A run to continue. */
export interface Resumed {
  request: RunRequest;
  /** `asked` is all that differs from the run's first request. */
  resume: { folder: string; step: number; asked: Changes; lock: RunLock };
  /** What people should know before it continues. */
  notices: string[];
}

/** A run that can be continued, as it is and as it will be. */
interface Found extends Resumable {
  run: RunData;
  /** All that differs from its first request. */
  asked: Changes;
  /** Names of what its checkpoint has otherwise. */
  names: string[];
  /** Its files that are not as they were at the checkpoint. */
  files: ChangedFile[];
}

/** What a command line asks of the run, whichever it is. */
interface Asked {
  now: Changes;
  /** Whether files may be others than they were. */
  accept: boolean;
  /** What follows `--resume RUN` to ask the same again, a space before each word. */
  words: string;
}

/** Finds the run to continue, and its newest good checkpoint, with what is changed of it. */
export async function resumed(
  parsed: Parsed<TrainFlags>,
  catalogue: Catalogue,
  ready?: Ready,
): Promise<Resumed> {
  const now = changesAsked(parsed), notices: string[] = [];
  const { flags: { resume: named, memory, device }, positional: [word], given } = parsed;
  const asking = { now, accept: parsed.flags["accept-changed-files"], words: wordsOf(parsed, now) };
  const task = ready?.opened?.task.name ?? word; // a file's task has a name too
  if (ready === undefined && task !== undefined) known("task", task, catalogue.tasks);
  const found = named // "" where the flag stood alone
    ? await theRun(join(named, "."), asking) // without a slash at its end
    : await newestUnfinished({ task, word, asking, notices }, catalogue);
  const { folder, config, checkpoint, step, lock, passedOver, run, asked, names, files } = found;
  if (now.steps !== undefined && now.steps < step) {
    found[Symbol.dispose]();
    throw new UsageError(
      `Cannot end ${folder} at step ${now.steps} as it has ${step} steps: give --steps above that`,
    );
  }
  for (const { folder, why } of passedOver) notices.push(`passed over ${folder}: ${why}`);
  const words = changeWords(now);
  notices.push(
    ...found.notices,
    ...(asking.accept ? [acceptedNotice(files, step)] : []),
    `continuing ${folder} from step ${step}${words && `, from there on with${words}`}`,
  );
  const { steps: from } = run.config, to = now.steps ?? from;
  const schedules = scheduleNotice({ ...run.config.config, ...now.settings }, { from, to, step });
  if (schedules !== undefined) notices.push(schedules);
  const again = changed(config.request as unknown as RunRequest, asked);
  const tookOther = run.history?.some((event) => event.kind === "resumed" && event.files);
  const commits = commitsOf(filesAt(run.config, run.history ?? [], step));
  const request = {
    ...again,
    ...((files.length > 0 || tookOther) && keptOf(run, again)),
    ...(commits && { dataCommits: commits }),
    ...(memory !== undefined && { memory }),
    ...(given.includes("device") && { device }),
    changed: [
      ...names,
      ...(given.includes("device") ? ["device"] : []),
      ...(files.length > 0 ? ["files"] : []),
    ],
    resume: { checkpoint, step },
  };
  return { request, resume: { folder, step, asked, lock }, notices };
}

/** The line that continues a run, but for what it changes. */
export function resumeCommand(
  { folder, config: { request } }: Pick<RunData, "folder" | "config">,
): string {
  const settings = { ...(request.settings as object | undefined) }; // nobody has checked it yet
  return `${trainCommand(hostsIn(settings))} --resume ${quoted(folder)}`;
}

/** All that was asked for beside the run. */
function wordsOf({ given, flags }: Parsed<TrainFlags>, now: Changes): string {
  const { memory, device } = flags;
  return changeWords(now) + (memory === undefined ? "" : ` --memory ${memory}`) +
    (given.includes("device") ? ` --device ${device}` : "");
}

/** The commits that a run's data is of, by data set; undefined where it read none of the hub. */
function commitsOf({ dataFiles = [] }: FilesOfRun): Record<string, string> | undefined {
  const pairs = dataFiles.flatMap(({ set, commit }) => set && commit ? [[set, commit]] : []);
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

/**
 * @throws {UsageError} where the run has ended, and nothing is asked for that would take it further
 * @throws {RunFolderError} where that is so, and it was damaged since: that is the news of it
 */
async function checkFinished(run: RunData, now: Changes): Promise<void> {
  const why = whyNoFurther(run, now);
  if (why === undefined) return;
  await readRun(run.folder);
  throw new UsageError(why);
}

function whyNoFurther(
  { folder, summary, config }: RunData,
  { steps, patience }: Changes,
): string | undefined {
  if (!summary) return undefined;
  const { stoppedAfter } = summary, end = steps ?? (stoppedAfter ? config.steps : 0);
  const train = resumeCommand({ folder, config });
  const isSame = patience === undefined || (patience > 0 && patience <= (stoppedAfter ?? 0));
  if (stoppedAfter !== undefined && isSame) {
    return `Cannot resume ${folder} with the same patience as it ended early, at step ${summary.steps}: ` +
      `its last ${stoppedAfter} evaluations were no better than that of step ${summary.best?.step}. ` +
      `Go on all the same: ${train} --patience 0`;
  }
  if (end > summary.steps) return undefined;
  return `Cannot resume ${folder} as the run is finished: it has its ${summary.steps} steps. Extend it: ` +
    `${train} --steps ${2 * summary.steps}`;
}

/** @throws {UsageError} where no request can be made of what the run's config.json keeps */
function checkRequest({ folder, config: { request } }: RunData): void {
  const fault = faultOf(requestSchema, request);
  if (fault === undefined) return;
  throw new UsageError(
    `Cannot resume ${folder} as the request in its config.json must be as the run wrote it: ` +
      `${fault}. Put it back`,
  );
}

/** @throws {Error} marked as usage, where the run's task or a reward is a module in the run's folder */
async function checkModules({ folder, config: { request } }: RunData): Promise<void> {
  const { task, rewards = [] } = request as Pick<RunRequest, "task" | "rewards">;
  const cure = "start a new run with that";
  await refuseOwnCode(folder, [task, ...rewards.map(({ name }) => name)], {
    action: "resume",
    cure,
  });
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

/** @throws {UsageError} where the run cannot be continued so */
async function theRun(folder: string, { now, accept, words }: Asked): Promise<Found> {
  if ((await listFolder(folder).catch(() => [])).length === 0) {
    const runs = (await listFolders("runs")).map((name) => join("runs", name));
    throw new UsageError(
      `no run folder "${folder}"${lookedIn(folder)}.${didYouMean(folder, runs)}`,
    );
  }
  // Which of its checkpoints is good, and has its rows, is asked of each below.
  const run = await readRun(folder, { isWhole: false });
  await checkFinished(run, now);
  const upTo = goodSteps(run, now), asked = allChanges(run, now);
  try {
    using held = new DisposableStack();
    const found = held.use(await findResumable(folder, { finished: true, upTo }));
    checkRequest(run);
    await checkModules(run);
    const { step } = found, files = await changedFiles(run, step);
    const refused = files.filter(({ isAccepted }) => !isAccepted);
    if (refused.some(({ isGone }) => isGone || !accept)) {
      const line = resumeCommand(run) + words;
      throw await changedFilesError(refused, { folder, step, line });
    }
    const { step: since = 0 } = (run.history ?? []).findLast(({ kind }) => kind === "resumed") ??
      {};
    // What an earlier resume changed, the checkpoints after it were saved with.
    const { steps, settings } = step > since ? now : asked;
    const names = [...Object.keys(settings), ...(steps === undefined ? [] : ["totalSteps"])];
    held.move();
    return { ...found, run, asked, names, files };
  } catch (error) {
    throw isRefusal(error) ? new UsageError(error.message) : error;
  }
}

const isRefusal = (error: unknown): error is Error =>
  [NotResumableError, LockedError, LinkError].some((kind) => error instanceof kind);

/** The run written last that can be continued; adds to `notices` why newer ones are not taken. */
async function newestUnfinished(
  { task, word, asking, notices }: {
    task: string | undefined;
    /** The task as it was named: a path where it is in a file. */
    word: string | undefined;
    asking: Asked;
    notices: string[];
  },
  { tasks }: Catalogue,
): Promise<Found> {
  for (const { folder, task: of } of await unfinishedRuns("runs")) {
    if (task !== undefined && of !== undefined && of !== task) continue;
    try {
      return await theRun(folder, asking);
    } catch (error) {
      notices.push(`passed over ${folder}: ${(error as Error).message}`);
    }
  }
  const of = task === undefined ? "" : ` of ${task}`;
  const why = notices.length === 0 ? "" : `: ${notices.join("; ")}`;
  throw new UsageError(
    `no unfinished run${of} in runs that can be continued${why}. ` +
      `Start one: deno task train ${quoted(word ?? tasks[0].name)}`,
  );
}
