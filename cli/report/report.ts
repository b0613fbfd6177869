/**
 * report.html: one page that needs no network and runs no text of the model. Everything from outside
 * goes through `escape`; the page's policy allows only the one style and the one script, by hash.
 * @module
 */
import { type CompletionRow, phaseText, type Summary } from "../../experiment/observer.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { MetricInfo } from "../../rl/metrics.ts";
import { courseOf } from "./course.ts";
import { rewardMetrics } from "./metrics_page.ts";
import { charts } from "./plots.ts";
import { SCRIPT, STYLE } from "./report_page.ts";
import { opening, warnings } from "./report_words.ts";
import { pairs, type RunConfig, type RunData } from "../../experiment/folder/run_data.ts";
import { settingRows } from "./setting_rows.ts";
import { printable, short } from "../terminal.ts";

const MAX_ROLLOUTS = 1500; // sampled completions in the page; all are in completions.csv
const MAX_PAIRS = 12;

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
<h2>Curves</h2>
<div class="scroll">${await charts(run)}</div>
${pairTable(run.completions)}
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
  } · ${escape(config.device.name)} (${escape(config.device.kind)}${
    config.device.software ? ", software" : ""
  })</p>
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

const number = (value: number | null): string => `<td class="n">${escape(short(value))}</td>`;
const text = (value: string, more = ""): string => `<td class="t${more}">${escape(value)}</td>`;

function beforeAfter({ train, heldout }: Summary): string {
  const rows = ([["training", train], ["held-out", heldout]] as const).map(([name, result]) =>
    `<tr><td>${name}</td>${
      [result.before.exact, result.after.exact, result.before.reward, result.after.reward]
        .map(number).join("")
    }</tr>`
  );
  return `<h2>Before and after</h2>
<table class="fit"><thead><tr><th>prompts</th><th class="n">exact before</th><th class="n">after</th>` +
    `<th class="n">reward before</th><th class="n">after</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
<p class="soft">Means over greedy completions.</p>`;
}

function pairTable(completions: readonly CompletionRow[]): string {
  const rows = pairs(completions, "heldout").slice(0, MAX_PAIRS).map((pair) => {
    const fold = (said: string) => said.trim().toLowerCase();
    const mark = (said: string) =>
      pair.answer !== "" && fold(said) === fold(pair.answer) ? " right" : "";
    return `<tr>${text(pair.prompt)}${text(pair.before, mark(pair.before))}${
      text(pair.after, mark(pair.after))
    }${text(pair.answer)}</tr>`;
  });
  if (rows.length === 0) return "";
  return `<h2>Held-out prompts, before and after</h2>
<div class="scroll"><table><thead><tr><th>prompt</th><th>before</th><th>after</th><th>wanted</th></tr></thead>
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
  const choices = (values: Set<string>) =>
    [...values].map((value) => `<option value="${escape(value)}">${escape(value)}</option>`).join(
      "",
    );
  const left = all.length - rows.length;
  return `<p class="bar"><label>phase <select id="phase"><option value="">all</option>${
    choices(new Set(rows.map(phaseText)))
  }</select></label><label>step <select id="step"><option value="">all</option>${
    choices(new Set(rows.map((row) => String(row.step))))
  }</select></label><label>contains <input id="words" type="search"></label><span id="count" class="soft"></span></p>
${
    left > 0
      ? `<p class="soft">${left} sampled completions of the steps between are only in completions.csv.</p>`
      : ""
  }
<div class="tall"><table id="completions"><thead><tr><th class="n">step</th><th>phase</th><th>prompt</th>` +
    `<th>completion</th><th>wanted</th><th class="n">reward</th></tr></thead>
<tbody>${
      rows.map((row) =>
        `<tr data-step="${row.step}" data-phase="${escape(phaseText(row))}">${number(row.step)}` +
        `<td>${escape(phaseText(row))}</td>${text(row.prompt)}${text(row.completion)}${
          text(row.answer)
        }${number(row.reward)}</tr>`
      ).join("\n")
    }</tbody></table></div>`;
}

function configTable(config: RunConfig): string {
  const rows = settingRows(config).map(({ key, value, usual, changed, option }) =>
    `<tr${changed ? ' class="changed"' : ""}>${text(key)}${text(value)}${text(usual ?? "")}<td>${
      escape(option ? [option.doc, option.unit].filter(Boolean).join("; ") : "")
    }</td></tr>`
  );
  return `<div class="scroll"><table><thead><tr><th>key</th><th>value</th><th>default</th><th>meaning</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function glossary(run: RunData): string {
  const last = run.metrics.at(-1) ?? [];
  const rows = run.names.map((name, i) => {
    const known = explained(name, run.config.algorithm);
    return `<tr>${text(name)}${number(last[i + 1] ?? null)}<td>${
      escape(known?.unit ?? "")
    }</td><td>${escape(known?.meaning ?? "")}</td><td>${escape(known?.healthy ?? "")}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>metric</th><th class="n">last</th><th>unit</th>` +
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
