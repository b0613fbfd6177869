/** The text of attention.wgsl with all that is joined to it. @module */
import code from "./attention.wgsl" with { type: "text" };
import alone from "./fragments/attention_alone.wgsl" with { type: "text" };
import { headCode } from "./fragments/attention_head.ts";
import one from "./fragments/attention_one.wgsl" with { type: "text" };
import seen from "./fragments/attention_seen.wgsl" with { type: "text" };
import share from "./fragments/attention_share.wgsl" with { type: "text" };
import shuffle from "./fragments/attention_shuffle.wgsl" with { type: "text" };
import finite from "./fragments/finite.wgsl" with { type: "text" };

/**
 * How lanes come by rows: "alone" each has one of its own, and reads those that it meets; with "share" two
 * or four have one together; with "shuffle" eight have one each, and hand round eight that they meet.
 */
export type AttentionForm = "alone" | "share" | "shuffle";

/** Lanes that have a row together: as many as leave whole 16 of its D numbers to each, 4 at most. */
export const lanesOfRow = (form: AttentionForm, D: number): 1 | 2 | 4 =>
  form !== "share" ? 1 : D % 64 === 0 ? 4 : D % 32 === 0 ? 2 : 1;

/** What a lane does with the rows that it meets. */
const MEETING: Readonly<Record<AttentionForm, readonly string[]>> = {
  alone: [one, alone],
  share: [one, share],
  shuffle: [shuffle],
};

const codes = new Map<string, string>(); // by D and form

/** The text for heads of D dimensions, a multiple of 4, and a form that `formOf` gives for them. */
export function attentionCode(D: number, form: AttentionForm): string {
  const key = `${D} ${form}`;
  let text = codes.get(key);
  if (!text) {
    const head = headCode(D / 4, lanesOfRow(form, D));
    text = [finite, head, code, seen, ...MEETING[form]].join("\n");
    codes.set(key, text);
  }
  return text;
}
