/** What other programs call the settings: TRL, verl, transformers, PEFT and papers. For errors alone. @module */

const CALLED: Readonly<Record<string, string>> = {
  beta: "klCoefficient",
  "clip-ratio": "clipLow",
  "clip-ratio-c": "ratioCap",
  "clip-ratio-high": "clipHigh",
  "clip-ratio-low": "clipLow",
  cliprange: "clipLow",
  "cliprange-high": "clipHigh",
  "cliprange-low": "clipLow",
  "cliprange-value": "valueClip",
  "ent-coef": "entropyCoefficient",
  "entropy-coeff": "entropyCoefficient",
  epsilon: "clipLow",
  "epsilon-high": "clipHigh",
  "epsilon-low": "clipLow",
  "filter-groups": "dynamicSampling",
  "gradient-checkpointing": "recompute",
  "init-kl-coef": "klCoefficient",
  kl: "klCoefficient",
  "kl-coef": "klCoefficient",
  "kl-loss-coef": "klCoefficient",
  "kl-loss-type": "klGradient",
  lam: "lambda",
  "loss-agg-mode": "lossNormaliser",
  "loss-type": "lossNormaliser",
  "lr-scheduler-type": "learningRateSchedule",
  "mask-truncated-completions": "maskTruncated",
  "max-completion-length": "maxNewTokens",
  "max-length": "maxNewTokens",
  "max-new-tokens": "maxNewTokens",
  "max-num-gen-batches": "maxDraws",
  "max-tokens": "maxNewTokens",
  "multi-objective-aggregation": "rewardAggregation",
  "num-generations": "groupSize",
  "num-iterations": "epochs",
  "num-mini-batches": "minibatches",
  "num-ppo-epochs": "epochs",
  "per-device-train-batch-size": "microbatchRows",
  "ppo-epochs": "epochs",
  rank: "loraRank",
  "response-length": "maxNewTokens",
  "rollout-n": "groupSize",
  "scale-rewards": "advantageScale",
  "target-modules": "loraTargets",
  "top-entropy-quantile": "entropyShare",
  "train-batch-size": "batchSize",
  "vf-coef": "valueCoefficient",
};

/** The names that a setting has elsewhere. */
export const SYNONYMS: readonly string[] = Object.keys(CALLED);

/** What `word` is called here; undefined where no other program's name is meant. */
export function synonymOf(word: string): string | undefined {
  const key = word.replaceAll(/(?<=[a-z])[A-Z]/g, (c) => `-${c}`).toLowerCase().replaceAll(
    "_",
    "-",
  );
  return Object.hasOwn(CALLED, key) ? CALLED[key] : undefined;
}
