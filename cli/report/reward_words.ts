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

/** The head of a reward's column. */
export function rewardHead(name: string, { rewards, weights }: Weighted): string {
  if (!rewards.includes(name)) return `${name}, measured only`;
  return weights && Object.hasOwn(weights, name) ? `${name} × ${short(weights[name])}` : name;
}
