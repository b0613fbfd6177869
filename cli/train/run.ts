/** One run of `train`: its folder, its progress, Ctrl-C, and what is said at its end. @module */
import { checkpointFolder, readRun } from "../../experiment/folder/run_data.ts";
import { EventLog, removeLogs } from "../../experiment/folder/event_log.ts";
import type { Changes } from "../../experiment/folder/history.ts";
import type { RunLock } from "../../experiment/folder/lock.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { hostsIn, trainCommand } from "../../experiment/servers.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import type { RunObserver } from "../../experiment/observer.ts";
import { withFacts } from "../command.ts";
import type { TrainFlags, TrainParts } from "../commands/train.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { Progress } from "../progress.ts";
import { drawRun } from "../report/draw.ts";
import { closing } from "../report/table.ts";
import { jsonLine, printable } from "../printable.ts";
import { consoleLosses, quoted, type Terminal } from "../terminal.ts";
import { stopForUncaught } from "../uncaught.ts";
import { wrap } from "../wrap.ts";
import { endingOf } from "./ending.ts";
import { commandOf, type RunRequest } from "./request.ts";

/** What is run, and where its folder goes. */
export interface Training {
  request: RunRequest;
  /** The run that is continued, the step of its checkpoint, what is changed of it, and the right to write it. */
  resume?: { folder: string; step: number; asked: Changes; lock?: RunLock };
  /** What people should know before it begins. */
  notices?: readonly string[];
  flags: Pick<TrainFlags, "out" | "quiet" | "json">;
  /** Trains. */
  train: TrainParts["train"];
  listen?: TrainParts["listen"];
  follow?: TrainParts["follow"];
  /** ms in which it must have stopped once something was thrown beside it. Default: half a minute. */
  patience?: number;
}

/**
 * Trains; gives the exit code.
 * @throws what `train` throws, but for an interruption that was saved
 * @throws {UncaughtError} where something is thrown beside the run that nothing catches
 */
export async function runTraining(
  { request, resume, notices = [], flags, train, ...told }: Training,
  terminal: Terminal,
): Promise<number> {
  const { listen = listenForInterrupt, follow, patience } = told;
  const command = commandOf(request);
  const folder = new RunFolder({
    out: flags.out,
    resume,
    command,
    request: { ...request, resume: undefined },
    draw: drawRun,
  });
  const log = request.log === "tensorboard"
    ? new EventLog({ folder: () => folder.folder, spell: printable })
    : undefined;
  for (const line of notices) terminal.err(line);
  const progress = flags.quiet ? undefined : new Progress(terminal, () => folder.folder);
  const say = (line: string) => progress ? progress.say(line) : terminal.err(line);
  const above = { err: (text: string) => wrap(text, terminal.columns).forEach(say) };
  using interrupt = listen(above, () => stoppingWords(folder, resume !== undefined));
  using uncaught = stopForUncaught(above, patience);
  const signal = AbortSignal.any([interrupt.signal, uncaught.signal]);
  try {
    if (resume && !log) await removeLogs(resume.folder); // they have steps that the run will leave
    const training = train(request, watch(folder, { progress, log, follow }), signal);
    const summary = await Promise.race([training, uncaught.overdue]);
    if (uncaught.signal.aborted) terminal.err(`note: ${uncaught.signal.reason.message}`);
    const run = await readRun(folder.folder, { isWhole: false }); // it was written just now
    const lines = closing(run, terminal);
    for (const line of lines) flags.json ? terminal.err(line) : terminal.out(line);
    if (flags.json) terminal.out(jsonLine({ ...summary, ...await placesOf(folder) }));
    return 0;
  } catch (error) {
    progress?.close();
    const stopped = interrupt.signal.aborted && error === interrupt.signal.reason;
    const { event, lines } = await endingOf(error, stopped, {
      folder: folder.folder,
      resumed: resume?.folder,
      saved: folder.saved,
      done: folder.done,
      good: folder.good,
      command: withOut(command, folder, flags),
      train: trainCommand(hostsIn(request.settings)),
    });
    // What follows must not hide the error itself, e.g. a full disk.
    await log?.close().catch(() => {});
    await folder.close(event).catch(() => {});
    for (const line of lines) terminal.err(line);
    if (!stopped) throw withFacts(error, await placesOf(folder));
    const where = folder.saved === undefined
      ? "before a checkpoint"
      : `at step ${folder.saved}, saved`;
    const said = { code: INTERRUPTED, message: `stopped ${where}` };
    if (flags.json) terminal.out(jsonLine({ error: said, ...await placesOf(folder) }));
    return INTERRUPTED;
  }
}

/** When a run stops that is told to. */
function stoppingWords({ folder, saved }: RunFolder, isResumed: boolean): string {
  if (folder === "") return `before the run ${isResumed ? "goes on" : "begins"}`;
  if (saved !== undefined) return "after this step";
  return "before the first step, when what was answered before training is saved";
}

/** The line that starts it again; in the folder that was asked for, where that is still free. */
const withOut = (command: string, { folder }: RunFolder, { out }: Training["flags"]): string =>
  folder === "" && out !== undefined ? `${command} --out ${quoted(out)}` : command;

/** Where a run lies, for `--json`: `weights` is a folder for --model, of the last checkpoint. */
async function placesOf({ folder, saved }: RunFolder): Promise<Record<string, string>> {
  if (folder === "") return {};
  const report = `${folder}/report.html`;
  return {
    folder,
    ...(await kindOf(report) === "file" && { report }),
    ...(saved !== undefined && { weights: checkpointFolder(folder, saved) }),
  };
}

/** Who is told of a run beside its folder. */
interface Watchers {
  progress?: Progress;
  log?: EventLog;
  follow?: TrainParts["follow"];
}

/** The folder first, so that what the terminal speaks of is on disk; its log before it has ended. */
export function watch(
  folder: RunObserver & Pick<RunFolder, "note" | "saved">,
  { progress, log, follow }: Watchers = {},
): RunObserver {
  let noted = false, steps = 0;
  return {
    async start(info) {
      await folder.start(info);
      await log?.start();
      progress?.start(info);
      steps = info.steps;
      follow?.(folder.saved ?? 0, steps);
    },
    notice: (text) => progress?.notice(text),
    async step(report) {
      await folder.step(report);
      await log?.step(report);
      progress?.step(report);
      follow?.(report.step, steps);
      if (consoleLosses.err !== undefined && !noted) {
        noted = true;
        await folder.note({ kind: "console", cause: consoleLosses.err });
      }
      // A policy on the CPU never waits; without a turn of the event loop Ctrl-C would not arrive.
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
    async evaluation(phase, completions, report) {
      await folder.evaluation(phase, completions, report);
      await log?.evaluation(phase, completions, report);
      progress?.evaluation(phase, completions, report);
    },
    async players(players) {
      await folder.players?.(players);
      progress?.players(players);
    },
    checkpoint: (step, write, best) => folder.checkpoint(step, write, best),
    async end(summary) {
      progress?.close();
      await log?.end();
      await folder.end(summary);
    },
  };
}
