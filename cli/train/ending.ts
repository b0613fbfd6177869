/** What is said, and kept in the folder, of a run that was cut short. @module */
import type { RunEventBody } from "../../experiment/folder/history.ts";
import { checkpointSteps } from "../../experiment/folder/run_data.ts";
import { DivergedError } from "../../rl/diverged.ts";
import { quoted } from "../terminal.ts";

/** The run as far as it came. */
export interface CutRun {
  /** Its folder; "" where there is none yet. */
  folder: string;
  /** Step of its newest checkpoint. */
  saved: number | undefined;
  /** Steps that are done. */
  done: number;
  /** Those of them that are surely good, where it is known to have gone astray later. */
  good: number | undefined;
  /** The line that starts it again. */
  command: string;
  /** The words before `--resume` that continue it. */
  train: string;
}

/** How it ended, and the lines that say so. */
export interface Ending {
  event: RunEventBody;
  lines: string[];
}

/** The end of a run by `error`, or by whoever asked it to stop. */
export async function endingOf(error: unknown, stopped: boolean, run: CutRun): Promise<Ending> {
  const { folder, saved, command, train } = run;
  if (error instanceof DivergedError) return await divergence(error, run);
  const event: RunEventBody = stopped
    ? { kind: "stopped", cause: "it was interrupted" }
    : { kind: "failed", cause: error instanceof Error ? error.message : String(error) };
  if (saved === undefined) {
    const none = "there is no checkpoint yet";
    return {
      event: { ...event, next: command },
      lines: folder === ""
        ? stopped ? ["stopped before the run began; nothing is left of it"] : []
        : [`${stopped ? "stopped" : "failed"}; ${none}.  Start again:  ${command}`],
    };
  }
  const next = `${train} --resume ${quoted(folder)}`;
  return {
    event: { ...event, from: saved, next },
    lines: [`${stopped ? "stopped at" : "saved up to"} step ${saved}.  Continue:  ${next}`],
  };
}

/** Back to before it went astray, with smaller steps. */
async function divergence(
  { message, learningRate }: DivergedError,
  // Where no step's numbers show it, the last update is at fault, or the one amid which it was seen.
  { folder, done, good = Math.max(0, done - 1), command, train }: CutRun,
): Promise<Ending> {
  const lower = learningRate === undefined ? "" : ` learningRate=${learningRate}`;
  const from = (await checkpointSteps(folder)).filter((step) => step <= good).at(-1);
  const next = from === undefined
    ? `${command}${lower}`
    : `${train} --resume ${quoted(folder)}${lower}`;
  return {
    event: { kind: "diverged", cause: message, from, next },
    lines: [
      `diverged; folder  ${folder}`,
      from === undefined
        ? `no checkpoint is from before that.  Start again:  ${next}`
        : `the last good checkpoint is that of step ${from}.  Continue:  ${next}`,
    ],
  };
}
