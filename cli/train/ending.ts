/** What is said, and kept in the folder, of a run that was cut short. @module */
import type { RunEventBody } from "../../experiment/folder/history.ts";
import { checkpointSteps } from "../../experiment/folder/run_data.ts";
import { DivergedError } from "../../rl/diverged.ts";
import { quoted } from "../terminal.ts";

/** The run as far as it came. */
export interface CutRun {
  /** Its folder; "" where there is none yet. */
  folder: string;
  /** The folder of the run that it should have continued, where it is one. */
  resumed: string | undefined;
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

/** Characters of a sentence beside which there is room for a command. */
const SHORT = 40;

/** The end of a run by `error`, or by whoever asked it to stop. */
export async function endingOf(error: unknown, stopped: boolean, run: CutRun): Promise<Ending> {
  const { folder, resumed, saved, command, train } = run;
  if (error instanceof DivergedError) return await divergence(error, run);
  const event: RunEventBody = stopped
    ? { kind: "stopped", cause: "it was interrupted" }
    : { kind: "failed", cause: error instanceof Error ? error.message : String(error) };
  const isNew = folder === "" ? resumed === undefined : saved === undefined;
  const next = isNew ? command : `${train} --resume ${quoted(folder || resumed!)}`;
  const words = stopped ? stoppedWords(run) : folder === "" ? undefined : failedWords(run);
  return {
    event: { ...event, ...(saved !== undefined && { from: saved }), next },
    lines: words === undefined
      ? []
      : linesOf(words, `${isNew ? "Start again" : "Continue"}:  ${next}`),
  };
}

/** A sentence and a command, in a line where that is short. */
const linesOf = (words: string, command: string): string[] =>
  words.length > SHORT ? [words, command] : [`${words}.  ${command}`];

/** That a run was stopped, and what is kept of it: before its first step nothing can be lost. */
function stoppedWords({ folder, resumed, saved }: CutRun): string {
  if (saved !== undefined && saved > 0) return `stopped at step ${saved}`;
  if (folder === "") {
    return resumed === undefined
      ? "stopped before the run began: nothing was written, and nothing is lost"
      : `stopped before the run went on: nothing is lost, ${resumed} is as it was`;
  }
  return saved === undefined
    ? `stopped before the first step: nothing was learned, and nothing is lost; ${folder} keeps no checkpoint`
    : `stopped before the first step: nothing is lost, and ${folder} keeps what was measured before training`;
}

const failedWords = ({ saved }: CutRun): string =>
  saved === undefined ? "failed; there is no checkpoint yet" : `saved up to step ${saved}`;

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
