/** The plain policy gradient (Williams 1992), which has no ratio: for rollouts of the present policy. @module */

/**
 * loss = -A l, whose gradient with respect to the log-probability l is -A. After the first update of a
 * rollout it is off-policy, and nothing holds it back.
 */
export const policyGradientLoss = (
  { logprob, advantage: A }: { logprob: number; advantage: number },
): { loss: number; gradient: number; clipped: boolean } => ({
  loss: -A * logprob,
  gradient: -A,
  clipped: false,
});
