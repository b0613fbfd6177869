/**
 * REINFORCE leave-one-out (Ahmadian et al. 2024, arXiv 2402.14740): a score is compared with the mean of
 * the others in its group, which is no biased baseline; KL is taken off the score; one ratio a response, the
 * product of its tokens', clipped as TRL does.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { withDefaults } from "../../base/options.ts";
import { CLIP_ROWS } from "../loss/clipped_ratio.ts";
import { productRatioLoss } from "../loss/sequence_ratio.ts";
import { criticFree } from "./critic_free.ts";

/** Each score less the mean of the others, one ratio for a whole response. */
export const rloo = criticFree({
  name: "rloo",
  summary: "each score less the mean of the others, one ratio for a whole response",
  paper: "Ahmadian et al. 2024, arXiv 2402.14740",
  rows: {
    ...withDefaults(GROUP_ROWS, { baseline: "leave-one-out", advantageScale: "none" }),
    ...CLIP_ROWS,
  },
  defaults: { lossNormaliser: "sequences", klIn: "reward", klEstimator: "k1", klCoefficient: 0.05 },
  loss: productRatioLoss,
});
