/**
 * How the value head of a policy learns beside it: its settings, and the turns in which the two learn from
 * a rollout. Algorithms with a value head spread `CRITIC_ROWS` into their own rows.
 *
 * The head is a linear layer on the policy's last hidden state, so that most of what makes a critic is
 * shared with the policy. "The value head alone" means the parameters of that layer: the trunk beneath it
 * stays, and so does the policy. With criticFirst=trunk the value loss moves the trunk as well.
 * @module
 */
import type { OptionRows, OptionValues } from "../base/options.ts";
import type { Algorithm, StepFacts, UpdatePhase } from "./algorithm.ts";
import type { ValueHeadNeeds } from "./needs.ts";
import { ratesOfUpdate } from "./phases.ts";
import { maskedMean, maskedVariance, mean } from "./stats.ts";
import { MAX_STEPS, type TrainerConfig } from "./trainer_options.ts";

/** Rows of the value head. */
// deno-fmt-ignore
export const CRITIC_ROWS = {
  valueLearningRate: { kind: "number", min: 0, max: 1e6, otherwise: "learningRate", usual: "1 to 10 times learningRate", doc: "AdamW step size of the value head; follows the schedule of learningRate", group: "Value head" },
  criticWarmup: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, unit: "rollouts", usual: "0, 5 to 20", doc: "rollouts at the start from which the value head alone learns; the policy stays as it is", group: "Value head" },
  criticFirst: { kind: "choice", choices: ["off", "head", "trunk"], default: "off", doc: "the value loss has epochs of its own, before those of the policy loss; they move the value head alone, or the trunk too", group: "Value head" },
  criticEpochs: { kind: "integer", min: 1, max: 1000, otherwise: "epochs", usual: "1 to 8", only: { criticFirst: { not: "off" } }, doc: "passes over each rollout by the value loss", group: "Value head" },
  detachValue: { kind: "boolean", default: false, doc: "the value loss moves the value head alone: its gradient does not reach the trunk", group: "Value head" },
  valueInit: { kind: "choice", choices: ["zero", "normal"], default: "zero", doc: "start of a value head that the model's folder does not have: 0, or normal with standard deviation 1 / (channels + 1)", group: "Value head" },
  clipApart: { kind: "boolean", default: false, doc: "gradients of value head and policy are clipped to maxGradNorm each apart", group: "Value head" },
} as const satisfies OptionRows;

/**
 * Settings of the value head. Others have them too: warm-up is OpenRLHF's `critic.freezing_steps`, verl's
 * `critic_warmup` and NeMo RL's `policy_training_start_step`; verl and NeMo RL update the critic first;
 * OpenRLHF draws a fresh head from the same normal distribution.
 */
export type CriticConfig = OptionValues<typeof CRITIC_ROWS>;

/** What these settings want of the policy's value head. */
export const valueHeadNeeds = (
  { detachValue: detached, valueInit: init, clipApart }: CriticConfig,
): ValueHeadNeeds => ({ detached, init, clipApart });

/** The turns of the update of step `step`, which counts from 0. */
export function criticPhases(
  config: Readonly<CriticConfig & TrainerConfig>,
  step: number,
): UpdatePhase[] {
  const { epochs, learningRate: policy, valueLearningRate: value = policy } = config;
  const { criticWarmup, criticFirst, criticEpochs = epochs, detachValue } = config;
  const isFirst = criticFirst !== "off", passes = isFirst ? criticEpochs : epochs;
  const head = { value };
  if (step < criticWarmup) return [{ epochs: passes, losses: "value", rates: head }];
  if (!isFirst) return [{ epochs, losses: "all", rates: { policy, value } }];
  // Without a gradient of its own the trunk would still move, by its moments.
  const movesTrunk = criticFirst === "trunk" && !detachValue;
  return [
    { epochs: passes, losses: "value", rates: movesTrunk ? { policy, value } : head },
    { epochs, losses: "policy", rates: { policy } },
  ];
}

/** Means of a value loss's sums, by the names of their metrics. */
const OF_LOSS = ["loss/value", "value/pred", "value/error", "value/clipfrac"] as const;

/** What is to be told of a value head: how it was before the update, and how it learned. */
export function criticReport<C>(
  algorithm: Algorithm<C>,
  facts: StepFacts<C>,
): Record<typeof OF_LOSS[number] | "value/mean" | "value/var" | "value/learning_rate", number> {
  const { experience: { grid: { mask }, old }, update } = facts;
  const learned = update.critic ?? update.batches;
  const [loss, pred, error, clipfrac] = OF_LOSS
    .map((name) => mean(learned.map(({ sum, tokens }) => sum[name] / tokens)));
  return {
    "loss/value": loss,
    "value/pred": pred,
    "value/error": error,
    "value/clipfrac": clipfrac,
    "value/mean": maskedMean(old.value!, mask),
    "value/var": maskedVariance(old.value!, mask, "sample"),
    "value/learning_rate": ratesOfUpdate(algorithm, facts).value,
  };
}
