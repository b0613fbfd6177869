/**
 * Group relative policy optimisation (Shao et al. 2024, arXiv 2402.03300, equations 3 and 4): the score
 * less the mean of its group, over the group's standard deviation, in the place of a value head; the
 * clipped ratio of each token; a mean over responses of their means over tokens; KL in the loss. KL is off
 * by default, as everywhere today; the paper had klCoefficient=0.04.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { CLIP_ROWS, clippedLoss } from "../loss/clipped_ratio.ts";
import { perToken } from "../loss/response.ts";
import { criticFree } from "./critic_free.ts";

/** Scores compared within a prompt's group, clipped ratio, mean over responses. */
export const grpo = criticFree({
  name: "grpo",
  summary: "scores compared within a prompt's group, clipped ratio, mean over responses",
  paper: "Shao et al. 2024, arXiv 2402.03300",
  rows: { ...GROUP_ROWS, ...CLIP_ROWS },
  defaults: { lossNormaliser: "sequences" },
  loss: perToken(clippedLoss),
});
