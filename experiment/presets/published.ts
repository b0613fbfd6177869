/** Presets of libraries and papers. @module */
import { definePreset, type Preset } from "./preset.ts";

const NO_DROPOUT = "Dropout is off in every pass; there is no dropout in this project.";
/** A difference that most have. */
export const F32 = "All numbers of training are f32, not bf16.";

const TRL_0_11: Preset = definePreset({
  name: "trl-0.11-ppo",
  summary: "the defaults of TRL 0.11's PPO: small steps for a model of GPT-2's size",
  algorithm: "ppo",
  source: "huggingface/trl v0.11.4, PPOConfig",
  differences: [
    NO_DROPOUT,
    "A rollout whose mean ratio is above 10 is learned from; TRL drops it.",
    "The value head begins at zero; TRL's at torch's random default, behind a dropout of 0.1.",
  ],
  settings: { batchSize: 128, maxGradNorm: 0 },
});

const OPENAI_2019: Preset = definePreset({
  name: "openai-2019",
  summary: "PPO as OpenAI fine-tuned GPT-2 from human preferences",
  algorithm: "ppo",
  source: "Ziegler et al. 2019, arXiv 1909.08593; openai/lm-human-preferences, as measured by " +
    "vwxyzjn/lm-human-preference-details",
  differences: [
    "AdamW adds eps to the bias-corrected root, as PyTorch does; TensorFlow's Adam, which the original " +
    "used, adds it before the correction: its first steps are smaller.",
    "A response is scored as it is; the original cut it at the first full stop after 16 tokens, and gave -1 " +
    "where there was none. Its responses had 24 tokens: maxNewTokens=24.",
    "The reward is the task's; the original's was a network trained on human choices.",
  ],
  steps: 1953, // a million episodes
  settings: {
    batchSize: 512,
    maxGradNorm: 0,
    temperature: 0.7,
    learningRate: 1e-5,
    learningRateSchedule: "linear",
    adamEps: 1e-5,
    klCoefficient: 0.15,
    whitenAdvantages: "population",
    whitenRewards: true,
  },
});

const TRL_1_16: Preset = definePreset({
  name: "trl-1.16-grpo",
  summary: "the defaults of TRL 1.16's GRPO: a mean over tokens, no KL, one group of 8 a step",
  algorithm: "grpo",
  source: "huggingface/trl v1.16.0, GRPOConfig",
  differences: [
    NO_DROPOUT,
    F32,
    "TRL passes GPT-2 no position ids under left padding and so scores shifted positions; rows are padded " +
    "at their end here.",
  ],
  settings: {
    batchSize: 8,
    lossNormaliser: "tokens",
    klGradient: "unbiased", // once klCoefficient is above 0
    learningRate: 1e-6,
    learningRateSchedule: "linear",
    scheduleUnit: "optimizer-steps",
  },
});

const DR_GRPO: Preset = definePreset({
  name: "dr-grpo",
  summary: "Dr. GRPO as in Understanding R1-Zero: no division by length or deviation",
  algorithm: "dr-grpo",
  source: "Liu et al. 2025, arXiv 2503.20783; sail-sg/oat, examples/math_rl.sh",
  differences: [
    F32,
    "Responses had up to 3,000 tokens, the constant that the loss is divided by; here it is maxNewTokens.",
    "What the script leaves unsaid has the defaults of this project.",
  ],
  settings: { batchSize: 1024, groupSize: 8, minibatches: 8, learningRate: 1e-6 },
});

const DAPO: Preset = definePreset({
  name: "dapo",
  summary:
    "DAPO as published: groups of 16, sixteen minibatches a rollout, groups that teach nothing replaced",
  algorithm: "dapo",
  source: "Yu et al. 2025, arXiv 2503.14476, section 4.1; its recipe in verl",
  differences: [
    F32,
    "The penalty on overlong answers is off, as it depends on maxNewTokens: the paper's begins 4,096 tokens before " +
    "the end of 20,480 (overlongCache=4096).",
    "A batch of 512 prompts is for a cluster: batchSize=128 minibatches=1 is the same algorithm on one machine.",
  ],
  settings: {
    batchSize: 8192,
    groupSize: 16,
    minibatches: 16,
    learningRate: 1e-6,
    warmupSteps: 20,
    weightDecay: 0.1,
    surplusGroups: "discard",
  },
});

const GSPO: Preset = definePreset({
  name: "gspo",
  summary: "GSPO with the clip range of its paper, four minibatches a rollout",
  algorithm: "gspo",
  source: "Zheng et al. 2025, arXiv 2507.18071, section 5.1",
  differences: [
    "The paper names neither learning rate, group nor batch: those of TRL 1.16's GRPO stand here, with a batch " +
    "of four groups.",
  ],
  settings: {
    batchSize: 32,
    minibatches: 4,
    clipLow: 3e-4,
    clipHigh: 4e-4,
    learningRate: 1e-6,
    learningRateSchedule: "linear",
    scheduleUnit: "optimizer-steps",
  },
});

const RLOO: Preset = definePreset({
  name: "rloo",
  summary: "the defaults of TRL 1.16's RLOO: two completions a prompt, KL in the reward",
  algorithm: "rloo",
  source: "huggingface/trl v1.16.0, RLOOConfig",
  differences: [NO_DROPOUT, F32],
  settings: {
    batchSize: 8,
    groupSize: 2,
    klCoefficient: 0.05,
    learningRate: 1e-6,
    learningRateSchedule: "linear",
    scheduleUnit: "optimizer-steps",
  },
});

/** In the order of `--list`. */
export const PUBLISHED: readonly Preset[] = [
  ...[TRL_0_11, OPENAI_2019, TRL_1_16, DR_GRPO],
  ...[DAPO, GSPO, RLOO],
];
