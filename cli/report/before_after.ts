/** The report's tables of answers before and after training, and of players that learn nothing. @module */
import type { SplitResult, Summary } from "../../experiment/observer.ts";
import { pairs, type RunData } from "../../experiment/folder/run_data.ts";
import { sameText } from "../../rewards/exact.ts";
import { folded } from "./fold.ts";
import { escape, shown, stacked, text } from "./html.ts";
import { measureOf, playerRows } from "./results.ts";
import { score } from "./table.ts";

const MAX_PAIRS = 100;

/** The means, and each held-out prompt with both answers; nothing of a run without an end. */
export function beforeAfter(run: RunData): string {
  if (!run.summary) return "";
  const { train, heldout } = run.summary, { name: measure, of } = measureOf(run.summary);
  const rows = ([["training", train], ["held-out", heldout]] as const).map((
    [name, { before, after }],
  ) => row(name, [of(before), of(after), before.reward, after.reward]));
  return `<h2>Before and after</h2>
${numbers([`prompts`, `${measure} before`, "after", "reward before", "after"], rows)}
<p class="soft">Means over greedy completions.</p>
${pairTable(run)}`;
}

function row(name: string, values: readonly number[]): string {
  const cells = values.map((value) => `<td class="n">${score(value)}</td>`);
  return `<tr><td>${shown(name)}</td>${cells.join("")}</tr>`;
}

/** A small table of numbers that fits any screen; its first column is text. */
const numbers = ([first, ...heads]: readonly string[], rows: readonly string[]): string =>
  `<div class="scroll"><table class="fit"><thead><tr><th>${escape(first)}</th>${
    heads.map((name) => `<th class="n">${escape(name)}</th>`).join("")
  }</tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;

function pairTable({ completions }: RunData): string {
  const found = pairs(completions, "heldout"), some = found.slice(0, MAX_PAIRS);
  if (some.length === 0) return "";
  const fold = folded(some.map(({ prompt }) => prompt));
  const rows = some.map(({ prompt, before, after, answer }) => {
    const said = (label: string, words: string) =>
      text(label, words, "", answer !== "" && sameText(words, answer));
    return `<tr>${text("prompt", fold.short(prompt))}${said("before", before)}${
      said("after", after)
    }${text("wanted", answer)}</tr>`;
  });
  const left = found.length - some.length;
  return `<h3>Held-out prompts</h3>
<p class="soft">${
    left > 0
      ? `${some.length} of ${found.length} held-out prompts; ${left} are left out here, and all are in completions.csv.`
      : `All ${some.length} of them.`
  } Right answers are green and have a check mark.</p>
${prefixWords(fold.prefix)}<div class="scroll">${
    stacked(["prompt", "before", "after", "wanted"], rows)
  }</div>`;
}

/** Says once what all prompts of a table begin with. */
export const prefixWords = (prefix: string): string =>
  prefix === "" ? "" : `<p class="prefix">Each prompt begins: <code>${shown(prefix)}</code></p>\n`;

/** What the policy's figures are worth beside theirs; nothing of a run that had none. */
export function playersTable({ summary }: RunData): string {
  if (!summary?.players) return "";
  const { name: measure, of } = measureOf(summary), { before, after } = summary.heldout;
  const line = (name: string, result: SplitResult) => row(name, [of(result), result.reward]);
  const rows = [
    ...playerRows(summary).map(({ name, result }) => line(name, result)),
    line("the model before training", before),
    line("the model after training", after),
  ];
  return `<h2>Trivial players</h2>
${numbers(["held-out prompts", measure, "reward"], rows)}
<p class="soft">${playerWords(summary)}</p>`;
}

/** What the rows of players say. */
function playerWords({ players }: Summary): string {
  const { prompts, constant } = players!;
  const tried = constant?.tried;
  const how = tried
    ? ` The answer that is always said is the best of ${tried.answers} of the ${tried.of} answers of ` +
      `training, on ${tried.prompts} training prompts.`
    : "";
  return `They learn nothing: what they earn on ${prompts} held-out prompts takes no model.${how}`;
}
