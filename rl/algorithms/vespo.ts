/**
 * Variational sequence-level soft policy optimisation (2026, arXiv 2602.10693): a smooth constant weight
 * on whole responses, without a mean over their length and without a clip.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { FALLOFF_ROWS, sequenceWeightLoss } from "../loss/sequence_weight.ts";
import { criticFree } from "./critic_free.ts";

/** Policy gradient with a smooth weight on whole responses. */
export const vespo = criticFree({
  name: "vespo",
  summary: "policy gradient with a smooth weight on whole responses",
  paper: "arXiv 2602.10693",
  rows: { ...GROUP_ROWS, ...FALLOFF_ROWS },
  defaults: { lossNormaliser: "tokens" },
  loss: sequenceWeightLoss,
});
