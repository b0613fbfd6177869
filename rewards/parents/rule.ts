/** A parent that works its answers out. @module */
import type { Example, Parent } from "../reward.ts";

/** Answers by a rule; null where it gives none. */
export function ruleParent(rule: (example: Example) => string | null, name = "rule"): Parent {
  return { name, answer: (examples) => Promise.resolve(examples.map(rule)) };
}

const OPEN = `'"‘“`, CLOSE = `'"’”`;

/**
 * The sentence that a prompt is about, to be copied: the example's column `sentence`, else what stands in
 * quotes at the prompt's end, of which the first quote opens and the last one closes. Null for neither.
 */
export function quotedSentence({ prompt, sentence }: Example): string | null {
  if (typeof sentence === "string") return sentence;
  const text = prompt.trimEnd(), end = CLOSE.indexOf(text.at(-1) ?? " ");
  if (end < 0) return null;
  // An apostrophe within a word opens nothing.
  const start = [...text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])[${OPEN[end]}]`, "gu"))][0]?.index;
  if (start === undefined || start + 1 >= text.length - 1) return null;
  return text.slice(start + 1, -1);
}
