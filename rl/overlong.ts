/**
 * Soft overlong punishment (DAPO, Yu et al. 2025, arXiv 2503.14476, equation 13): a response that comes
 * near the longest one allowed loses score by its length, before it is cut off.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import type { ScoredRollout } from "./algorithm.ts";
import { mean } from "./stats.ts";
import type { TrainerConfig } from "./trainer_options.ts";

/** Rows of the penalty. */
// deno-fmt-ignore
export const OVERLONG_ROWS = {
  overlongCache: { kind: "integer", default: 0, min: 0, max: 1_000_000, unit: "tokens", usual: "0, a fifth of maxNewTokens", doc: "a response loses score in this many tokens before overlongLimit, the more the longer it is; 0 is off", group: "Rewards and advantages" },
  overlongLimit: { kind: "integer", default: 0, min: 0, max: 1_000_000, unit: "tokens", usual: "0, maxNewTokens", only: { overlongCache: { not: 0 } }, doc: "length from which on it loses all of overlongPenalty; 0 is maxNewTokens", group: "Rewards and advantages" },
  overlongPenalty: { kind: "number", default: 1, min: 0, unit: "reward", usual: "1", only: { overlongCache: { not: 0 } }, doc: "most that a response loses for its length", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of the penalty. */
export type OverlongConfig = OptionValues<typeof OVERLONG_ROWS>;

/**
 * What a response of `length` tokens, EOS included, is given for it, <= 0; with L = `overlongLimit`, C =
 * `overlongCache`, times `overlongPenalty`:
 *   0 up to L - C,  (L - C - length) / C up to L,  -1 beyond
 */
export function overlongScore(
  length: number,
  { overlongCache: cache, overlongLimit, overlongPenalty, maxNewTokens }:
    & OverlongConfig
    & Pick<TrainerConfig, "maxNewTokens">,
): number {
  const free = (overlongLimit || maxNewTokens) - cache;
  return -overlongPenalty * Math.min(1, Math.max(0, (length - free) / cache));
}

/** (B) Scores with what each response loses for its length, and the mean of that; NaN where it is off. */
export function withOverlong(
  { score, scored, grid: { length } }: Pick<ScoredRollout, "score" | "scored" | "grid">,
  config: Partial<OverlongConfig> & Pick<TrainerConfig, "maxNewTokens">,
): { score: Float32Array; mean: number } {
  if (!config.overlongCache) return { score, mean: NaN };
  const lost = Array.from(
    length,
    (tokens) => overlongScore(tokens, config as Required<typeof config>),
  );
  return {
    score: score.map((of, b) => of + lost[b]),
    mean: mean(lost.filter((_, b) => scored[b])),
  };
}
