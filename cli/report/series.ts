/** Which metrics the terminal, the curves and the report show, and what they are called there. @module */

/** One curve. */
export interface Series {
  /** Its name in metrics.csv. */
  readonly name: string;
  readonly title: string;
  /** Unit of the vertical axis. */
  readonly unit: string;
  /** Whether it is a share: its axis is 0 to 1, so that two runs can be laid side by side. */
  readonly share?: boolean;
}

const SHARE = { unit: "share, 0 to 1", share: true } as const;

/** Curves in the order in which they are drawn. */
export const SERIES = {
  reward: { name: "score/mean", title: "Reward", unit: "mean per completion" },
  kl: { name: "kl/reference", title: "KL to the reference", unit: "nats per completion" },
  entropy: { name: "policy/entropy", title: "Entropy", unit: "nats per token" },
  policyLoss: { name: "loss/policy", title: "Policy loss", unit: "mean per token" },
  valueLoss: { name: "loss/value", title: "Value loss", unit: "reward², per token" },
  exact: { name: "rewards/exact/mean", title: "Exact answers, sampled", ...SHARE },
  clipped: { name: "policy/clipfrac", title: "Clipped tokens", ...SHARE },
} as const satisfies Record<string, Series>;

/** Curves of evaluations on the way, by the columns of evaluations.csv. */
export const HELDOUT = {
  exact: { name: "exact", title: "Exact answers to held-out prompts, greedy", ...SHARE },
  reward: {
    name: "reward",
    title: "Reward on held-out prompts, greedy",
    unit: "mean per completion",
  },
} as const satisfies Record<string, Series>;

/** The series' value among one step's metrics; NaN where it has none. */
export const valueOf = (series: Series, metrics: Readonly<Record<string, number>>): number =>
  metrics[series.name] ?? NaN;
