/** The report's table of completions: the last step first, with every reward's score. @module */
import { type CompletionRow, phaseText } from "../../experiment/observer.ts";
import type { RunConfig, RunData } from "../../experiment/folder/run_data.ts";
import { prefixWords } from "./before_after.ts";
import { folded } from "./fold.ts";
import { cell, escape, number, text } from "./html.ts";
import { rewardHead, rewardWords } from "./reward_words.ts";

const MAX_ROLLOUTS = 1500; // sampled completions in the page; all are in completions.csv
const MAX_ANSWERS = 1500; // greedy ones

/** Of one step the later ones first, and what was not trained on before what was. */
const RANKS = ["after:heldout", "after:train", "during:heldout", "train", "before:heldout"];
const rankOf = (row: CompletionRow): number => {
  const rank = RANKS.indexOf(phaseText(row));
  return rank < 0 ? RANKS.length : rank;
};

/**
 * As many as the page can carry: whole steps of rollouts, evenly spaced, and of the evaluations those of the
 * end and the beginning before those between.
 */
export function chosen(completions: readonly CompletionRow[]): CompletionRow[] {
  const kept = new Set([
    ...someSteps(completions.filter((row) => row.phase === "train")),
    ...someAnswers(completions.filter((row) => row.phase !== "train")),
  ]);
  return completions.filter((row) => kept.has(row));
}

function someSteps(rollouts: readonly CompletionRow[]): readonly CompletionRow[] {
  if (rollouts.length <= MAX_ROLLOUTS) return rollouts;
  const byStep = [...Map.groupBy(rollouts, (row) => row.step).values()];
  const room = Math.max(2, Math.floor(MAX_ROLLOUTS * byStep.length / rollouts.length));
  const places = new Set(
    Array.from({ length: room }, (_, i) => Math.round(i * (byStep.length - 1) / (room - 1))),
  );
  return [...places].flatMap((i) => byStep[i]).slice(0, 2 * MAX_ROLLOUTS); // of huge batches not all
}

function someAnswers(answers: readonly CompletionRow[]): readonly CompletionRow[] {
  if (answers.length <= MAX_ANSWERS) return answers;
  const order = ["after", "before", "during"];
  return [...answers].sort((a, b) =>
    order.indexOf(a.phase) - order.indexOf(b.phase) || b.step - a.step ||
    Number(a.split === "train") - Number(b.split === "train")
  ).slice(0, MAX_ANSWERS);
}

/** The table with what filters and sorts it. */
export function completionTable({ completions: all, config }: RunData): string {
  const rows = chosen(all).sort((a, b) => b.step - a.step || rankOf(a) - rankOf(b));
  if (rows.length === 0) return `<p class="soft">There are none.</p>`;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.scores)))];
  const fold = folded(rows.map((row) => row.prompt));
  const left = all.length - rows.length;
  const sampled = new Set(rows.filter((row) => row.phase === "train").map((row) => row.step)).size;
  const count = (n: number) => n.toLocaleString("en-US");
  return `<p class="soft">reward = ${escape(rewardWords(config))}</p>
${
    left > 0
      ? `<p class="soft">${count(rows.length)} of ${count(all.length)} are here, of ${
        count(sampled)
      } steps; ${count(left)} are left out, and all are in completions.csv.</p>\n`
      : ""
  }${prefixWords(fold.prefix)}${filters(rows)}
<div class="tall" tabindex="0" role="region" aria-label="Completions"><table id="completions" class="stack"><thead><tr>${
    heads(names, config)
  }</tr></thead>
<tbody>${
    rows.map((row) => line(row, names, fold.short(row.prompt))).join("\n")
  }</tbody></table></div>`;
}

const WORDS: Readonly<Record<string, string>> = {
  train: "sampled in training",
  "before:train": "before, training prompts",
  "before:heldout": "before, held-out",
  "during:train": "on the way, training prompts",
  "during:heldout": "on the way, held-out",
  "after:train": "after, training prompts",
  "after:heldout": "after, held-out",
};

function filters(rows: readonly CompletionRow[]): string {
  const choices = (values: Iterable<string>, words = (value: string): string => value) =>
    [...new Set(values)].map((value) =>
      `<option value="${escape(value)}">${escape(words(value))}</option>`
    ).join("");
  return `<p class="bar"><label>drawn <select id="phase"><option value="">all</option>${
    choices(rows.map(phaseText), (value) => WORDS[value])
  }</select></label> <label>step <select id="step"><option value="">all</option>${
    choices(rows.map((row) => String(row.step)))
  }</select></label> <label>contains <input id="words" type="search"></label> <span id="count" class="soft" role="status"></span></p>`;
}

/** Each head sorts by its column; a number's column begins with the largest. */
function heads(names: readonly string[], config: RunConfig): string {
  const head = (name: string, kind = "") =>
    `<th${kind && ` class="${kind}"`}><button>${escape(name)}</button></th>`;
  return [
    head("step", "n"),
    ...["drawn", "prompt", "completion", "wanted"].map((name) => head(name)),
    head("reward", "n"),
    ...names.map((name) => head(rewardHead(name, config), "n")),
  ].join("");
}

const line = (row: CompletionRow, names: readonly string[], prompt: string): string =>
  `<tr data-step="${row.step}" data-phase="${escape(phaseText(row))}">` +
  number("step", row.step) + cell("drawn", WORDS[phaseText(row)], "d") + text("prompt", prompt) +
  text("completion", row.completion) + text("wanted", row.answer) + number("reward", row.reward) +
  names.map((name) => number(name, row.scores[name] ?? null)).join("") + "</tr>";
