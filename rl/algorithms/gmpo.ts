/**
 * Geometric-mean policy optimisation (Zhao et al. 2025, arXiv 2507.20673): the geometric mean of a
 * response's ratios, each clipped in log space before it enters.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { geometricMeanLoss, LOG_CLIP_ROWS } from "../loss/geometric_mean.ts";
import { criticFree } from "./critic_free.ts";

/** GRPO with the geometric mean of clipped ratios. */
export const gmpo = criticFree({
  name: "gmpo",
  summary: "GRPO with the geometric mean of clipped ratios",
  paper: "Zhao et al. 2025, arXiv 2507.20673",
  rows: { ...GROUP_ROWS, ...LOG_CLIP_ROWS },
  defaults: { lossNormaliser: "sequences" },
  loss: geometricMeanLoss,
});
