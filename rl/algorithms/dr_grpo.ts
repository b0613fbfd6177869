/**
 * GRPO done right (Liu et al. 2025, arXiv 2503.20783, section 3.2): no division by the group's standard
 * deviation, which favours prompts that are nearly solved or nearly hopeless, and a constant in the place
 * of each response's length, which favours long wrong answers.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { withDefaults } from "../../base/options.ts";
import { CLIP_ROWS, clippedLoss } from "../loss/clipped_ratio.ts";
import { perToken } from "../loss/response.ts";
import { criticFree } from "./critic_free.ts";

/** GRPO without its two biases: no standard deviation, a constant length. */
export const drGrpo = criticFree({
  name: "dr-grpo",
  summary: "GRPO without its two biases: no standard deviation, a constant length",
  paper: "Liu et al. 2025, arXiv 2503.20783",
  rows: { ...withDefaults(GROUP_ROWS, { advantageScale: "none" }), ...CLIP_ROWS },
  defaults: { lossNormaliser: "constant" },
  loss: perToken(clippedLoss),
});
