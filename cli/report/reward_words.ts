/** The rewards of a run, each with what it counts in their sum. @module */
import { short } from "../terminal.ts";

/** What rewards are named by. */
interface Weighted {
  readonly rewards: readonly string[];
  /** By name; absent in runs of earlier versions. */
  readonly weights?: Readonly<Record<string, number>>;
}

/** `semantic × 1 + exact × 0.5`; names alone of a run that did not keep its weights. */
export const rewardWords = (run: Weighted): string =>
  run.rewards.map((name) => rewardHead(name, run)).join(" + ");

/**
 * For the terminal, `semantic x 0.5 + format x 0.2`; a weight of 1 goes without saying. Runs of earlier
 * versions kept no weights: their rewards are named.
 */
export const rewardSum = ({ rewards, weights = {} }: Weighted, fancy: boolean): string =>
  rewards.map((name) =>
    [1, undefined].includes(weights[name])
      ? name
      : `${name} ${fancy ? "×" : "x"} ${short(weights[name])}`
  ).join(" + ");

/** The head of a reward's column. */
export function rewardHead(name: string, { rewards, weights }: Weighted): string {
  if (!rewards.includes(name)) return `${name}, measured only`;
  return weights && Object.hasOwn(weights, name) ? `${name} × ${short(weights[name])}` : name;
}
