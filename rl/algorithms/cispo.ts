/**
 * CISPO (MiniMax-M1, 2025, arXiv 2506.13585): the bounded ratio is a constant weight of the policy
 * gradient, so that clipping never takes a token's gradient away.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { clippedWeightLoss, WEIGHT_ROWS } from "../loss/clipped_weight.ts";
import { perToken } from "../loss/response.ts";
import { criticFree } from "./critic_free.ts";

/** Policy gradient with a bounded importance weight, a constant. */
export const cispo = criticFree({
  name: "cispo",
  summary: "policy gradient with a bounded importance weight, a constant",
  paper: "MiniMax-M1 2025, arXiv 2506.13585",
  rows: { ...GROUP_ROWS, ...WEIGHT_ROWS },
  defaults: { lossNormaliser: "tokens" },
  loss: perToken(clippedWeightLoss),
});
