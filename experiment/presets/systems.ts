/** Presets of four published systems that trained small language models by rewards. @module */
import { definePreset, type Preset } from "./preset.ts";

const ANALOGIES: Preset = definePreset({
  name: "seed-grpo-analogies",
  summary: "GRPO on analogies: groups of 4, no ratio, KL of whole responses in the loss",
  algorithm: "grpo",
  source: "a GRPO notebook for gpt-neo-125M on word analogies",
  differences: [
    "Log-probabilities are of the response alone; the notebook's slice began in the prompt where its row was " +
    "padded at the left, so that its loss fell to -170.",
    "Completions are drawn from the whole distribution, not from the 50 most probable tokens.",
    "KL descends by k3; the notebook's k1 as a loss has no gradient on average.",
    "The notebook asked the 20 analogies that it was trained on; tasks here have held-out prompts.",
  ],
  steps: 300,
  rewards: "exact",
  settings: {
    batchSize: 32, // 8 prompts
    groupSize: 4,
    advantageScale: "population",
    advantageEpsilon: 1e-5,
    lossNormaliser: "sequence-sums",
    klCoefficient: 0.1,
    learningRate: 1e-5,
    maxGradNorm: 0,
  },
});

const PPO_IMDB: Preset = definePreset({
  name: "seed-ppo-imdb",
  summary: "PPO on film reviews: KL 1 a token, 4 epochs of 4 minibatches, entropy bonus",
  algorithm: "ppo",
  source: "a PPO system for GPT-2 on IMDB reviews with a sentiment classifier",
  differences: [
    "Log-probabilities, entropies and values are those before each token; the original's were of the position " +
    "after it.",
    "Rows are padded at their end, so that EOS is learned and no mask is guessed.",
    "Completions are drawn from the whole distribution, not from the 50 most probable tokens up to 0.9 of the " +
    "mass.",
    "Advantages are whitened over the tokens that exist, not over padding.",
    "Minibatches are drawn anew in each epoch.",
  ],
  steps: 10,
  settings: {
    batchSize: 64,
    minibatches: 4,
    learningRate: 5e-6,
    klControl: "fixed",
    klCoefficient: 1,
    entropyCoefficient: 0.02,
    whitenAdvantages: "sample",
  },
});

/** In the order of `--list`. */
export const SEEDS: readonly Preset[] = [ANALOGIES, PPO_IMDB];
