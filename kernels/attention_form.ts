/** Which form of attention runs where, and by how many lanes. @module */
import { type AttentionForm, lanesOfRow } from "./attention_text.ts";
import { type Adapter, choicesOf, unrollsLoads } from "./tuning.ts";

/**
 * What the adapter is best at, or was tuned to, for heads of D. Where loads are written out for every lane, a
 * driver compiles shuffling attention of heads of 64 for 16 s, and the shared one, a quarter slower, for one.
 */
export function formOf(adapter: Adapter, D: number): AttentionForm {
  const { attention } = choicesOf(adapter);
  const isSlow = attention === "shuffle" && unrollsLoads(adapter) && D >= 64;
  return isSlow && !adapter.tuning?.attention ? "share" : attention;
}

/** Lanes of a workgroup. It owns few rows, so that causal rows near the start end early. */
export function lanesOf(form: AttentionForm, { T, D }: Record<"T" | "D", number>): number {
  if (form === "shuffle") return 8;
  // Short texts: of heads of 64, 8 rows, of which passes have a multiple, so that no lane is idle.
  return lanesOfRow(form, D) > 1 && T >= 128 ? 64 : 32;
}
