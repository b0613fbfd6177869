/**
 * Dynamic sampling (DAPO, Yu et al. 2025, arXiv 2503.14476, section 3.2): a group whose scores are all
 * equal has no advantages and teaches nothing. It is evicted, and further prompts are drawn until the
 * batch has its number of groups again.
 *
 * Every draw has the size of the batch, so that no draw takes more memory than another. The last one
 * may bring more groups than are wanted: this surplus is kept for the next step, which is the default, or
 * discarded. A kept group was drawn by the policy of one step before, so that its ratio does not
 * start at 1; no group is older, as fewer are kept than one batch has.
 *
 * What decides is the score as the score function gave it, after `scoreClip` (where it is
 * scaled, before both): penalties on length or KL are
 * not asked, as in the paper, where it is whether the answer is right. Where several rewards are compared
 * one by one (`rewardAggregation`), all of them must be equal, as any that is not gives an advantage.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import { type Drawn, joinDrawn, scoredRows, takeGroups } from "./drawn.ts";
import { readGroups, type SavedGroups, saveGroups } from "./saved_groups.ts";
import { clampScores, rewardColumns } from "./scores.ts";

/** Rows of dynamic sampling. */
// deno-fmt-ignore
export const DYNAMIC_SAMPLING_ROWS = {
  dynamicSampling: { kind: "boolean", default: false, doc: "groups whose scores are all equal are evicted, and further prompts drawn until the batch is full", group: "Sampling" },
  maxDraws: { kind: "integer", default: 10, min: 1, max: 1000, unit: "draws", usual: "3 to 10", only: { dynamicSampling: true }, doc: "most draws of a step, each of batchSize completions; after the last the step learns from the groups it has", group: "Sampling" },
  surplusGroups: { kind: "choice", choices: ["keep", "discard"], default: "keep", only: { dynamicSampling: true }, doc: "what becomes of groups beyond a full batch: kept for the next step, whose policy did not draw them, or discarded", group: "Sampling" },
} as const satisfies OptionRows;

/** Settings of dynamic sampling. */
export type DynamicSamplingConfig = OptionValues<typeof DYNAMIC_SAMPLING_ROWS>;

/** How a batch is filled where groups are evicted from it. */
export interface DynamicSampling extends Omit<DynamicSamplingConfig, "dynamicSampling"> {
  /** True where several rewards are compared one by one, false where their sum is. */
  byReward: boolean;
}

/** What an algorithm with such settings needs; undefined where it is off, or there are none. */
export function dynamicSamplingOf(
  { dynamicSampling, maxDraws, surplusGroups, rewardAggregation }:
    & Partial<DynamicSamplingConfig>
    & { rewardAggregation?: string },
): DynamicSampling | undefined {
  if (!dynamicSampling) return undefined;
  const byReward = rewardAggregation === "normalise-then-sum";
  return { maxDraws: maxDraws!, surplusGroups: surplusGroups!, byReward };
}

/** What dynamic sampling remembers from one step to the next; plain JSON. */
export interface SamplingState {
  /** Prompts taken so far: the place of the next in the order. */
  place: number;
  /** Surplus groups of the last step, where there are any. */
  kept?: SavedGroups;
}

/** What was drawn in a step. Groups are: kept + draws * (groups of a batch) = evicted + learned + surplus. */
export interface DrawCounts {
  draws: number;
  /** Groups that were drawn in this step and are of no use, as their scores are all equal. */
  evicted: number;
  /** Groups that are learned from and were drawn in the step before. */
  kept: number;
  /** Groups that are learned from. */
  learned: number;
  /** Groups beyond a full batch. */
  surplus: number;
  /** Completions drawn in this step that have a score. */
  scored: number;
  /** Completions drawn in this step that have none. */
  unscored: number;
}

/** The batch of a step. */
export interface Batch extends Drawn {
  /** Rows, the first ones, that the policy of the step before drew. */
  keptRows: number;
  counts: DrawCounts;
  /** For the next step; undefined without dynamic sampling. */
  next: SamplingState | undefined;
}

/** Which groups of `size` can teach: two scores or more, not all equal. They are compared, not subtracted. */
export function unequalGroups(
  drawn: Pick<Drawn, "scores" | "columns" | "greedyScores">,
  { size, scoreClip, byReward }: { size: number; scoreClip: number; byReward: boolean },
): number[] {
  const counts = scoredRows(drawn);
  const compared = byReward
    ? rewardColumns(drawn.columns, counts)
    : [{ score: clampScores(drawn.scores, scoreClip), scored: counts }];
  const groups = Array.from({ length: counts.length / size }, (_, group) => group);
  return groups.filter((group) =>
    compared.some(({ score, scored }) => {
      const from = group * size;
      const own = score.subarray(from, from + size).filter((_, i) => scored[from + i]);
      return Math.max(...own) > Math.min(...own); // of none or one: not
    })
  );
}

/**
 * Fills the batch of a step: kept groups first, then as many draws of `count` prompts as it takes. `draw`
 * is given the place of its first prompt, and the index of its first completion among all of the step, to
 * which random numbers belong.
 * @throws {TypeError} where the saved groups are not what `saveGroups` gives
 * @throws what `draw` throws
 */
export async function fillBatch(
  draw: (place: number, row0: number) => Promise<Drawn>,
  { count, groupSize, scoreClip, dynamic, place, saved }: {
    /** Groups of a full batch, and of each draw. */
    count: number;
    groupSize: number;
    scoreClip: number;
    /** Undefined: all groups of one draw are the batch. */
    dynamic: DynamicSampling | undefined;
    /** Of the next prompt. */
    place: number;
    saved?: SavedGroups;
  },
): Promise<Batch> {
  const { maxDraws, surplusGroups } = dynamic ?? { maxDraws: 1, surplusGroups: "discard" };
  const kept = saved && readGroups(saved, groupSize);
  const parts = kept ? [kept] : [], keptGroups = saved?.prompts.length ?? 0;
  const counts: DrawCounts = {
    ...{ draws: 0, evicted: 0, kept: keptGroups, learned: keptGroups, surplus: 0 },
    ...{ scored: 0, unscored: 0 },
  };
  do {
    const row0 = counts.draws * count * groupSize;
    const drawn = await draw(place + counts.draws * count, row0);
    const scored = scoredRows(drawn).filter((is) => is).length;
    counts.draws++;
    counts.scored += scored;
    counts.unscored += drawn.scores.length - scored;
    const useful = dynamic &&
      unequalGroups(drawn, { size: groupSize, scoreClip, byReward: dynamic.byReward });
    parts.push(useful ? takeGroups(drawn, useful, groupSize) : drawn);
    counts.evicted += count - (useful?.length ?? count);
    counts.learned += useful?.length ?? count;
  } while (counts.learned < count && counts.draws < maxDraws);
  const all = parts.length === 1 ? parts[0] : joinDrawn(parts);
  counts.surplus = Math.max(0, counts.learned - count);
  counts.learned -= counts.surplus;
  const groups = (from: number, many: number) =>
    takeGroups(all, Array.from({ length: many }, (_, i) => from + i), groupSize);
  const isKept = counts.surplus > 0 && surplusGroups === "keep";
  return {
    ...(counts.surplus === 0 ? all : groups(0, count)),
    keptRows: keptGroups * groupSize,
    counts,
    next: dynamic && {
      place: place + counts.draws * count,
      ...(isKept && { kept: saveGroups(groups(count, counts.surplus), groupSize) }),
    },
  };
}
