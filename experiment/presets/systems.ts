/** Presets of four published systems that trained small language models by rewards. @module */
import { F32 } from "./published.ts";
import { definePreset, type Preset } from "./preset.ts";

const WHOLE_DISTRIBUTION =
  "Completions are drawn from the whole distribution, not from the 50 most probable tokens: what is drawn is what " +
  "is trained.";

const PGSRM: Preset = definePreset({
  name: "seed-pgsrm",
  summary: "PGSRM's own training: REINFORCE with a detached critic, one update of 50 completions",
  algorithm: "pgsrm",
  source: "Plashchinsky 2025, arXiv 2512.06920, and its published code",
  differences: [
    WHOLE_DISTRIBUTION,
    "Rows are padded at their end and EOS is learned; there, EOS was taken for padding.",
    "There is no dropout; there, it stayed on while sampling from the second batch on.",
    "The coefficient of KL has an end, klCeiling: k1 as a loss brings KL back on no average, so that the " +
    "original's grows by half with every update above the target. On opposites it passed 1e31 after 446 " +
    "updates here, and the gradient overflowed.",
    "Its copy and negative tasks had batches of 10 and a fixed coefficient: batchSize=10 klControl=fixed.",
  ],
  steps: 2000, // 100,000 episodes
  rewards: "semantic",
  whole: true,
  settings: { batchSize: 50, epochs: 1, learningRate: 1e-5, weightDecay: 0.01, klCeiling: 0.01 },
});

const LOSSFUNK: Preset = definePreset({
  name: "seed-lossfunk",
  summary:
    "GRPO as in a study of reward structures: LoRA of rank 32, cosine with warm-up, tiny steps",
  algorithm: "grpo",
  source: "the LossFunk assignment on hard, soft and perplexity rewards, with Unsloth 2025.8.9",
  differences: [
    F32,
    "Its model was Llama 3.2 3B in 4 bits; an adapter of a GPT-2 has other layers under the same name.",
    "Its coefficient of KL is not known; 0.001, Unsloth's default of the time, stands here.",
    "Each reward is called by itself; there, both slots called the last one, so that perplexity was never " +
    "measured.",
  ],
  steps: 100,
  whole: true,
  settings: {
    batchSize: 8, // 2 prompts
    groupSize: 4,
    lossNormaliser: "tokens",
    klCoefficient: 0.001,
    learningRate: 5e-6,
    learningRateSchedule: "cosine",
    warmupSteps: 10,
    adamBeta2: 0.99,
    weightDecay: 0.1,
    maxGradNorm: 0.1,
    loraRank: 32,
    loraAlpha: 32,
    loraTargets: "all-linear",
  },
});

const ANALOGIES: Preset = definePreset({
  name: "seed-grpo-analogies",
  summary: "GRPO on analogies: groups of 4, no ratio, KL of whole responses in the loss",
  algorithm: "grpo",
  source: "a GRPO notebook for gpt-neo-125M on word analogies",
  differences: [
    "Log-probabilities are of the response alone; the notebook's slice began in the prompt where its row was " +
    "padded at the left, so that its loss fell to -170.",
    WHOLE_DISTRIBUTION,
    "KL descends by k3; the notebook's k1 as a loss has no gradient on average.",
    "The notebook asked the 20 analogies that it was trained on; tasks here have held-out prompts.",
  ],
  steps: 300,
  rewards: "first_word",
  whole: true,
  settings: {
    maxNewTokens: 1,
    batchSize: 32, // 8 prompts
    groupSize: 4,
    advantageScale: "population",
    advantageEpsilon: 1e-5,
    lossNormaliser: "sequence-sums",
    klCoefficient: 0.1,
    learningRate: 1e-5,
    weightDecay: 0.01,
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
  rewards: "sentiment",
  whole: true,
  settings: {
    maxNewTokens: 64,
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
export const SEEDS: readonly Preset[] = [PGSRM, ANALOGIES, LOSSFUNK, PPO_IMDB];
