/**
 * report.html: one page that needs no network and runs no text of the model. Everything from outside
 * goes through `escape`; the page's policy allows only the one style and the one script, by hash.
 * @module
 */
import { type CompletionRow, phaseText, type Summary } from "../../experiment/observer.ts";
import { sameText } from "../../rewards/exact.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { MetricInfo } from "../../rl/metrics.ts";
import { courseOf } from "./course.ts";
import { rewardMetrics } from "./metrics_page.ts";
import { charts } from "./plots.ts";
import { SCRIPT, STYLE } from "./report_page.ts";
import { findings, ONE_SEED, opening, warnings } from "./report_words.ts";
import { measureOf, playerRows } from "./results.ts";
import { score } from "./table.ts";
import { pairs, type RunConfig, type RunData } from "../../experiment/folder/run_data.ts";
import { settingRows } from "./setting_rows.ts";
import { deviceWords, printable, short } from "../terminal.ts";

const MAX_ROLLOUTS = 1500; // sampled completions in the page; all are in completions.csv
const MAX_PAIRS = 100;

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Text for HTML content and quoted attributes; control and direction characters are spelled out. */
export const escape = (text: string): string =>
  printable(text).replace(/[&<>"'`]/g, (c) => ENTITIES[c]);

/** The whole page. The same run gives the same bytes. */
export async function report(run: RunData): Promise<string> {
  const { config } = run;
  const title = `${config.task}, ${config.algorithm}, seed ${config.seed}`;
  const policy = [
    "default-src 'none'",
    `style-src '${await hash(STYLE)}'`,
    `script-src '${await hash(SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p class="soft">${escape(run.folder)} · rewards: ${escape(config.rewards.join(", "))}</p>
<p>${opening(run).map(escape).join(" ")}</p>
${course(run)}
${warnings(run).map((text) => `<p class="warn">${escape(text)}</p>`).join("\n")}
${run.summary ? beforeAfter(run.summary) : ""}
<ul>${[...findings(run), ONE_SEED].map((words) => `<li>${escape(words)}</li>`).join("\n")}</ul>
<h2>Curves</h2>
<div class="charts">${(await charts(run)).join("\n")}</div>
${pairTable(run)}
<h2>Completions</h2>
${completionTable(run.completions)}
<h2>Configuration</h2>
<p class="soft">Changed from the defaults: marked. The line that repeats the run:</p>
<pre>${escape(config.command)}</pre>
${configTable(config)}
<h2>What the metrics mean</h2>
${glossary(run)}
<p class="soft">${
    Object.entries(config.versions).map(([name, text]) => escape(`${name} ${text}`)).join(" · ")
  } · ${escape(deviceWords(config.device))}</p>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function course(run: RunData): string {
  const { sentences, next } = courseOf(run);
  if (sentences.length === 0) return "";
  const words = `<p class="warn">${sentences.map(escape).join(" ")}</p>`;
  return next === undefined ? words : `${words}
<p class="soft">The line that continues it:</p>
<pre>${escape(next)}</pre>`;
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}

/** Where a table becomes a stack of cards, on a phone, each cell says which column it is. */
const cell = (label: string, value: string, kind = ""): string =>
  `<td data-label="${escape(label)}"${kind && ` class="${kind}"`}>${escape(value)}</td>`;
const number = (label: string, value: number | null): string => cell(label, short(value), "n");
const text = (label: string, value: string, more = ""): string => cell(label, value, `t${more}`);

function beforeAfter(summary: Summary): string {
  const { name: measure, of } = measureOf(summary), { train, heldout } = summary;
  const row = (name: string, values: readonly (number | undefined)[]): string =>
    `<tr><td>${escape(name)}</td>${
      values.map((value) => `<td class="n">${value === undefined ? "" : score(value)}</td>`).join(
        "",
      )
    }</tr>`;
  const splits = ([["training", train], ["held-out", heldout]] as const).map((
    [name, { before, after }],
  ) => row(name, [of(before), of(after), before.reward, after.reward]));
  const players = playerRows(summary).map(({ name, result }) =>
    row(name, [of(result), undefined, result.reward, undefined])
  );
  return `<h2>Before and after</h2>
<table class="fit"><thead><tr><th>prompts</th><th class="n">${escape(measure)} before</th>` +
    `<th class="n">after</th><th class="n">reward before</th><th class="n">after</th></tr></thead>
<tbody>${[...splits, ...players].join("\n")}</tbody></table>
<p class="soft">Means over greedy completions.${playerWords(summary)}</p>`;
}

/** What the rows of players say. */
function playerWords({ players }: Summary): string {
  if (!players) return "";
  const { prompts, constant } = players;
  const tried = constant?.tried;
  const how = tried
    ? ` The answer that is always said is the best of ${tried.answers} of the ${tried.of} answers of ` +
      `training, on ${tried.prompts} training prompts.`
    : "";
  return ` The last rows learn nothing: what they earn on ${prompts} held-out prompts takes no model.${how}`;
}

function pairTable({ completions }: RunData): string {
  const found = pairs(completions, "heldout");
  const rows = found.slice(0, MAX_PAIRS).map((pair) => {
    const mark = (said: string) =>
      pair.answer !== "" && sameText(said, pair.answer) ? " right" : "";
    return `<tr>${text("prompt", pair.prompt)}${text("before", pair.before, mark(pair.before))}${
      text("after", pair.after, mark(pair.after))
    }${text("wanted", pair.answer)}</tr>`;
  });
  if (rows.length === 0) return "";
  const left = found.length - rows.length;
  return `<h2>Held-out prompts, before and after</h2>
<p class="soft">${
    left > 0
      ? `${rows.length} of ${found.length} held-out prompts; all are in completions.csv.`
      : `All ${rows.length} of them. Right answers are green.`
  }</p>
<div class="scroll"><table class="stack"><thead><tr><th>prompt</th><th>before</th><th>after</th><th>wanted</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** All evaluations, and as many whole steps of rollouts, evenly spaced, as the page can carry. */
export function chosen(completions: readonly CompletionRow[]): CompletionRow[] {
  const rollouts = completions.filter((row) => row.phase === "train");
  if (rollouts.length <= MAX_ROLLOUTS) return [...completions];
  const steps = [...new Set(rollouts.map((row) => row.step))];
  const room = Math.max(2, Math.floor(MAX_ROLLOUTS * steps.length / rollouts.length));
  const kept = new Set(
    Array.from({ length: room }, (_, i) => steps[Math.round(i * (steps.length - 1) / (room - 1))]),
  );
  return completions.filter((row) => row.phase !== "train" || kept.has(row.step));
}

function completionTable(all: readonly CompletionRow[]): string {
  const rows = chosen(all);
  const last = rows.at(-1); // what training came to is what a reader looks for first
  const choices = (values: Set<string>, first?: string) =>
    [...values].map((value) =>
      `<option value="${escape(value)}"${value === first ? " selected" : ""}>${
        escape(value)
      }</option>`
    ).join("");
  const left = all.length - rows.length;
  return `<p class="bar"><label>phase <select id="phase"><option value="">all</option>${
    choices(new Set(rows.map(phaseText)), last && phaseText(last))
  }</select></label><label>step <select id="step"><option value="">all</option>${
    choices(
      new Set(rows.map((row) => String(row.step))),
      last?.phase === "train" ? String(last.step) : undefined,
    )
  }</select></label><label>contains <input id="words" type="search"></label><span id="count" class="soft"></span></p>
${
    left > 0
      ? `<p class="soft">${left} sampled completions of the steps between are only in completions.csv.</p>`
      : ""
  }
<div class="tall"><table id="completions" class="stack"><thead><tr><th class="n">step</th><th>phase</th><th>prompt</th>` +
    `<th>completion</th><th>wanted</th><th class="n">reward</th></tr></thead>
<tbody>${
      rows.map((row) =>
        `<tr data-step="${row.step}" data-phase="${escape(phaseText(row))}">` +
        number("step", row.step) + cell("phase", phaseText(row)) + text("prompt", row.prompt) +
        text("completion", row.completion) + text("wanted", row.answer) +
        `${number("reward", row.reward)}</tr>`
      ).join("\n")
    }</tbody></table></div>`;
}

function configTable(config: RunConfig): string {
  const rows = settingRows(config).map(({ key, value, usual, changed, option }) =>
    `<tr${changed ? ' class="changed"' : ""}>${text("key", key, " name")}${text("value", value)}` +
    text("default", usual ?? "") +
    `${cell("meaning", option ? [option.doc, option.unit].filter(Boolean).join("; ") : "")}</tr>`
  );
  return `<div class="scroll"><table class="stack"><thead><tr><th>key</th><th>value</th><th>default</th><th>meaning</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function glossary(run: RunData): string {
  const last = run.metrics.at(-1) ?? [];
  const rows = run.names.map((name, i) => {
    const known = explained(name, run.config.algorithm);
    return `<tr>${text("metric", name, " name")}${number("last", last[i + 1] ?? null)}` +
      cell("unit", known?.unit ?? "") + cell("meaning", known?.meaning ?? "") +
      `${cell("healthy", known?.healthy ?? "")}</tr>`;
  });
  return `<div class="scroll"><table class="stack"><thead><tr><th>metric</th><th class="n">last</th><th>unit</th>` +
    `<th>meaning</th><th>in a run that learns</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** The table's row; one of a reward stands under `rewards/NAME/` where it has none of its own. */
function explained(name: string, algorithm: string): MetricInfo | undefined {
  const own = listAlgorithms().find((one) => one.name === algorithm)?.metrics ?? [];
  const table = [...own, ...rewardMetrics()];
  const general = name.replace(/^rewards\/[^/]+\//, "rewards/NAME/");
  return table.find((row) => row.name === name) ?? table.find((row) => row.name === general);
}
