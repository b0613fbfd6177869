/**
 * The loss of the algorithms without a value head: what every one of them pays beside its policy loss,
 * and the settings that say how.
 *
 *   total = sum w (u policy + klCoefficient * KL - entropyCoefficient * H)
 *
 * with w the normaliser, u the weights of off_policy.ts and entropy_share.ts, the KL of kl_term.ts where it
 * is in the loss, and H the entropy.
 * @module
 */
import { type Option, type OptionValues, withDefaults } from "../../base/options.ts";
import type { LossInputs, LossResult, Needs, StepContext } from "../algorithm.ts";
import { keepRows, type Numbers, type ResponseGrid, slotsOf } from "../batch.ts";
import { KL_ROWS } from "../kl_control.ts";
import { ENTROPY_ROWS, entropyCoefficientAt } from "./entropy.ts";
import { ENTROPY_SHARE_ROWS } from "./entropy_share.ts";
import { KL_GRADIENTS, type KlGradient, klTerms, withoutSequenceRatio } from "./kl_term.ts";
import { NORMALISER_ROWS } from "./normalise.ts";
import { OFF_POLICY_ROWS, offPolicyWeights } from "./off_policy.ts";
import type { PolicyLoss } from "./response.ts";
import { emptySums } from "./sums.ts";

type Choice<C extends string> = Option & { kind: "choice"; choices: readonly C[]; default: C };

/** Rows that each of them has beside its own. */
export type CriticFreeRows =
  & typeof NORMALISER_ROWS
  & typeof ENTROPY_ROWS
  & typeof ENTROPY_SHARE_ROWS
  & typeof OFF_POLICY_ROWS
  & typeof KL_ROWS
  & {
    maskTruncated: Option & { kind: "boolean"; default: boolean };
    klIn: Choice<"loss" | "reward">;
    klGradient: Choice<KlGradient>;
  };

/** The rows themselves. */
// deno-fmt-ignore
export const CRITIC_FREE_ROWS: CriticFreeRows = {
  ...NORMALISER_ROWS,
  maskTruncated: { kind: "boolean", default: false, doc: "responses that were cut off are not learned from", group: "Loss" },
  ...ENTROPY_ROWS,
  ...ENTROPY_SHARE_ROWS,
  ...OFF_POLICY_ROWS,
  klIn: { kind: "choice", choices: ["loss", "reward"], default: "loss", doc: "where KL to the reference is paid: a term of the loss, or taken off each response's score", group: "KL penalty" },
  klGradient: { kind: "choice", choices: KL_GRADIENTS, default: "k3", only: { klIn: "loss" }, check: withoutSequenceRatio, doc: "in the loss: what its gradient is the derivative of; unbiased is k3 times the token's ratio, full is KL itself over the vocabulary, without the noise of the token drawn. For parity alone: k1, whose expectation is 0, and sequence-ratio, k3 times the response's ratio, as TRL has it for gspo and luspo", group: "KL penalty" },
  ...withDefaults(KL_ROWS, { klEstimator: "k3", klControl: "fixed", klCoefficient: 0 }),
};

/** Settings that every algorithm without a value head has. */
export type CriticFreeConfig = OptionValues<CriticFreeRows>;

/** Where KL over the whole vocabulary is read with these settings, as far as KL is. */
export const fullKlIn = ({ klIn, klEstimator, klGradient }: CriticFreeConfig): Needs["kl"] =>
  klIn === "loss" && (klEstimator === "full" || klGradient === "full")
    ? "loss"
    : klEstimator === "full"
    ? "advantages"
    : undefined;

/** Policy loss, KL and entropy of some rows, with their gradients. */
export function criticFreeLoss<C>(
  policyLoss: PolicyLoss<C>,
  piece: LossInputs,
  { weight, context }: { weight: Float64Array; context: StepContext<C & CriticFreeConfig> },
): LossResult {
  const { grid: { B, T }, logprob, entropy, oldLogprob, sampled, reference } = piece;
  const { kl: full, policyWeight } = piece;
  const { config, state: { klCoefficient } } = context;
  const entropyCoefficient = entropyCoefficientAt(context);
  const dlogprob = new Float32Array(B * T), dentropy = new Float32Array(B * T);
  const descends = reference && config.klIn === "loss" && config.klGradient === "full";
  const dkl = descends ? new Float32Array(B * T) : undefined;
  let tokens = 0, policy = 0, clipped = 0, kl = 0, H = 0;
  for (let b = 0; b < B; b++) {
    const at = slotsOf(piece.grid, b);
    if (at.length === 0) continue;
    const take = (x: Numbers) => Float64Array.from(at, (i) => x[i]);
    const tokensOf = { logprob: take(logprob), oldLogprob: take(oldLogprob) };
    const advantage = take(piece.advantage);
    const drawn = { ...tokensOf, sampled: take(sampled), advantage: advantage[0] };
    const ofToken = offPolicyWeights(drawn, config)
      .map((u, t) => u * (policyWeight?.[at[t]] ?? 1) * weight[at[t]]);
    const of = policyLoss({ ...tokensOf, advantage, weight: ofToken }, config);
    policy += of.loss;
    clipped += of.clipped;
    tokens += at.length;
    const ofKl = reference && config.klIn === "loss"
      ? klTerms({ ...tokensOf, reference: take(reference), kl: full && take(full) }, config)
      : undefined;
    at.forEach((i, t) => {
      const w = weight[i];
      H += w * entropy[i];
      dentropy[i] = -entropyCoefficient * w;
      dlogprob[i] = of.gradient[t];
      if (!ofKl) return;
      kl += w * ofKl.value[t];
      dlogprob[i] = of.gradient[t] + klCoefficient * w * ofKl.gradient[t];
      if (dkl && ofKl.ofFull) dkl[i] = klCoefficient * w * ofKl.ofFull[t];
    });
  }
  const sums = {
    ...emptySums(),
    tokens,
    sum: { "policy/clipfrac": clipped },
    weighted: { "loss/policy": policy, "loss/kl": kl, "loss/entropy": H },
  };
  return { sums, gradient: { dlogprob, dentropy, ...(dkl && { dkl }) } };
}

/** The grid of what is learned from: without responses that were cut off, where that is so configured. */
export const learnedOf = (
  { grid, rollout: { finished } }: {
    grid: ResponseGrid;
    rollout: { finished: readonly boolean[] };
  },
  { maskTruncated }: CriticFreeConfig,
): ResponseGrid => maskTruncated ? keepRows(grid, finished) : grid;
