/**
 * Length-unbiased sequence policy optimisation (2026, arXiv 2602.05261): GSPO whose responses count by
 * their length, so that long ones are not drowned by the mean over their tokens. The clip range is GSPO's.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { withDefaults } from "../../base/options.ts";
import { CLIP_ROWS } from "../loss/clipped_ratio.ts";
import { meanRatioLoss } from "../loss/sequence_ratio.ts";
import { criticFree } from "./critic_free.ts";

/** GSPO in which a response counts by its length. */
export const luspo = criticFree({
  name: "luspo",
  summary: "GSPO in which a response counts by its length",
  paper: "arXiv 2602.05261",
  rows: { ...GROUP_ROWS, ...withDefaults(CLIP_ROWS, { clipLow: 3e-4, clipHigh: 4e-4 }) },
  defaults: { lossNormaliser: "sequence-sums" },
  sequenceRatio: true,
  loss: meanRatioLoss,
});
