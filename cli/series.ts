/** Which metrics the terminal, the curves and the report show, and what they are called there. @module */

/** One curve. */
export interface Series {
  /** Metric names, the first that a run has is taken: algorithms name the same thing differently. */
  readonly names: readonly string[];
  readonly title: string;
  /** Unit of the vertical axis. */
  readonly unit: string;
}

/** Curves in the order in which they are drawn. */
export const SERIES = {
  reward: {
    names: ["env/reward_mean", "ppo/mean_scores", "reward"],
    title: "Reward",
    unit: "mean per completion",
  },
  kl: {
    names: ["objective/kl", "kl"],
    title: "KL to the reference",
    unit: "nats per completion",
  },
  entropy: {
    names: ["ppo/policy/entropy", "objective/entropy", "entropy"],
    title: "Entropy",
    unit: "nats per token",
  },
  policyLoss: {
    names: ["ppo/loss/policy", "policy_loss", "loss"],
    title: "Policy loss",
    unit: "mean per token",
  },
  valueLoss: { names: ["ppo/loss/value"], title: "Value loss", unit: "mean per token" },
  clipped: {
    names: ["ppo/policy/clipfrac", "clip_ratio/region_mean"],
    title: "Clipped",
    unit: "share of tokens, 0 to 1",
  },
} as const satisfies Record<string, Series>;

/** The metric's own name in this run; undefined where it has none. */
export const nameIn = (series: Series, names: readonly string[]): string | undefined =>
  series.names.find((name) => names.includes(name));

/** The series' value among one step's metrics; NaN where it has none. */
export function valueOf(series: Series, metrics: Readonly<Record<string, number>>): number {
  const name = nameIn(series, Object.keys(metrics));
  return name === undefined ? NaN : metrics[name];
}
