/**
 * KL(policy || reference) as a term of the loss. A value that is right on average does not make a gradient
 * that is right on average: they are chosen apart. With l of the policy, q of the reference, and the ratio
 * rho = exp(l - l') to the policy that drew the token, whose expectations are over its draws:
 *
 *   k3        1 - exp(q - l)    the derivative of k3: descends KL(reference || policy)
 *   k2        l - q             the derivative of k2: descends KL(policy || reference) while on-policy
 *   unbiased  rho (l - q)       the derivative of rho k3: descends KL(policy || reference), always
 *
 * The last two are one in the first update of a rollout. The derivative of k1 is 1, whose expectation is
 * 0 whatever the policy: it is no choice here.
 * GRPO has k3 (Shao et al. 2024, arXiv 2402.03300, equation 4); DeepSeek-V3.2 (arXiv 2512.02556) and TRL
 * since 1.10 multiply it by the ratio.
 * @module
 */
import { clampLogRatio, klEstimate, type KlEstimator } from "../kl.ts";

/** Choices of the gradient. */
export const KL_GRADIENTS = ["k3", "k2", "unbiased"] as const;

/** How the KL term descends. */
export type KlGradient = typeof KL_GRADIENTS[number];

/** Value in nats and d value / d logprob of one token's KL term. */
export function klTerm(
  { logprob: l, oldLogprob, reference: q }: {
    logprob: number;
    oldLogprob: number;
    reference: number;
  },
  { klEstimator, klGradient }: { klEstimator: KlEstimator; klGradient: KlGradient },
): { value: number; gradient: number } {
  const d = l - q, value = klEstimate(d, klEstimator), clamped = clampLogRatio(d);
  switch (klGradient) {
    case "k3":
      return { value, gradient: -Math.expm1(-clamped) };
    case "k2":
      return { value, gradient: clamped };
    case "unbiased":
      return { value, gradient: Math.exp(clampLogRatio(l - oldLogprob)) * clamped };
  }
}
