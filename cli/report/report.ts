/**
 * report.html: one page that needs no network and runs no text of the model, opened from a folder or sent
 * to somebody. `html.ts` says how text from outside gets into it.
 * @module
 */
import type { RunData } from "../../experiment/folder/run_data.ts";
import { deviceWords, duration } from "../terminal.ts";
import { beforeAfter, playersTable } from "./before_after.ts";
import { completionTable } from "./completion_table.ts";
import { configTable, glossary } from "./config_table.ts";
import { courseOf } from "./course.ts";
import { headline, intervalWords, tiles } from "./headline.ts";
import { escape, htmlPage, shown } from "./html.ts";
import { charts, type Drawn } from "./plots.ts";
import { SCRIPT, STYLE } from "./report_page.ts";
import { findings, ONE_SEED, opening, warnings } from "./report_words.ts";
import { rewardWords } from "./reward_words.ts";
import { wordsTable } from "./words_used.ts";

export { chosen } from "./completion_table.ts";
export { escape };

/** The whole page. The same run gives the same bytes. */
export async function report(run: RunData): Promise<string> {
  const { task, algorithm, seed } = run.config;
  const title = `${task}, ${algorithm}, seed ${seed}`;
  const parts = [
    top(run, title),
    `<h2>Curves</h2>\n${curves(run)}`,
    beforeAfter(run),
    `<h2>Completions</h2>\n${completionTable(run)}`,
    playersTable(run),
    wordsTable(run),
    `<h2>Configuration</h2>\n${configTable(run)}`,
    `<h2>What the metrics mean</h2>\n${glossary(run)}`,
    bottom(run),
  ];
  return await htmlPage({
    title,
    body: parts.filter((part) => part !== "").join("\n"),
    style: STYLE,
    script: SCRIPT,
  });
}

/** What came of it, in large type, why it ended where it was cut short, and the numbers that matter. */
function top(run: RunData, title: string): string {
  const { config } = run;
  const tile = tiles(run).map(({ name, value, note }) =>
    `<div class="tile"><span>${shown(name)}</span><strong>${shown(value)}</strong><span>${
      shown(note)
    }</span></div>`
  );
  const sure = run.summary ? [intervalWords(run), ONE_SEED] : [];
  const words = [opening(run)[0], ...sure].filter((words) => words !== "");
  return `<p class="kicker">${escape(title)} · ${escape(rewardWords(config))} · ${
    escape(run.folder)
  }</p>
<h1>${headline(run)}</h1>
${course(run)}${
    warnings(run).map((words) => `<p class="warn">${escape(words)}</p>\n`).join("")
  }<p>${words.map(escape).join(" ")}</p>
${tile.length > 0 ? `<div class="tiles">${tile.join("")}</div>` : ""}`;
}

/** Why a run was cut short, and the line that mends it; what was changed on its way. */
function course(run: RunData): string {
  const { sentences, next, diverged } = courseOf(run);
  if (sentences.length === 0) return "";
  const words = `<p class="warn ill">${sentences.map(escape).join(" ")}</p>\n`;
  if (next === undefined) return words;
  const what = diverged ? "The command that mends it:" : "The command that continues it:";
  return `${words}<p class="soft">${what}</p>\n<pre>${shown(next)}</pre>\n`;
}

function curves(run: RunData): string {
  const drawn = charts(run);
  if (drawn.length === 0) return `<p class="soft">There is nothing to draw yet.</p>`;
  const has = (mark: string) => drawn.some(({ svg }) => svg.includes(`class="${mark}"`));
  const keys = [
    ...(has("raw s0") ? ["Faint: each step; over it the mean of the steps around."] : []),
    ...(has("well") ? ["Green: where a run that learns stays."] : []),
    ...(has("foot") ? ["▲ on the axis: a checkpoint."] : []),
    ...(has("mark") ? ["Dashed: the best held-out answers."] : []),
    ...(has("mark ill") ? ["Dashed in red: the update was skipped."] : []),
    "Point at a curve for its values.",
  ];
  return `<p class="soft">${keys.join(" ")}</p>
<div class="charts">${drawn.map(chart).join("\n")}</div>
<ul>${findings(run).map((words) => `<li>${escape(words)}</li>`).join("\n")}</ul>`;
}

const chart = ({ svg, table }: Drawn): string => `<figure>${svg}${table}</figure>`;

function bottom({ config, summary }: RunData): string {
  const versions = Object.entries(config.versions).map((pair) => escape(pair.join(" ")));
  const facts = [
    ...(config.started === undefined ? [] : [`begun ${escape(config.started)}`]),
    ...(summary ? [`took ${duration(summary.seconds)}`] : []),
    ...versions,
    escape(deviceWords(config.device)),
  ];
  return `<h2>Repeat it</h2>
<pre>${shown(config.command)}</pre>
<p class="soft">${facts.join(" · ")}</p>`;
}
