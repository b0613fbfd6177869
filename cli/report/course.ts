/** What was changed on a run's way, and why it ended where it was cut short. @module */
import { endOf } from "../../experiment/folder/history.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";

/** Sentences, and the line that continues the run where it was cut short. */
export interface RunCourse {
  sentences: string[];
  next?: string;
  /** The line mends what went wrong. */
  diverged?: boolean;
}

/** The course of a run by its history; nothing of a run that went from its start to its end. */
export function courseOf({ history = [], summary }: RunData): RunCourse {
  const sentences = history.flatMap((event) => {
    if (event.kind !== "resumed") return [];
    const all = Object.entries(event.changed)
      .map(([key, [before, after]]) => `${key} ${after}, not ${before}`);
    return all.length === 0 ? [] : [`From step ${event.step + 1} on: ${all.join("; ")}.`];
  });
  const end = summary ? undefined : endOf(history);
  if (!end) return { sentences };
  const when = `${end.kind === "diverged" ? "It diverged" : "It ended"} after step ${end.step}: `;
  sentences.push(when + end.cause.replace(/\.?$/, "."));
  if (end.kind === "diverged" && end.from !== undefined) {
    sentences.push(`The last good checkpoint is that of step ${end.from}.`);
  }
  return { sentences, next: end.next, diverged: end.kind === "diverged" };
}
