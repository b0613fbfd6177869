/** The weighted sum of several rewards, with each reward's own values kept by name. @module */
import { checkColumn, checkCounts, checkParts } from "./checks.ts";
import type { Reward, RewardBatch } from "./reward.ts";
import { ScoreError } from "./score_error.ts";

/** One reward and what it counts for. A weight of 0 means: measured, not trained on. */
export interface WeightedReward {
  reward: Reward;
  weight: number;
  /** Names of its counts, where they are told from outside; default: the reward's own. */
  counts?: readonly string[];
}

/** What each reward gave a batch of B completions, and their sum. */
export interface RewardBreakdown {
  /** (B) weighted sums over the rewards that could score; null where none of weight not 0 could. */
  total: (number | null)[];
  /** (B) unweighted values of each reward, in the order of the rewards. */
  scores: Record<string, (number | null)[]>;
  /** What each reward counts for in the sum. */
  weights: Readonly<Record<string, number>>;
}

/** A sum that is itself a reward; `breakdown` also tells the parts. */
export interface CombinedReward extends Reward {
  /** Weights by reward name, in the order given. */
  readonly weights: Readonly<Record<string, number>>;
  breakdown(batch: RewardBatch): Promise<RewardBreakdown>;
  /** Counts of the parts, as `reward/count`: always the same names, in the same order. */
  takeCounts(): Record<string, number>;
}

/**
 * Sums rewards, which run side by side. Values are matched to their reward by its name.
 * @throws what `checkParts` throws, for what cannot be summed. `breakdown` throws an Error that names the
 * reward where one fails, gives another number of values than there are completions, or a value that is
 * neither a finite number nor null; `takeCounts` for a count that was not declared.
 */
export function combine(parts: readonly WeightedReward[]): CombinedReward {
  checkParts(parts);
  const weights = Object.fromEntries(parts.map(({ reward, weight }) => [reward.name, weight]));

  const breakdown = async (batch: RewardBatch): Promise<RewardBreakdown> => {
    const B = batch.completions.length;
    const columns = await Promise.all(parts.map(({ reward }) => scoreBy(reward, batch)));
    const total: (number | null)[] = new Array(B).fill(null);
    const scores: RewardBreakdown["scores"] = {};
    for (const [k, { reward: { name }, weight }] of parts.entries()) {
      scores[name] = columns[k];
      columns[k].forEach((value, b) => {
        if (value !== null && weight !== 0) total[b] = (total[b] ?? 0) + weight * value;
      });
    }
    return { total, scores, weights };
  };

  return {
    name: "total",
    weights,
    breakdown,
    score: async (batch) => (await breakdown(batch)).total,
    takeCounts: () => Object.fromEntries(parts.flatMap(countsOf)),
  };
}

/** One reward's values of a batch, checked. */
async function scoreBy(reward: Reward, batch: RewardBatch): Promise<(number | null)[]> {
  const failed = (error: unknown): never => {
    const why = error instanceof Error ? error.message : String(error);
    throw new ScoreError(`Cannot score by the reward ${reward.name}: ${why}`, { cause: error });
  };
  const column = await (async () => await reward.score(batch))().catch(failed);
  return checkColumn(reward.name, column, batch.completions.length);
}

function countsOf({ reward, counts = reward.counts ?? [] }: WeightedReward): [string, number][] {
  const taken = checkCounts(reward.name, reward.takeCounts?.() ?? {}, counts);
  return counts.map((name) => [`${reward.name}/${name}`, taken[name] ?? 0]);
}
