/** Which form of attention runs where, and by how many lanes. @module */
import { type AttentionForm, lanesOfRow } from "./attention_text.ts";
import { type Adapter, builtIn, unrollsLoads } from "./tuning.ts";

/** Features without which a form cannot run. */
export const FORM_FEATURES = {
  shuffle: "subgroups-8",
  share: "subgroups-4",
  alone: undefined,
} as const satisfies Record<AttentionForm, string | undefined>;

/** The forms that an adapter can run. */
export const formsOf = ({ features }: Pick<Adapter, "features">): AttentionForm[] =>
  (Object.keys(FORM_FEATURES) as AttentionForm[]).filter((form) => {
    const needed = FORM_FEATURES[form];
    return needed === undefined || features.has(needed);
  });

/**
 * The form for heads of D, where none is asked for what the adapter is best at, or was tuned to: "alone" in
 * place of "share" where no lanes can share such a head. Where loads are written out for every lane, a driver
 * compiles shuffling attention of heads of 64 for 16 s, and the shared one, a quarter slower, for one.
 */
export function formOf(
  adapter: Adapter,
  { D, form: asked = adapter.tuning?.attention }: { D: number; form?: AttentionForm },
): AttentionForm {
  const own = builtIn(adapter).attention;
  const isSlow = own === "shuffle" && unrollsLoads(adapter) && D >= 64;
  const form = asked ?? (isSlow ? "share" : own);
  return form === "share" && lanesOfRow(form, D) === 1 ? "alone" : form;
}

/** Lanes of a workgroup. It owns few rows, so that causal rows near the start end early. */
export function lanesOf(form: AttentionForm, { T, D }: Record<"T" | "D", number>): number {
  if (form === "shuffle") return 8;
  // Short texts: of heads of 64, 8 rows, of which passes have a multiple, so that no lane is idle.
  return lanesOfRow(form, D) > 1 && T >= 128 ? 64 : 32;
}
