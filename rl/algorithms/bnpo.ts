/**
 * GRPO with a mean over the tokens of the optimiser batch, as TRL's loss_type "bnpo" has it: every token
 * counts the same, so that long responses count for more. The name is from Xiao et al. 2025 (arXiv
 * 2506.02864), which also normalises rewards by a beta distribution; that is not part of it here, nor there.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { CLIP_ROWS, clippedLoss } from "../loss/clipped_ratio.ts";
import { perToken } from "../loss/response.ts";
import { criticFree } from "./critic_free.ts";

/** GRPO with a mean over the tokens of the batch. */
export const bnpo = criticFree({
  name: "bnpo",
  summary: "GRPO with a mean over the tokens of the batch",
  paper: "TRL's loss_type bnpo, after Xiao et al. 2025, arXiv 2506.02864",
  rows: { ...GROUP_ROWS, ...CLIP_ROWS },
  defaults: { lossNormaliser: "tokens" },
  loss: perToken(clippedLoss),
});
