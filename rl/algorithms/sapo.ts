/**
 * Soft adaptive policy optimisation (Gao et al. 2025, arXiv 2511.20347): a logistic gate in the place of
 * the clip, steeper for negative advantages.
 * @module
 */
import { GROUP_ROWS } from "../group.ts";
import { perToken } from "../loss/response.ts";
import { GATE_ROWS, softGateLoss } from "../loss/soft_gate.ts";
import { criticFree } from "./critic_free.ts";

/** GRPO with a soft gate in the place of the clip. */
export const sapo = criticFree({
  name: "sapo",
  summary: "GRPO with a soft gate in the place of the clip",
  paper: "Gao et al. 2025, arXiv 2511.20347",
  rows: { ...GROUP_ROWS, ...GATE_ROWS },
  defaults: { lossNormaliser: "sequences" },
  loss: perToken(softGateLoss),
});
