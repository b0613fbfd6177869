/** The text of attention.wgsl with all that is joined to it. @module */
import code from "./attention.wgsl" with { type: "text" };
import { headCode } from "./fragments/attention_head.ts";
import one from "./fragments/attention_one.wgsl" with { type: "text" };
import seen from "./fragments/attention_seen.wgsl" with { type: "text" };
import shuffle from "./fragments/attention_shuffle.wgsl" with { type: "text" };
import finite from "./fragments/finite.wgsl" with { type: "text" };

const codes = new Map<string, string>(); // by D and whether lanes shuffle

/** The text for heads of D dimensions, a multiple of 4; with `shuffles`, for workgroups of 8 lanes. */
export function attentionCode(D: number, shuffles: boolean): string {
  const key = `${D} ${shuffles}`;
  let text = codes.get(key);
  if (!text) {
    text = [finite, headCode(D / 4), code, seen, shuffles ? shuffle : one].join("\n");
    codes.set(key, text);
  }
  return text;
}
