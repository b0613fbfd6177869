/** The details of docs/details.md, in its order. @module */

/** One of them. */
export interface Detail {
  /** Heading under which it stands. */
  readonly about: string;
  /** What is done. */
  readonly title: string;
  /** What happens otherwise, or who does otherwise. */
  readonly why: string;
  /** Path of the file, and a part of the line that no other line of it has. */
  readonly code: readonly [path: string, part: string];
  /** Path of the file, and the test's name. */
  readonly test: readonly [path: string, name: string];
}

const about = (heading: string, details: readonly Omit<Detail, "about">[]): Detail[] =>
  details.map((detail) => ({ about: heading, ...detail }));

/** All of them. */
export const DETAILS: readonly Detail[] = [
  ...about("Which token is meant", [
    {
      title: "The log-probability of the token at t comes from the logits at t - 1",
      why:
        "So do its entropy and its value. One position off, a run still learns, more slowly, with an innocent curve; " +
        "only `sampling/logp_difference_max` tells.",
      code: ["model/rows.ts", "export function responseRows("],
      test: [
        "tests/model/rows_test.ts",
        "responseRows() takes the log-probability of response token t from the row before it",
      ],
    },
    {
      title: "Masks come from lengths, never from a token's id",
      why:
        "GPT-2 has no padding token; where end-of-text is taken for padding, the policy is never taught to stop.",
      code: ["rl/batch.ts", "export function alignResponses("],
      test: [
        "tests/rl/batch_test.ts",
        "a token that equals the padding id is a token: masks come from lengths alone",
      ],
    },
    {
      title: "The first end-of-text token is learned, what follows it is not",
      why: "The score lies on it: left out, a response of one word has no token that is paid.",
      code: ["rl/gae.ts", "if (t >= 0) reward[b * T + t] += score[b];"],
      test: [
        "tests/rl/trainer_test.ts",
        "the end-of-text token is learned like any other, and what follows it is not",
      ],
    },
    {
      title: "Rows are padded at their end alone",
      why:
        "Under left padding GPT-2 needs position ids of its own; TRL's GRPO passes none, and its log-probabilities " +
        "are off by up to 3.9 nats on a small model.",
      code: ["model/rows.ts", "export function responseRows("],
      test: [
        "tests/model/gpt2_test.ts",
        "what stands in the padding changes no result and gets no gradient",
      ],
    },
  ]),
  ...about("One distribution", [
    {
      title: "Temperature divides the logits in sampling, training and reference alike",
      why: "Otherwise the ratio is no ratio, and KL starts away from 0.",
      code: [
        "rl/experience.ts",
        "await policy.reference!(tokenBatch(rollout, chunk, { temperature }))",
      ],
      test: [
        "tests/rl/update_test.ts",
        "sampler, training pass and reference all see the temperature",
      ],
    },
    {
      title: "Ratios are to the training pass's log-probabilities of the old policy",
      why:
        "The sampler runs other kernels, with a cache: its numbers differ in the last digits, so that ratios to them " +
        "would not start at 1.",
      code: ["rl/update.ts", "oldLogprob: take(old.logprob),"],
      test: [
        "tests/rl/update_test.ts",
        "ratios are to the training pass's log-probabilities, not to the sampler's",
      ],
    },
    {
      title: "The ratio is exactly 1 before the first update",
      why:
        "The first pass over a whole rollout is the one that was evaluated: it is not run again, and gives the same bits.",
      code: ["rl/update.ts", "if (isFirst && isLast && piece.length === grid.B) return now;"],
      test: [
        "tests/rl/trainer_test.ts",
        "the ratio is exactly 1 in the first epoch, whether or not the pass is shared",
      ],
    },
    {
      title:
        "A row's random numbers belong to its index, and a sum's order never depends on the batch",
      why: "A rollout drawn in pieces is the rollout drawn whole, token for token.",
      code: ["model/generation/generate.ts", "row0?: number;"],
      test: [
        "tests/model/generation/generate_test.ts",
        "generate() draws the same for a prompt whatever batch it is in",
      ],
    },
  ]),
  ...about("From scores to advantages", [
    {
      title: "Equal scores are decided by comparing them, before any arithmetic",
      why:
        "In f32 the mean of sixteen scores of 0.7 is off by 1.2e-7; over an epsilon of 1e-6 that is an advantage of 0.1 " +
        "where there is nothing to learn.",
      code: ["rl/stats.ts", "const same = values.every((value) => value === values[0]);"],
      test: [
        "tests/rl/group_test.ts",
        "equal scores are equal: exactly 0, whatever rounding would make of their mean",
      ],
    },
    {
      title: "Statistics take two passes in double precision",
      why: "E[x^2] - mean^2 in f32 made an advantage of -2,075 of [0, 0.95 seven times] elsewhere.",
      code: ["rl/stats.ts", "const squares = values.reduce("],
      test: [
        "tests/rl/group_test.ts",
        "one score apart from seven equal ones: what exact arithmetic gives",
      ],
    },
    {
      title: "A group's deviation is the sample's, 1e-4 is added to it",
      why:
        "TRL does so; verl adds 1e-6, OpenRLHF 1e-9, the notebooks take the population's. With two completions the two " +
        "differ by the square root of 2.",
      code: ["rl/group.ts", 'advantageScale: { kind: "choice"'],
      test: ["tests/rl/group_test.ts", "four conventions of one name give four advantages"],
    },
    {
      title: "A response without a score is in no statistic",
      why: "Taken for 0, it would teach against whatever the reward could not read.",
      code: ["rl/group.ts", ".filter(([row]) => scored[row]);"],
      test: [
        "tests/rl/group_test.ts",
        "a response without a score counts in no statistic; a score alone has nothing to learn from",
      ],
    },
    {
      title: "Advantages are whitened over the tokens that exist, returns are not whitened",
      why:
        "Padding would pull the mean to 0. The value head learns returns in the reward's unit: whitened, its target " +
        "would move with every batch.",
      code: ["rl/stats.ts", "const scale = 1 / Math.sqrt("],
      test: [
        "tests/rl/stats_test.ts",
        "whitening a masked array equals whitening the trimmed one, whatever the garbage",
      ],
    },
    {
      title: "1e-8 is added to the variance, inside the root",
      why:
        "CleanRL adds it to the deviation: advantages that are equal up to rounding, 1e-7 apart, then become of size 1; here a thousandth.",
      code: ["rl/stats.ts", "const scale = 1 / Math.sqrt("],
      test: ["tests/rl/stats_test.ts", "1e-8 is added to the variance, inside the root"],
    },
    {
      title: "Nothing follows a response that was cut off, unless it is asked to",
      why:
        "Every published trainer of language models bootstraps 0 there; `truncated=value` takes the last estimate, as " +
        "control tasks must.",
      code: ["rl/gae.ts", "let nextValue = bootstrap ? bootstrap[b] : 0"],
      test: [
        "tests/rl/trainer_test.ts",
        "a cut-off response is followed by nothing, or by its last estimate if so configured",
      ],
    },
  ]),
  ...about("KL", [
    {
      title: "The penalty is subtracted from the reward, or added to the loss, never both",
      why:
        "verl once had the sign wrong in the loss, and its runs still looked as if they learned.",
      code: ["rl/gae.ts", "penalty[i] = -coefficient * kl[i];"],
      test: [
        "tests/rl/gae_test.ts",
        "the penalty is subtracted: drifting from the reference costs reward",
      ],
    },
    {
      title: "What estimates KL and what descends it are chosen apart",
      why:
        "k3 is right on average as a number, and its derivative descends the reverse divergence; the derivative of k1 " +
        "is 1, which is nothing on average.",
      code: ["rl/loss/kl_term.ts", "export const KL_GRADIENTS"],
      test: [
        "tests/rl/losses_test.ts",
        "in expectation over the policy's draws, k2 descends KL(policy || reference), k3 its reverse",
      ],
    },
    {
      title: "The coefficient changes after the update, by the KL of the rollout",
      why: "The one that a step reports is the one that it used.",
      code: ["rl/trainer.ts", "this.algorithm.next?.(facts) ?? facts.state"],
      test: [
        "tests/rl/trainer_test.ts",
        "kl/reference is the sum over a sequence, and the coefficient adapts after the step",
      ],
    },
    {
      title: "The log-ratio is clamped to 20 nats before exp, and has no gradient beyond",
      why: "One token that the reference holds impossible would make the loss infinite.",
      code: ["rl/kl.ts", "export function clampLogRatio("],
      test: [
        "tests/rl/ppo_test.ts",
        "a log-ratio past 20 nats is clamped: finite loss, no gradient",
      ],
    },
  ]),
  ...about("The loss", [
    {
      title: "The normaliser is worked out for the whole optimiser batch",
      why:
        "A mean of the means of pieces is another loss, and changes with how much memory there is.",
      code: ["rl/update.ts", "tokenMean(batch);"],
      test: [
        "tests/rl/algorithm_test.ts",
        "no size of the pieces changes the gradient, by whatever weights",
      ],
    },
    {
      title: "At a tie the unclipped branch is taken",
      why:
        "A ratio of exactly 1 has the whole gradient -A, also with a clip range of 0. Halves of it, as some automatic " +
        "differentiation gives at a tie, would be half a learning rate in the first pass.",
      code: ["rl/loss/clipped_ratio.ts", "(A >= 0 ? ratio <= 1 + clipHigh : ratio >= 1 - clipLow)"],
      test: [
        "tests/rl/ppo_test.ts",
        "at a ratio of exactly 1 the whole gradient -A / N passes, and nothing counts as clipped",
      ],
    },
    {
      title: "A token counts as clipped where clipping made its loss larger",
      why: "CleanRL counts every ratio outside the range, also those that are pulled back into it.",
      code: ["rl/loss/clipped_ratio.ts", "clipped: clippedLoss > unclippedLoss"],
      test: [
        "tests/rl/ppo_test.ts",
        "only a push further out of the clip range is cut, and only that counts as clipped",
      ],
    },
    {
      title: "The value is clipped around its old estimate",
      why: "Around the return it would be held where it should go.",
      code: ["rl/loss/value.ts", "const vClipped = Math.min(oldValue + valueClip"],
      test: [
        "tests/rl/ppo_test.ts",
        "the value is clipped around its old estimate, not around the return",
      ],
    },
    {
      title: "CISPO's cap is one absolute number, or two bounds around 1",
      why:
        "TRL and verl mean different things by the name; at TRL's default of 0.2 the first step is a fifth of " +
        "everybody else's.",
      code: ["rl/loss/clipped_weight.ts", 'const weight = weightClip === "absolute"'],
      test: [
        "tests/rl/suite_test.ts",
        "CISPO with an absolute cap of 0.2, as TRL's default is, takes a fifth of the first step",
      ],
    },
    {
      title: "Whether responses that are left out count in a mean over responses is said",
      why:
        "TRL counts them, verl and OpenRLHF do not: with a third cut off, the losses differ by a half.",
      code: ["rl/loss/normalise.ts", "const all = countMasked ? rows.length"],
      test: [
        "tests/rl/losses_test.ts",
        "normalisers: what each token counts, with and without rows that are left out",
      ],
    },
  ]),
  ...about("The update", [
    {
      title: "Past target KL the update ends before the step, and leaves no gradient",
      why: "Checked after it, the step that went too far has been taken.",
      code: ["rl/update.ts", 'if (targetKl > 0 && means["policy/approxkl"] > targetKl) {'],
      test: [
        "tests/rl/trainer_test.ts",
        "past target KL the update stops before the optimiser step and leaves no gradient",
      ],
    },
    {
      title: "Minibatches are drawn anew in every epoch",
      why: "One order for all of them would see the same rows together each time.",
      code: ["rl/update.ts", "permutation(B, { seed, step, epoch: pass })"],
      test: ["tests/rl/trainer_test.ts", "every epoch sees every row once, in another order"],
    },
    {
      title: "A gradient that is not finite takes no step, and does not count as one",
      why:
        "Moments that were NaN once stay so; a count that went on would change the size of later steps.",
      code: ["kernels/adamw.ts", "export function advanceAdamw("],
      test: [
        "tests/kernels/adamw_test.ts",
        "advanceAdamw() does not count a step whose norm was not finite",
      ],
    },
    {
      title: "eps is added to the bias-corrected root, as PyTorch does",
      why:
        "TensorFlow's Adam adds it before: OpenAI's own PPO had a sixth of PyTorch's approxkl for that alone.",
      code: ["kernels/adamw.ts", "export function adamw("],
      test: ["tests/kernels/adamw_test.ts", "adamw() takes the steps that torch.optim.AdamW takes"],
    },
    {
      title: "The first warm-up step is not spent on a rate of 0",
      why: "Warm-up step s has (s + 1) / (warmup + 1) of the peak.",
      code: ["base/schedules.ts", "if (step < warmup) return"],
      test: [
        "tests/base/schedules_test.ts",
        "warm-up grows evenly, never gives 0, and reaches the peak after its last step",
      ],
    },
    {
      title: "The value head begins at zero",
      why: "Noise would be an estimate, and the first advantages would believe it.",
      code: ["model/layout.ts", "export function valueHeadSpecs("],
      test: [
        "tests/model/files/folder_test.ts",
        "load() leaves a value head that is not wanted, and starts one that is missing at zero",
      ],
    },
    {
      title: "There is no dropout",
      why:
        "Dropout while sampling makes another policy of every pass: the ratio is not 1, KL was thousands at step 1 in one report. TRL " +
        "0.11 with GPT-2's default of 0.1 ends colors at 0.83 instead of 1.00.",
      code: ["model/gpt2.ts", "transformers computes them without dropout."],
      test: [
        "tests/model/gpt2_test.ts",
        "the same seed gives the same weights and steps, bit for bit",
      ],
    },
  ]),
];
