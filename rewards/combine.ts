/** The weighted sum of several rewards, with each reward's own values kept by name. @module */
import type { Reward, RewardBatch } from "./reward.ts";

/** One reward and what it counts for. A weight of 0 means: measured, not trained on. */
export interface WeightedReward {
  reward: Reward;
  weight: number;
}

/** What each reward gave a batch of B completions, and their sum. */
export interface RewardBreakdown {
  /** (B) weighted sums over the rewards that could score; null where none of weight not 0 could. */
  total: (number | null)[];
  /** (B) unweighted values of each reward, in the order of the rewards. */
  scores: Record<string, (number | null)[]>;
}

/** A sum that is itself a reward; `breakdown` also tells the parts. */
export interface CombinedReward extends Reward {
  /** Weights by reward name, in the order given. */
  readonly weights: Readonly<Record<string, number>>;
  breakdown(batch: RewardBatch): Promise<RewardBreakdown>;
  /** Counts of the parts, as `reward/count`. */
  takeCounts(): Record<string, number>;
}

/**
 * Sums rewards, which run side by side. Values are matched to their reward by its name.
 * @throws TypeError for no rewards, a repeated name, or a name that is not lower-case letters, digits
 * and _; RangeError for a weight that is not finite. `breakdown` throws RangeError where a reward gives
 * another number of values than there are completions, or one that is not finite.
 */
export function combine(parts: readonly WeightedReward[]): CombinedReward {
  if (parts.length === 0) {
    throw new TypeError("Cannot combine rewards as at least one is needed: 0");
  }
  const weights: Record<string, number> = {};
  for (const { reward: { name }, weight } of parts) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) {
      throw new TypeError(
        `Cannot combine rewards as names are a-z, 0-9 and _: one is ${JSON.stringify(name)}`,
      );
    }
    if (Object.hasOwn(weights, name)) {
      throw new TypeError(`Cannot combine rewards as names must differ: "${name}" comes twice`);
    }
    if (!Number.isFinite(weight)) {
      throw new RangeError(`Cannot combine rewards as weights are finite: ${name} has ${weight}`);
    }
    weights[name] = weight;
  }

  const breakdown = async (batch: RewardBatch): Promise<RewardBreakdown> => {
    const B = batch.completions.length;
    const columns = await Promise.all(parts.map(({ reward }) => reward.score(batch)));
    const total: (number | null)[] = new Array(B).fill(null);
    const scores: RewardBreakdown["scores"] = {};
    for (const [k, { reward: { name }, weight }] of parts.entries()) {
      checkColumn(name, columns[k], B);
      scores[name] = columns[k];
      if (weight === 0) continue;
      for (let b = 0; b < B; b++) {
        const value = columns[k][b];
        if (value !== null) total[b] = (total[b] ?? 0) + weight * value;
      }
    }
    return { total, scores };
  };

  return {
    name: "total",
    weights,
    breakdown,
    score: async (batch) => (await breakdown(batch)).total,
    takeCounts() {
      return Object.fromEntries(
        parts.flatMap(({ reward }) =>
          Object.entries(reward.takeCounts?.() ?? {}).map(([k, n]) => [`${reward.name}/${k}`, n])
        ),
      );
    },
  };
}

function checkColumn(name: string, column: readonly (number | null)[], B: number): void {
  if (column.length !== B) {
    throw new RangeError(
      `Cannot use the reward ${name} as it must give ${B} values: it gave ${column.length}`,
    );
  }
  const bad = column.findIndex((value) => value !== null && !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `Cannot use the reward ${name} as values are finite or null: row ${bad} has ${column[bad]}`,
    );
  }
}
