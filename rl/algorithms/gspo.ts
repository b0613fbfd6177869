/**
 * Group sequence policy optimisation (Zheng et al. 2025, arXiv 2507.18071): one ratio a response, the
 * geometric mean of its tokens', is clipped as a whole. The mean moves far less than a token does, so that
 * the clip range is a thousandth of the usual: section 5.1 has 3e-4 and 4e-4.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { withDefaults } from "../../base/options.ts";
import { CLIP_ROWS } from "../loss/clipped_ratio.ts";
import { meanRatioLoss } from "../loss/sequence_ratio.ts";
import { criticFree } from "./critic_free.ts";

/** GRPO with one ratio for a whole response. */
export const gspo = criticFree({
  name: "gspo",
  summary: "GRPO with one ratio for a whole response",
  paper: "Zheng et al. 2025, arXiv 2507.18071",
  rows: { ...GROUP_ROWS, ...withDefaults(CLIP_ROWS, { clipLow: 3e-4, clipHigh: 4e-4 }) },
  defaults: { lossNormaliser: "sequences" },
  sequenceRatio: true,
  loss: meanRatioLoss,
});
