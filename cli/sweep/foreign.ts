/** Whether a run that lies where one of a sweep belongs is that one. @module */
import type { RunConfig } from "../../experiment/folder/run_data.ts";
import type { SweepCell } from "../../experiment/folder/sweep_file.ts";

/** Flags that say what a run is, and stand in its request under the same names. */
const NAMED = ["algorithm", "model", "preset", "seed"];

/** Paths are kept as the run resolved them. */
const isPath = (text: string): boolean => /[./\\]/.test(text) && Number.isNaN(Number(text));

const same = (given: string, kept: unknown): boolean =>
  given === String(kept) || isPath(given) || (given.trim() !== "" && Number(given) === kept);

/**
 * What of the run is otherwise than the cell asks, `seed 2 in place of 1`; undefined where nothing is. Steps may
 * have grown since, and rewards are compared by name where the cell names them plainly.
 */
export function foreignIn(
  { words }: Pick<SweepCell, "words">,
  { request }: Pick<RunConfig, "request">,
): string | undefined {
  const { settings = {} } = request as { settings?: Record<string, unknown> };
  const told = (name: string, kept: unknown, asked: unknown) =>
    `${name} ${kept ?? "not given"} in place of ${asked}`;
  const [task] = words.filter((word) => !word.includes("=") && !word.startsWith("-"));
  if (!same(task, request.task)) return told("task", request.task, task);
  const asked = new Map<string, string>();
  words.forEach((word, i) => {
    const flag = /^--([a-z-]+)$/.exec(word)?.[1];
    if (flag !== undefined && NAMED.includes(flag) && !same(words[i + 1], request[flag])) {
      asked.set(flag, words[i + 1]);
    }
  });
  for (const [name, value] of asked) return told(name, request[name], value);
  const given = new Map(
    words.filter((word) => /^\w+=/.test(word)).map((word) => {
      const at = word.indexOf("=");
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
  for (const [name, value] of given) {
    if (!same(value, settings[name])) return told(name, settings[name], value);
  }
  const more = Object.keys(settings).find((name) => !given.has(name));
  return more === undefined ? undefined : told(more, settings[more], "the usual");
}
