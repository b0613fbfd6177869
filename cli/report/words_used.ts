/** Which words training brought and took: where a reward is hacked, it is seen here first. @module */
import type { CompletionRow } from "../../experiment/observer.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { cell, escape, stacked, text } from "./html.ts";
import { percent } from "./headline.ts";

const SHOWN = 8; // words that came, and as many that went
const ENDS = 0.1; // share of the steps that the beginning and the end are, where no greedy answers are
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

/** The share of completions that have a word, at either end of a run. */
export interface WordShare {
  readonly word: string;
  readonly before: number;
  readonly after: number;
}

/** What two lots of completions are made of. */
export interface WordsUsed {
  readonly came: readonly WordShare[];
  readonly went: readonly WordShare[];
  /** How many different words, before and after. */
  readonly kinds: readonly [before: number, after: number];
}

/** The words whose share changed most, those that changed most first; a word counts once a completion. */
export function wordsUsed(before: readonly string[], after: readonly string[]): WordsUsed {
  const [first, last] = [sharesOf(before), sharesOf(after)];
  const all = [...new Set([...first.keys(), ...last.keys()])].map((word) => ({
    word,
    before: first.get(word) ?? 0,
    after: last.get(word) ?? 0,
  }));
  const by = (sign: number) =>
    all.filter((one) => sign * (one.after - one.before) > 0)
      .sort((a, b) =>
        sign * (b.after - b.before - a.after + a.before) || (a.word < b.word ? -1 : 1)
      ).slice(0, SHOWN);
  return { came: by(1), went: by(-1), kinds: [first.size, last.size] };
}

function sharesOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of texts) {
    for (const word of new Set(one.toLowerCase().match(WORD))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  for (const [word, count] of counts) counts.set(word, count / texts.length);
  return counts;
}

/** Both ends of a run: greedy answers to all prompts, or rollouts of the first and last tenth of its steps. */
function endsOf(completions: readonly CompletionRow[]) {
  const of = (phase: string) => completions.filter((row) => row.phase === phase);
  const [before, after] = [of("before"), of("after")];
  if (before.length > 0 && after.length > 0) {
    return { before, after, what: "greedy answers to all prompts, before and after training" };
  }
  const rollouts = of("train");
  const steps = [...new Set(rollouts.map((row) => row.step))].sort((a, b) => a - b);
  const n = Math.max(1, Math.floor(ENDS * steps.length));
  if (steps.length < 2) return undefined;
  const [last, first] = [steps[steps.length - n], steps[n - 1]];
  return {
    before: rollouts.filter(({ step }) => step <= first),
    after: rollouts.filter(({ step }) => step >= last),
    what: n === 1
      ? "completions of the first and the last step"
      : `completions of the first and the last ${n} steps`,
  };
}

/** The table; nothing where there is nothing to compare. */
export function wordsTable({ completions }: RunData): string {
  const ends = endsOf(completions);
  if (!ends) return "";
  const texts = (rows: readonly CompletionRow[]) => rows.map(({ completion }) => completion);
  const { came, went, kinds } = wordsUsed(texts(ends.before), texts(ends.after));
  if (came.length + went.length === 0) return "";
  const most = [...came, ...went].reduce((top, one) => Math.max(top, one.before, one.after), 0);
  const row = ({ word, before, after }: WordShare) =>
    `<tr>${text("word", word)}${cell("before", percent(before), "n")}${
      cell("after", percent(after), "n")
    }<td data-label="change">${bars(before / most, after / most)}</td></tr>`;
  const table = (title: string, words: readonly WordShare[]) =>
    words.length === 0
      ? ""
      : `<div><h3>${title}</h3>${
        stacked(["word", "before|", "after|", "before over after"], words.map(row), { kind: "row" })
      }</div>`;
  return `<h2>What changed in the words used</h2>
<p class="soft">Share of completions that have the word: ${escape(ends.what)}. ${
    kinds[0]
  } different words before, ${kinds[1]} after.</p>
<div class="halves">${table("Words that came", came)}${table("Words that went", went)}</div>`;
}

/** Two bars, one over the other: shares of the widest. */
const bars = (before: number, after: number): string =>
  `<svg class="chart pair" viewBox="0 0 100 14" preserveAspectRatio="none" width="100" height="14" aria-hidden="true">` +
  [before, after].map((share, i) =>
    `<rect class="f${i}" x="0" y="${i * 7 + 1}" width="${
      Math.max(1, Math.round(100 * share))
    }" height="5"/>`
  ).join("") + "</svg>";
