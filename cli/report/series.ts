/** Which metrics the terminal, the curves and the report show, and what they are called there. @module */

import type { Span } from "../../web/view/scale.ts";

/** One curve. */
export interface Series {
  /** Its name in metrics.csv. */
  readonly name: string;
  readonly title: string;
  /** Unit of the vertical axis. */
  readonly unit: string;
  /** How its axis finds its ends, so that two runs can be laid side by side where that is honest. */
  readonly span: Span;
  /** Values of a run that learns, as docs/metrics.md has them. */
  readonly healthy?: { readonly from?: number; readonly to?: number };
}

const SHARE = { unit: "share, 0 to 1", span: "share" } as const;

/** The metric of updates that were skipped. */
export const SKIPPED = "optimizer/skipped_updates";

/** Curves in the order in which they are drawn. */
export const SERIES = {
  reward: { name: "score/mean", title: "Reward", unit: "mean per completion", span: "zero" },
  kl: {
    name: "kl/reference",
    title: "KL to the reference",
    unit: "nats per completion",
    span: "zero",
    healthy: { to: 10 },
  },
  entropy: { name: "policy/entropy", title: "Entropy", unit: "nats per token", span: "zero" },
  policyLoss: { name: "loss/policy", title: "Policy loss", unit: "mean per token", span: "fit" },
  valueLoss: { name: "loss/value", title: "Value loss", unit: "reward², per token", span: "zero" },
  exact: { name: "rewards/exact/mean", title: "Exact answers, sampled", ...SHARE },
  clipped: { name: "policy/clipfrac", title: "Clipped tokens", healthy: { to: 0.3 }, ...SHARE },
} as const satisfies Record<string, Series>;

/** Curves of evaluations on the way, by the columns of evaluations.csv. */
export const HELDOUT = {
  exact: { name: "exact", title: "Exact answers to held-out prompts, greedy", ...SHARE },
  reward: {
    name: "reward",
    title: "Reward on held-out prompts, greedy",
    unit: "mean per completion",
    span: "zero",
  },
} as const satisfies Record<string, Series>;

/** The series' value among one step's metrics; NaN where it has none. */
export const valueOf = (series: Series, metrics: Readonly<Record<string, number>>): number =>
  metrics[series.name] ?? NaN;
