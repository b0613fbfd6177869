/** What other programs call the settings: TRL, transformers, PEFT and papers. For errors alone. @module */

const CALLED: Readonly<Record<string, string>> = {
  beta: "klCoefficient",
  cliprange: "clipLow",
  "cliprange-value": "valueClip",
  "ent-coef": "entropyCoefficient",
  "gradient-checkpointing": "recompute",
  "init-kl-coef": "klCoefficient",
  kl: "klCoefficient",
  "kl-coef": "klCoefficient",
  lam: "lambda",
  "lr-scheduler-type": "learningRateSchedule",
  "max-length": "maxNewTokens",
  "max-tokens": "maxNewTokens",
  "num-mini-batches": "minibatches",
  "num-ppo-epochs": "epochs",
  "per-device-train-batch-size": "microbatchRows",
  "ppo-epochs": "epochs",
  rank: "loraRank",
  "response-length": "maxNewTokens",
  "target-modules": "loraTargets",
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
