/** The loss that the algorithms written in tests share. @module */
import type { LossInputs, LossResult } from "../../rl/algorithm.ts";
import { emptySums } from "../../rl/loss/sums.ts";

/** -A log pi and its gradient; reported as `loss/policy`. */
export function policyGradientLoss(
  { grid: { mask }, logprob, advantage }: LossInputs,
  weight: Float64Array,
): LossResult {
  const dlogprob = Float32Array.from(mask, (m, i) => m ? -advantage[i] * weight[i] : 0);
  let tokens = 0, policy = 0;
  mask.forEach((m, i) => m && (tokens++, policy -= advantage[i] * logprob[i]));
  return {
    sums: { ...emptySums(), tokens, sum: { "loss/policy": policy } },
    gradient: { dlogprob },
  };
}
