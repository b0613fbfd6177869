/**
 * Advantages without a value head: a response is compared with others of the same prompt (its group), or
 * of the whole batch. That scores are equal is decided by comparing them, so that rounding of a mean never
 * becomes an advantage.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import type { RewardColumn } from "./algorithm.ts";
import { DYNAMIC_SAMPLING_ROWS } from "./dynamic_sampling.ts";
import { OVERLONG_ROWS } from "./overlong.ts";
import { momentsOf } from "./stats.ts";

// deno-fmt-ignore
const COMPARISON_ROWS = {
  groupSize: { kind: "integer", default: 8, min: 2, max: 65536, unit: "completions", usual: "4 to 16", doc: "completions of each prompt that are compared; divides batchSize", group: "Rewards and advantages" },
  baseline: { kind: "choice", choices: ["mean", "leave-one-out"], default: "mean", doc: "what a score is compared with: the mean of its group, or of the others in it", group: "Rewards and advantages" },
  advantageScale: { kind: "choice", choices: ["sample", "population", "batch", "none"], default: "sample", doc: "what the difference is divided by: the group's standard deviation (over N - 1 or N), that of the whole batch (over N - 1), or nothing", group: "Rewards and advantages" },
  advantageEpsilon: { kind: "number", default: 1e-4, min: 0, unit: "reward", usual: "1e-6 to 1e-4", doc: "added to that standard deviation, and to that of the batch which normalise-then-sum divides by", group: "Rewards and advantages" },
  rewardAggregation: { kind: "choice", choices: ["sum-then-normalise", "normalise-then-sum"], default: "sum-then-normalise", doc: "several rewards: their weighted sum is compared in its group; or each is, and the weighted sum of what comes out is divided by its standard deviation over the batch (GDPO)", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Rows of the comparison, of what is compared, and of which groups are drawn for it. */
export const GROUP_ROWS:
  & typeof COMPARISON_ROWS
  & typeof OVERLONG_ROWS
  & typeof DYNAMIC_SAMPLING_ROWS = {
    ...COMPARISON_ROWS,
    ...OVERLONG_ROWS,
    ...DYNAMIC_SAMPLING_ROWS,
  };

/** Settings of the comparison. */
export type GroupConfig = OptionValues<typeof COMPARISON_ROWS>;

/** What one number a response is compared by. */
export type ComparisonConfig = Omit<GroupConfig, "rewardAggregation">;

/** What groups of scores come to. */
export interface GroupAdvantages {
  /** (B), 0 where there is no score. */
  advantage: Float64Array;
  /** Share of the groups with a score in which all scores are equal, so that nothing is learned; 0 to 1. */
  equalShare: number;
}

/**
 * The advantage of each of B responses, of which `groupSize` in a row answer one prompt. Responses without
 * a score count in no statistic. A group whose scores are all equal, or that has one alone, gives exactly 0.
 *   A_i = (R_i - baseline_i) / (std + advantageEpsilon)
 * GRPO: Shao et al. 2024 (arXiv 2402.03300), section 4.1.2; leave-one-out: Ahmadian et al. 2024 (arXiv
 * 2402.14740), equation 7.
 */
export function groupAdvantages(
  score: ArrayLike<number>,
  scored: readonly boolean[],
  { groupSize, baseline, advantageScale, advantageEpsilon }: ComparisonConfig,
): GroupAdvantages {
  const B = scored.length, advantage = new Float64Array(B);
  const ofBatch = advantageScale === "batch"
    ? spread(rowsOf(score, scored, 0, B)).sample
    : undefined;
  let groups = 0, equal = 0;
  for (let from = 0; from < B; from += groupSize) {
    const { rows, values, mean, sample, population, same } = spread(
      rowsOf(score, scored, from, Math.min(B, from + groupSize)),
    );
    if (rows.length === 0) continue;
    groups++;
    if (same) {
      equal++;
      continue;
    }
    const std = { sample, population, batch: ofBatch, none: undefined }[advantageScale];
    const others = baseline === "mean" ? 1 : values.length / (values.length - 1);
    rows.forEach((b, i) => {
      const difference = (values[i] - mean) * others; // R - (sum - R) / (n - 1) = (R - mean) n / (n - 1)
      advantage[b] = std === undefined ? difference : difference / (std + advantageEpsilon);
    });
  }
  return { advantage, equalShare: groups === 0 ? NaN : equal / groups };
}

/**
 * The advantage of each of B responses by several rewards r_k of weights w_k, each compared on its own:
 *   A = x / (std over the batch of x + advantageEpsilon), x = sum_k w_k A_k
 * with A_k what `groupAdvantages` makes of r_k alone, and the sample standard deviation over the responses
 * that `scored` names. So a reward of large spread cannot drown the others. A reward that gave null has no
 * part in x. x is not centred: the mean of x over the batch is 0, as A_k adds up to 0 in each group, and
 * what rounding makes of it is no advantage. `equalShare` is that of the groups in which no reward tells
 * two responses apart.
 * GDPO: Liu et al. 2026 (arXiv 2601.05242); `multi_objective_aggregation="normalize_then_sum"` of TRL.
 */
export function columnAdvantages(
  columns: readonly RewardColumn[],
  scored: readonly boolean[],
  config: ComparisonConfig,
): GroupAdvantages {
  const B = scored.length, { groupSize, advantageEpsilon } = config;
  const sum = new Float64Array(B), tells = new Array<boolean>(B).fill(false);
  for (const { weight, score, scored: own } of columns) {
    const { advantage } = groupAdvantages(score, own, config);
    advantage.forEach((of, b) => {
      sum[b] += weight * of;
      tells[b] ||= of !== 0;
    });
  }
  const { sample } = spread(rowsOf(sum, scored, 0, B));
  let groups = 0, equal = 0;
  for (let from = 0; from < B; from += groupSize) {
    const of = (x: readonly boolean[]): boolean => x.slice(from, from + groupSize).includes(true);
    if (!of(scored)) continue;
    groups++;
    if (!of(tells)) equal++;
  }
  return {
    advantage: sum.map((x) => x === 0 ? 0 : x / (sample + advantageEpsilon)),
    equalShare: groups === 0 ? NaN : equal / groups,
  };
}

const rowsOf = (
  score: ArrayLike<number>,
  scored: readonly boolean[],
  from: number,
  to: number,
): [row: number, value: number][] =>
  Array.from({ length: to - from }, (_, i): [number, number] => [from + i, score[from + i]])
    .filter(([row]) => scored[row]);

function spread(of: readonly [row: number, value: number][]) {
  const values = of.map(([, value]) => value), n = values.length;
  const { mean, squares, same } = momentsOf(values);
  return {
    ...{ rows: of.map(([row]) => row), values, mean, same },
    sample: n > 1 ? Math.sqrt(squares / (n - 1)) : 0,
    population: Math.sqrt(squares / n),
  };
}
