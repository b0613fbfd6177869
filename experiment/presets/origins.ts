/**
 * The settings of the four published systems beside those of their presets: what was set there, what is
 * set here and why it differs. docs/seeds.md is made from it.
 * @module
 */

/** One setting of a system. */
export interface OriginRow {
  /** What is set, in words; in place of `setting`, where a run here has no such setting. */
  readonly about?: string;
  /** The setting's name on the command line: what it is here is read from the preset. */
  readonly setting?: string;
  /** What it was there. */
  readonly theirs: string;
  /** What it is here, where no setting says so. */
  readonly ours?: string;
  /** Why it differs; absent where it does not. */
  readonly why?: string;
}

/** A system, and the commands that repeat its runs. */
export interface Origin {
  /** Name of its preset. */
  readonly preset: string;
  readonly title: string;
  /** What it was, in a few sentences. */
  readonly story: string;
  /** Its runs, at its own sizes: what, and the command. */
  readonly runs: readonly (readonly [what: string, command: string])[];
  readonly rows: readonly OriginRow[];
}

const PADDING = "EOS is learned and ends a text; padding stands only behind it.";
const WHOLE = "What is drawn is what is trained: log-probabilities are of the whole distribution.";
const NO_DROPOUT = "The policy that samples must be the one that is trained.";

const PGSRM: Origin = {
  preset: "seed-pgsrm",
  title: "PGSRM: a parent's answer and a semantic reward",
  story:
    "GPT-2 learns five small tasks from the answers of a larger model, once by a reward of 1 or 0 and once by the " +
    "nearness of two embeddings. 100,000 episodes of one prompt each, an update every 50 or 10.",
  runs: [
    ["colors, opposites, categories, semantic", "train opposites --preset seed-pgsrm --model gpt2"],
    ["the same, binary", "train opposites --preset seed-pgsrm --reward exact --model gpt2"],
    [
      "copy and negative",
      "train copy --preset seed-pgsrm --steps 10000 --model gpt2-large batchSize=10 klControl=fixed",
    ],
    ["without a download", "train opposites --preset seed-pgsrm --model small"],
  ],
  // deno-fmt-ignore
  rows: [
    { about: "model", theirs: "gpt2; gpt2-large for copy and negative", ours: "any: --model" },
    { about: "parent", theirs: "gpt-4o-mini, asked once a prompt and cached", ours: "a table in tasks/data; parent=URL asks a server", why: "A fixed list of answers was all that it came to, and it needs no key." },
    { about: "prompts", theirs: "90, 94, 100, 100, 101, all trained on", ours: "as many of our own, a fifth held out", why: "What is measured on trained prompts may be memory." },
    { about: "steps", theirs: "2,000 of 50 (copy, negative: 10,000 of 10)", ours: "2,000 (--steps 10000)" },
    { about: "evaluation", theirs: "none", ours: "greedy, held-out, before and after", why: "A mean reward of training says little." },
    { about: "dropout", theirs: "0.1, on while sampling from the second batch on", ours: "none", why: NO_DROPOUT },
    { about: "padding", theirs: "EOS, between prompt and response", ours: "only at the end", why: PADDING },
    { about: "top-k", theirs: "50 in sampling, none in training", ours: "none", why: WHOLE },
    { setting: "batchSize", theirs: "50" },
    { setting: "temperature", theirs: "1" },
    { setting: "epochs", theirs: "1" },
    { setting: "minibatches", theirs: "1" },
    { setting: "learningRate", theirs: "1e-5" },
    { setting: "valueLearningRate", theirs: "1e-4" },
    { setting: "adamBeta1", theirs: "0.9" },
    { setting: "adamBeta2", theirs: "0.999" },
    { setting: "adamEps", theirs: "1e-8" },
    { setting: "weightDecay", theirs: "0.01" },
    { setting: "maxGradNorm", theirs: "1" },
    { setting: "clipApart", theirs: "true" },
    { setting: "detachValue", theirs: "true" },
    { setting: "valueCoefficient", theirs: "0.5" },
    { setting: "entropyCoefficient", theirs: "0.01" },
    { setting: "klControl", theirs: "stepwise", },
    { setting: "klCoefficient", theirs: "5e-5" },
    { setting: "klTarget", theirs: "0.8" },
    { setting: "klFactor", theirs: "1.5" },
    { setting: "klBand", theirs: "1.5" },
    { setting: "klCeiling", theirs: "none", why: "By k1's gradient KL does not come back, so that a coefficient without an end overflows." },
    { setting: "semanticEmbedder", theirs: "Numberbatch, 300 numbers a word; text-embedding-3-large for sentences", why: "Those are a gigabyte, or behind a key: semanticEmbedder=FILE or a server's URL takes them." },
    { setting: "semanticMapping", theirs: "affine" },
    { setting: "semanticPower", theirs: "4" },
    { setting: "semanticOov", theirs: "floor", why: "There a text without any known word earned 0.0625, more than a wrong word." },
  ],
};

const ANALOGIES: Origin = {
  preset: "seed-grpo-analogies",
  title: "GRPO on analogies",
  story:
    'A notebook: gpt-neo-125M completes "A is to B as C is to" with one token, rewarded where its first word is ' +
    "among the targets, by groups of four whose rewards are compared.",
  runs: [
    ["as it ran", "train analogies --preset seed-grpo-analogies --model EleutherAI/gpt-neo-125M"],
    [
      "as its text describes it: nearness of words",
      "train analogies --preset seed-grpo-analogies --reward semantic --model EleutherAI/gpt-neo-125M",
    ],
    ["without a download", "train analogies --preset seed-grpo-analogies --model small"],
  ],
  // deno-fmt-ignore
  rows: [
    { about: "model", theirs: "EleutherAI/gpt-neo-125M", ours: "any: --model" },
    { about: "prompts", theirs: "20, repeated 40 times; asked again to evaluate", ours: "a list of our own, a part held out", why: "Asking what was trained measures memory." },
    { about: "steps", theirs: "300", ours: "300" },
    { about: "reward", theirs: "first word among the targets (its text says: nearness)", ours: "first_word; semantic is the text's" },
    { about: "first token of a response", theirs: "counted from the left of a row padded at the left", ours: "counted from the prompt's end", why: "Its slice began inside shorter prompts, and KL drove their log-probabilities down: losses of -170." },
    { about: "positions", theirs: "those of the padded row, in training alone", ours: "from 0 at a text's first token", why: "Sampling and training must see the same text." },
    { about: "top-k", theirs: "50 in sampling, none in training", ours: "none", why: WHOLE },
    { setting: "batchSize", theirs: "32" },
    { setting: "maxNewTokens", theirs: "1" },
    { setting: "temperature", theirs: "1" },
    { setting: "groupSize", theirs: "4" },
    { setting: "epochs", theirs: "1" },
    { setting: "learningRate", theirs: "1e-5" },
    { setting: "maxGradNorm", theirs: "0" },
    { setting: "weightDecay", theirs: "0.01" },
    { setting: "advantageScale", theirs: "population" },
    { setting: "advantageEpsilon", theirs: "1e-5" },
    { setting: "lossNormaliser", theirs: "sequence-sums" },
    { setting: "klCoefficient", theirs: "0.1" },
    { setting: "klGradient", theirs: "k1", why: "The gradient of k1 as a loss is 0 in the mean: it holds nothing back." },
  ],
};

const LOSSFUNK: Origin = {
  preset: "seed-lossfunk",
  title: "LossFunk: six reward structures",
  story:
    "GRPO with an adapter on two data sets under three kinds of reward each: right or wrong, how near, and how " +
    "likely the text is. In the original both reward slots called one function, so that its perplexity runs never " +
    "measured perplexity.",
  runs: [
    [
      "math, hard",
      "train math --preset seed-lossfunk --reward numeric_hard,format data=openai/gsm8k tags=true --model gpt2",
    ],
    [
      "math, soft",
      "train math --preset seed-lossfunk --reward numeric_soft,format data=openai/gsm8k tags=true --model gpt2",
    ],
    [
      "math, perplexity",
      "train math --preset seed-lossfunk --reward perplexity,format data=openai/gsm8k tags=true --model gpt2",
    ],
    [
      "dialogue, hard",
      "train dialogue --preset seed-lossfunk --reward judge_hard,format data=tatsu-lab/alpaca --model gpt2",
    ],
    [
      "dialogue, soft",
      "train dialogue --preset seed-lossfunk --reward judge_soft,format data=tatsu-lab/alpaca --model gpt2",
    ],
    [
      "dialogue, perplexity",
      "train dialogue --preset seed-lossfunk --reward perplexity,format data=tatsu-lab/alpaca perplexityModel=microsoft/DialoGPT-small perplexityScale=30 perplexityContext=alone --model gpt2",
    ],
    [
      "without a download",
      "train math --preset seed-lossfunk --reward numeric_soft,format --model small",
    ],
  ],
  // deno-fmt-ignore
  rows: [
    { about: "model", theirs: "Llama 3.2 3B Instruct in 4 bits", ours: "any GPT-2 or GPT-Neo: --model", why: "This project has kernels for these." },
    { about: "adapter's layers", theirs: "q, k, v, o, gate, up, down", ours: "c_attn, c_proj, c_fc: all linear layers of a GPT-2" },
    { about: "data", theirs: "800 drawn from GSM8K's or Alpaca's training rows, without a seed", ours: "the same files, drawn by seed, a part held out", why: "A run must be repeatable, and measured on what it was not trained on." },
    { about: "steps", theirs: "100", ours: "100" },
    { about: "rewards", theirs: "two functions that were one: the last", ours: "each by its own name and column", why: "Both columns of its tables hold the same numbers." },
    { about: "number of an answer", theirs: "the first in the <answer> tag or the whole text", ours: "the tag's, else the text's last", why: "Working begins with other numbers: right answers scored 0. numericHardExtract=parity is the original's." },
    { about: "a judge that fails", theirs: "5 of 10, or 0", ours: "no score, counted", why: "56 of 300 calls failed there and were learned from." },
    { setting: "batchSize", theirs: "3, 8 or 32", why: "Its experiments differ; 8 is that of math." },
    { setting: "groupSize", theirs: "3 or 4" , why: "4 is that of most of its runs." },
    { setting: "loraRank", theirs: "32" },
    { setting: "loraAlpha", theirs: "32" },
    { setting: "loraTargets", theirs: "all-linear" },
    { setting: "learningRate", theirs: "5e-6" },
    { setting: "learningRateSchedule", theirs: "cosine" },
    { setting: "warmupSteps", theirs: "10" },
    { setting: "adamBeta1", theirs: "0.9" },
    { setting: "adamBeta2", theirs: "0.99" },
    { setting: "weightDecay", theirs: "0.1" },
    { setting: "maxGradNorm", theirs: "0.1" },
    { setting: "clipLow", theirs: "0.2" },
    { setting: "clipHigh", theirs: "0.2" },
    { setting: "advantageScale", theirs: "sample" },
    { setting: "lossNormaliser", theirs: "tokens" },
    { setting: "klCoefficient", theirs: "not stated; KL was logged", why: "0.001 was Unsloth's default of that time." },
    { about: "optimizer", theirs: "AdamW, paged, 8 bits", ours: "AdamW, f32" , why: "f32 moments need no correction." },
  ],
};

const IMDB: Origin = {
  preset: "seed-ppo-imdb",
  title: "PPO on film reviews",
  story:
    "GPT-2 continues the first 128 tokens of a film review and is rewarded for a kind ending, as a DistilBERT " +
    "classifier sees it, with a price on leaving the base model.",
  runs: [
    [
      "as it ran",
      "train imdb --preset seed-ppo-imdb data=stanfordnlp/imdb sentimentModel=lvwerra/distilbert-imdb --model gpt2",
    ],
    ["without a download", "train imdb --preset seed-ppo-imdb --model small"],
  ],
  // deno-fmt-ignore
  rows: [
    { about: "model", theirs: "gpt2 with a value head on the shared trunk", ours: "the same: --model gpt2" },
    { about: "prompts", theirs: "64 a step of IMDB's training reviews, 128 tokens", ours: "the same file, or 240 beginnings of our own" },
    { about: "steps", theirs: "10: 160 optimizer steps", ours: "10" },
    { about: "reward", theirs: "2p - 1 of lvwerra/distilbert-imdb, response alone", ours: "the same with sentimentModel=; without it VADER's lexicon" },
    { about: "log-probabilities", theirs: "logits at t by the token at t", ours: "logits at t - 1 by the token at t", why: "It was another quantity: ratio, KL and entropy were of a token that was already there." },
    { about: "values", theirs: "of the state behind a token", ours: "of the state before it", why: "The same shift." },
    { about: "padding", theirs: "EOS, at the left", ours: "only at the end", why: PADDING },
    { about: "filter", theirs: "top-k 50, top-p 0.9 in sampling alone", ours: "none", why: WHOLE },
    { about: "order of minibatches", theirs: "drawn once an update", ours: "drawn anew in each epoch", why: "So PPO is described." },
    { about: "whitening", theirs: "over padding too", ours: "over the tokens that exist", why: "Zeros of padding shrink mean and deviation." },
    { setting: "batchSize", theirs: "64" },
    { setting: "maxNewTokens", theirs: "64" },
    { setting: "temperature", theirs: "1" },
    { setting: "epochs", theirs: "4" },
    { setting: "minibatches", theirs: "4" },
    { setting: "learningRate", theirs: "5e-6" },
    { setting: "adamBeta1", theirs: "0.9" },
    { setting: "adamBeta2", theirs: "0.999" },
    { setting: "weightDecay", theirs: "0" },
    { setting: "maxGradNorm", theirs: "1" },
    { setting: "gamma", theirs: "1" },
    { setting: "lambda", theirs: "0.95" },
    { setting: "clipLow", theirs: "0.2" },
    { setting: "clipHigh", theirs: "0.2" },
    { setting: "valueClip", theirs: "0.2" },
    { setting: "valueCoefficient", theirs: "0.1" },
    { setting: "entropyCoefficient", theirs: "0.02" },
    { setting: "klControl", theirs: "fixed" },
    { setting: "klCoefficient", theirs: "1" },
    { setting: "klEstimator", theirs: "k1" },
    { setting: "whitenAdvantages", theirs: "sample" },
  ],
};

/** The four systems, in the order of docs/seeds.md. */
export const ORIGINS: readonly Origin[] = [PGSRM, ANALOGIES, LOSSFUNK, IMDB];
