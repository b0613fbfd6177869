/**
 * KL(policy || reference) as a term of the loss. A value that is right on average does not make a gradient
 * that is right on average: they are chosen apart. With l of the policy, q of the reference, and the ratio
 * rho = exp(l - l') to the policy that drew the token, at the places that were drawn and in expectation over
 * the tokens drawn there:
 *
 *   k3        1 - exp(q - l)    the derivative of k3: descends KL(reference || policy) while on-policy
 *   k2        l - q             the derivative of k2, and k1 as a score: descends KL(policy || reference)
 *                               while on-policy
 *   unbiased  rho (l - q)       the derivative of rho k3: descends KL(policy || reference), always
 *   full      none by l         the derivative of KL(policy || reference) itself, by every logit of the
 *                               place: p (log p - log q - KL), without the noise of the token drawn
 *
 * The last two are one in the first update of a rollout. Two more are faults that are in use, here so that
 * they can be studied:
 *
 *   k1              1           the derivative of k1: its expectation is 0 whatever the policy, so that it
 *                               holds nothing back and adds noise
 *   sequence-ratio  the derivative of s k3 with s = exp(mean_t (l_t - l'_t)) of the whole response:
 *                   s (1 - exp(q - l)) + s mean_t k3_t. The second part raises or lowers the response as a
 *                   whole; it estimates the gradient of no KL. The value is s times the estimate.
 *
 * GRPO has k3 (Shao et al. 2024, arXiv 2402.03300, equation 4); DeepSeek-V3.2 (arXiv 2512.02556) and TRL
 * since 1.10 multiply it by the ratio: the token's, but where GSPO's ratio of a response is used, that one.
 * @module
 */
import { clampLogRatio, klEstimate, type KlEstimator } from "../kl.ts";

/** Choices of the gradient. */
export const KL_GRADIENTS = ["k3", "k2", "unbiased", "full", "k1", "sequence-ratio"] as const;

/** How the KL term descends. */
export type KlGradient = typeof KL_GRADIENTS[number];

/** The rule of an algorithm that has no mean ratio of a response, where the gradient breaks it. */
export const withoutSequenceRatio = (gradient: unknown): string | undefined =>
  gradient === "sequence-ratio"
    ? "another, such as unbiased, as this algorithm has no mean ratio of a response to multiply KL by"
    : undefined;

/** What the KL term reads of one response: its tokens that count, n of them, in order. */
export interface KlTokens {
  /** (n) l */
  logprob: Float64Array;
  /** (n) l' */
  oldLogprob: Float64Array;
  /** (n) q */
  reference: Float64Array;
  /** (n) KL over the vocabulary; needed where value or gradient are `full`. */
  kl?: Float64Array;
}

/**
 * (n) Values in nats and d value / d logprob of one response's KL terms, whose tokens count the same; with the
 * gradient `full` also d value / d KL.
 */
export function klTerms(
  { logprob, oldLogprob, reference, kl }: KlTokens,
  { klEstimator, klGradient }: { klEstimator: KlEstimator; klGradient: KlGradient },
): { value: Float64Array; gradient: Float64Array; ofFull?: Float64Array } {
  const d = logprob.map((l, t) => l - reference[t]);
  const value = klEstimator === "full" ? kl!.slice() : d.map((of) => klEstimate(of, klEstimator));
  switch (klGradient) {
    case "full":
      return { value, gradient: value.map(() => 0), ofFull: value.map(() => 1) };
    case "k3":
      return { value, gradient: d.map(ofK3) };
    case "k2":
      return { value, gradient: d.map(clampLogRatio) };
    case "unbiased": {
      const ratio = logprob.map((l, t) => Math.exp(clampLogRatio(l - oldLogprob[t])));
      return { value, gradient: d.map((of, t) => ratio[t] * clampLogRatio(of)) };
    }
    case "k1":
      return { value, gradient: new Float64Array(d.length).fill(1) };
    case "sequence-ratio": {
      const mean = (x: Float64Array) => x.reduce((sum, of) => sum + of, 0) / x.length;
      const ratio = Math.exp(clampLogRatio(mean(logprob.map((l, t) => l - oldLogprob[t]))));
      const k3 = mean(d.map((of) => klEstimate(of, "k3")));
      return {
        value: value.map((of) => ratio * of),
        gradient: d.map((of) => ratio * (ofK3(of) + k3)),
      };
    }
  }
}

/** d k3 / d logprob. */
const ofK3 = (d: number): number => -Math.expm1(-clampLogRatio(d));
