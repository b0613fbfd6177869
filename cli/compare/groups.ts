/** Runs that differ only in their seed are one line of a comparison. @module */
import { settingKeys } from "./settings.ts";
import type { RunGlance } from "../../experiment/folder/run_state.ts";
import { readMetrics, type RunData } from "../../experiment/folder/run_data.ts";
import { factsOf } from "../runs/find.ts";

/** A run with its metrics. */
export interface Compared extends RunGlance, Readonly<Pick<RunData, "names" | "metrics">> {}

/** Runs that differ only in their seed. */
export interface Group {
  /** A, B, …, in the order of the table. */
  letter: string;
  /** In the order of their seeds. */
  runs: readonly Compared[];
  /** Every setting, but for the seed. */
  settings: Readonly<Record<string, unknown>>;
}

/** Groups, and what people should know of what was left out. */
export interface Grouped {
  groups: Group[];
  /** Settings that differ among the groups, in reading order. */
  differing: string[];
  notices: string[];
}

/** Reads the metrics of a run. @throws {RunFolderError} for a table that is none */
export const withMetrics = async (run: RunGlance): Promise<Compared> => ({
  ...run,
  ...await readMetrics(run.folder, run.config.algorithm),
});

/** Puts runs together by their settings; groups come in the order of their first runs. */
export function grouped(runs: readonly Compared[]): Grouped {
  const notices: string[] = [];
  const byKey = Map.groupBy(runs, (run) => JSON.stringify([settingsOf(run), run.config.source]));
  const groups = [...byKey.values()].flatMap((all): Omit<Group, "letter">[] => {
    const chosen = withoutUnfinished(oncePerSeed(all, notices), notices);
    const bySeed = chosen.toSorted((a, b) => a.config.seed - b.config.seed);
    return bySeed.length === 0 ? [] : [{ runs: bySeed, settings: settingsOf(bySeed[0]) }];
  });
  const lettered = groups.map((group, i) => ({ letter: letterOf(i), ...group }));
  return { groups: lettered, differing: settingKeys(lettered), notices };
}

/** All that a run was asked, but for its seed. */
function settingsOf(run: RunGlance): Record<string, unknown> {
  const { seed: _, state: __, totalSteps: ___, ...settings } = factsOf(run);
  return settings;
}

/** A seed counts once: a second run of it says nothing new, and would make an interval too narrow. */
function oncePerSeed(all: readonly Compared[], notices: string[]): Compared[] {
  return [...Map.groupBy(all, ({ config: { seed } }) => seed)].map(([seed, same]) => {
    // One without a step, such as a damaged copy, may not stand for another of its seed.
    const rank = ({ state, metrics, config: { started = "" } }: Compared) =>
      (metrics.length > 0 ? "1" : "0") + (state === "finished" ? "1" : "0") + started;
    const [first, ...rest] = same.toSorted((a, b) => rank(a) < rank(b) ? 1 : -1);
    if (rest.length > 0) {
      notices.push(
        `seed ${seed} of one setting was run ${same.length} times: ${first.folder} counts, ` +
          `${rest.map(({ folder }) => folder).join(", ")} not`,
      );
    }
    return first;
  });
}

/** Where some have their steps, the others of the group are left out, and named: they are no smaller truth. */
function withoutUnfinished(all: readonly Compared[], notices: string[]): Compared[] {
  const begun = all.filter(({ metrics }) => metrics.length > 0);
  const finished = begun.filter(({ state }) => state === "finished");
  for (const run of all) {
    if (run.state === "finished" && run.metrics.length > 0) continue;
    const { folder, state, done, config: { steps }, cause } = run;
    const isLeftOut = run.metrics.length === 0 || finished.length > 0;
    const why = cause === undefined ? "" : ` (${cause})`;
    notices.push(
      `${folder} is ${state} at step ${done} of ${steps}${why}: ` +
        (isLeftOut ? "left out" : "its last step stands for its end"),
    );
  }
  return finished.length > 0 ? finished : begun;
}

/** A to Z, then AA, AB, …. */
export function letterOf(i: number): string {
  const last = String.fromCharCode(65 + i % 26);
  return i < 26 ? last : letterOf(Math.floor(i / 26) - 1) + last;
}
