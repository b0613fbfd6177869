/** Whether a run that lies where one of a sweep belongs is that one. @module */
import type { RunConfig } from "../../experiment/folder/run_data.ts";
import type { SweepCell } from "../../experiment/folder/sweep_file.ts";
import { settingsIn } from "./grid.ts";

/** Flags that say what a run is, and stand in its request under the same names. */
const NAMED = ["algorithm", "model", "preset", "seed"];

/** Paths are kept as the run resolved them. */
const isPath = (text: string): boolean => /[./\\]/.test(text) && Number.isNaN(Number(text));

const same = (given: string, kept: unknown): boolean =>
  given === String(kept) || isPath(given) || (given.trim() !== "" && Number(given) === kept);

/**
 * What of the run is otherwise than the cell asks, `seed 2 in place of 1`; undefined where nothing is. Flags are
 * compared where the cell names them. Steps are not, as they may have grown since, nor are rewards and paths.
 */
export function foreignIn(
  { words }: Pick<SweepCell, "words">,
  { request }: Pick<RunConfig, "request">,
): string | undefined {
  const { settings = {} } = request as { settings?: Record<string, unknown> };
  const given = settingsIn(words), differs: string[] = [];
  const compare = (name: string, asked: string, kept: unknown) => {
    if (!same(asked, kept)) differs.push(`${name} ${kept ?? "not given"} in place of ${asked}`);
  };
  compare(
    "task",
    words.find((word) => !word.includes("=") && !word.startsWith("-"))!,
    request.task,
  );
  for (const name of NAMED) {
    const at = words.indexOf(`--${name}`);
    if (at >= 0) compare(name, words[at + 1], request[name]);
  }
  for (const [name, asked] of given) compare(name, asked, settings[name]);
  for (const [name, kept] of Object.entries(settings)) {
    if (!given.has(name)) differs.push(`${name} ${kept} in place of the usual`);
  }
  return differs[0];
}
