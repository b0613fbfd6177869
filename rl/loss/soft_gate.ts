/**
 * A soft gate in the place of the clip: SAPO (Gao et al. 2025, arXiv 2511.20347). Its gradient fades as the
 * ratio leaves 1, faster for negative advantages, and never jumps to 0.
 * @module
 */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { clampLogRatio } from "../kl.ts";

/** Rows of the gate. */
// deno-fmt-ignore
export const GATE_ROWS = {
  gatePositive: { kind: "number", default: 1, min: 0, above: true, usual: "1", doc: "steepness of the gate where the advantage is positive", group: "Loss" },
  gateNegative: { kind: "number", default: 1.05, min: 0, above: true, usual: "1 to 1.1", doc: "steepness of the gate where it is not", group: "Loss" },
} as const satisfies OptionRows;

/** Settings of the gate. */
export type GateConfig = OptionValues<typeof GATE_ROWS>;

/**
 * With ratio r, steepness tau and sigma the logistic function:
 *   loss = -(4 / tau) sigma(tau (r - 1)) A
 *   d loss / d logprob = -4 sigma (1 - sigma) A r
 * which is -A at r = 1 for every tau.
 */
export function softGateLoss(
  { logRatio, advantage: A }: { logRatio: number; advantage: number },
  { gatePositive, gateNegative }: GateConfig,
): { loss: number; gradient: number; clipped: boolean } {
  const clamped = clampLogRatio(logRatio), ratio = Math.exp(clamped);
  const tau = A > 0 ? gatePositive : gateNegative;
  const gate = 1 / (1 + Math.exp(-tau * (ratio - 1)));
  const gradient = clamped === logRatio ? -4 * gate * (1 - gate) * A * ratio : 0;
  return { loss: -4 / tau * gate * A, gradient, clipped: false };
}
