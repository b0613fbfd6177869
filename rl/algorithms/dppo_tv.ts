/**
 * Divergence PPO with total variation (Qi et al. 2026, arXiv 2602.04879): a token stops learning when its
 * probability has moved too far, not its ratio, so that rare tokens go on learning.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { probabilityStepLoss, STEP_ROWS } from "../loss/probability_step.ts";
import { perToken } from "../loss/response.ts";
import { criticFree } from "./critic_free.ts";

/** Trust region in probability in the place of the ratio's clip. */
export const dppoTv = criticFree({
  name: "dppo-tv",
  summary: "trust region in probability in the place of the ratio's clip",
  paper: "Qi et al. 2026, arXiv 2602.04879",
  rows: { ...GROUP_ROWS, ...STEP_ROWS },
  defaults: { lossNormaliser: "tokens" },
  loss: perToken(probabilityStepLoss),
});
