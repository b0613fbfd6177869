/**
 * Decoupled clip and dynamic sampling policy optimisation (Yu et al. 2025, arXiv 2503.14476, equation 8):
 * GRPO with a clip range that is wider above 1, so that rare tokens can become likely, a mean over all
 * tokens, so that each counts the same in a long response, and groups that teach nothing replaced by
 * others. Its fourth part, a penalty on length, is `overlongCache`: off by default, as it is a matter of
 * the task how long an answer may be.
 * @module
 */
import { withDefaults } from "../../base/options.ts";
import { GROUP_ROWS } from "../group.ts";
import { CLIP_ROWS, clippedLoss } from "../loss/clipped_ratio.ts";
import { perToken } from "../loss/response.ts";
import { criticFree } from "./critic_free.ts";

/** GRPO that clips higher, averages over tokens and replaces groups that teach nothing. */
export const dapo = criticFree({
  name: "dapo",
  summary: "GRPO that clips higher, averages over tokens and replaces groups that teach nothing",
  paper: "Yu et al. 2025, arXiv 2503.14476",
  rows: {
    ...withDefaults(GROUP_ROWS, { dynamicSampling: true }),
    ...withDefaults(CLIP_ROWS, { clipHigh: 0.28 }),
  },
  loss: perToken(clippedLoss),
});
