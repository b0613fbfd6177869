/** compare.html: one page that fetches nothing and runs nothing. @module */
import { counted } from "../../base/units.ts";
import { seedInterval } from "../../base/statistics/intervals.ts";
import { differences } from "../../base/statistics/moments.ts";
import { score } from "../report/table.ts";
import { STYLE } from "../report/report_page.ts";
import { cell, escape, htmlPage, meanCell, stacked } from "../report/html.ts";
import type { Drawn } from "../report/plots.ts";
import { short } from "../terminal.ts";
import {
  acrossCharts,
  figure,
  groupCharts,
  heldoutChart,
  mostReward,
  type Told,
} from "./charts.ts";
import type { Comparison } from "./compare.ts";
import { type Figure, figureShort, figureText } from "./figures.ts";
import { groupName, settingText } from "./settings.ts";

export const PAGE_STYLE: string = `${STYLE}.lead{font-size:20px;line-height:1.35}
.one{max-width:380px}th.n,td.n{white-space:normal}th.n{min-width:7em}.sure{white-space:nowrap}
details>summary{cursor:pointer;padding:4px 0}
h1,p,summary{overflow-wrap:anywhere}
@media(max-width:640px){.stack:not(.row) td{grid-template-columns:18ch minmax(0,1fr)}}
`;

/** Groups whose own sheets a page has. */
const MOST_SHEETS = 12;

/** The whole page. The same runs give the same bytes. */
export function comparePage(comparison: Comparison): Promise<string> {
  const { groups, notices, command } = comparison;
  const runs = groups.reduce((sum, group) => sum + group.runs.length, 0);
  const tasks = [...new Set(groups.map((group) => settingText(group, "task")))].join(", ");
  const title = `${tasks}: ${counted(groups.length, "setting")}, ${counted(runs, "run")}`;
  const heldout = heldoutChart(groups);
  const across = groups.length > 1 ? acrossCharts(groups) : [];
  const parts = [
    `<h1>${escape(title)}</h1>`,
    `<p class="soft">${escape(shared(comparison))}</p>`,
    ...opening(comparison).map((line) => `<p class="lead">${escape(line)}</p>`),
    ...notices.map((text) => `<p class="warn">${escape(text)}</p>`),
    "<h2>Settings and results</h2>",
    settingsTable(comparison),
    `<p class="soft">${escape(`${INTERVALS} ${WINDOWS}`)}</p>`,
    ...(heldout ? [`<h2>Held-out answers</h2>\n<div class="one">${chart(heldout)}</div>`] : []),
    ...(across.length > 0
      ? [`<h2>Across settings</h2>\n<div class="charts">${across.map(chart).join("\n")}</div>`]
      : []),
    linesNote(groups),
    sheets(comparison),
    "<h2>All figures</h2>",
    figuresTable(groups),
    "<h2>Runs</h2>",
    runsTable(groups),
    `<p class="soft">The line that draws this page again:</p>`,
    `<pre>${escape(command)}</pre>`,
  ];
  return htmlPage({ title: `Comparison: ${title}`, style: PAGE_STYLE, body: parts.join("\n") });
}

const INTERVALS =
  "Means over seeds ± half of the 95 % interval of the mean, by Student's t; one seed has none.";

/** What all groups have in common, of what a run is. */
function shared({ groups, differing }: Comparison): string {
  const names = ["algorithm", "reward", "model", "steps"].filter((name) =>
    !differing.includes(name)
  );
  return `All: ${names.map((name) => `${name} ${settingText(groups[0], name)}`).join(", ")}`;
}

const WINDOWS =
  "Early and late are means over the first and last fifth of the steps, 20 at most: a single " +
  "first or last step is mostly noise.";

/** Which is best, as far as it can be told. */
export function opening({ groups, differing }: Comparison): string[] {
  const differ = (name: string) => new Set(groups.map((one) => settingText(one, name))).size > 1;
  if (differ("task")) {
    return ["No setting is called the best, as each task has figures of its own."];
  }
  // A reward says nothing of another one.
  const comparable = RANKED.filter((name) => !/reward/.test(name) || !differ("reward"));
  const shared = comparable.filter((name) => groups.every((group) => figure(group, name)));
  const means = (name: string) => groups.map((group) => figure(group, name)!.over.mean);
  // Where all are alike by the first, the next may tell them apart.
  const name = shared.find((name) => new Set(means(name)).size > 1) ?? shared[0];
  if (name === undefined) {
    return ["No setting is called the best, as no figure is there that all have."];
  }
  const alike = shared.slice(0, shared.indexOf(name)).map((name) => {
    const { title, over } = figure(groups[0], name)!;
    return `${title}: ${score(over.mean)} in all.`;
  });
  const found = groups.map((group) => ({ group, of: figure(group, name)! }));
  const sorted = found.toSorted((a, b) => b.of.over.mean - a.of.over.mean), [best, next] = sorted;
  const told = ({ group, of }: Ranked) =>
    `${group.letter} (${groupName(group, differing)}) with ${figureText(of, score)}`;
  const title = best.of.title;
  if (!next) return [`${title}: ${figureText(best.of, score)}.`];
  const { isSure, words } = surety(best, next);
  const beside = isSure ? "ahead of" : "beside";
  return [...alike, `${title}: ${told(best)}, ${beside} ${told(next)}. ${words}`];
}

/** By what settings are ranked, the most telling first. */
const RANKED = ["heldout_measure", "heldout_exact", "heldout_reward", "reward_late"];

interface Ranked {
  group: Told;
  of: Figure;
}

/** Whether seeds tell two groups apart: by the differences of the same seeds where both have them. */
function surety(best: Ranked, next: Ranked): { isSure: boolean; words: string } {
  const unsure = (words: string) => ({ isSure: false, words });
  if (best.of.over.mean === next.of.over.mean) return unsure("Both are the same.");
  if (Math.min(best.of.over.n, next.of.over.n) < 2) {
    return unsure(
      "With one seed nobody knows what another would give: run more (--seed 1,2,3).",
    );
  }
  if (seedsOf(best.group) !== seedsOf(next.group)) {
    return best.of.over.low > next.of.over.high
      ? { isSure: true, words: "Their intervals do not touch." }
      : unsure("Their intervals overlap: give both the same seeds to tell them apart.");
  }
  const { mean, low, high } = seedInterval(differences(best.of.values, next.of.values));
  const told = `By the same seeds the difference is ${score(mean)} (${score(low)} to ${
    score(high)
  })`;
  return low > 0 ? { isSure: true, words: `${told}.` } : unsure(`${told}, so it may be none.`);
}

export const chart = ({ svg, table }: Drawn): string => `<figure>${svg}${table}</figure>`;

/** A table that becomes cards on a phone; the last columns, as many as `numbers`, are flush right. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  numbers = 0,
): string {
  const isNumber = (i: number) => i >= heads.length - numbers;
  const lines = rows.map((row) =>
    `<tr>${
      row.map((text, i) => isNumber(i) ? meanCell(heads[i], text) : cell(heads[i], text)).join("")
    }</tr>`
  );
  const named = heads.map((name, i) => isNumber(i) ? `${name}|` : name);
  return `<div class="scroll">${stacked(named, lines)}</div>`;
}

/** What most people look for, beside what differs. */
const MAIN = [
  ...["heldout_measure", "heldout_exact", "heldout_reward", "reward_early", "reward_late", "kl"],
  ...["silent_groups", "fallbacks", "unscored"],
];

/** Of these, none is no news: they stand among all figures. */
const TROUBLE = ["fallbacks", "unscored"];

/** Differing settings come first. */
function settingsTable({ groups, differing }: Comparison): string {
  const names = MAIN.filter((name) => {
    const means = groups.map((group) => figure(group, name)?.over.mean ?? NaN);
    return means.some(TROUBLE.includes(name) ? (mean) => mean > 0 : Number.isFinite);
  });
  const titles = names.map((name) =>
    groups.map((group) => figure(group, name)).find((one) => one !== undefined)!.title
  );
  const rows = groups.map((group) => [
    group.letter,
    ...differing.map((name) => settingText(group, name)),
    seedsOf(group),
    ...names.map((name) => told(figure(group, name))),
  ]);
  return table(["setting", ...differing, "seeds", ...titles], rows, names.length);
}

const seedsOf = ({ runs }: Told): string => runs.map(({ config }) => config.seed).join(", ");

const told = (one: Figure | undefined): string => {
  if (!one) return "-";
  return figureShort(one, /exact|reward|silent|measure/.test(one.name) ? score : few);
};

/** Three digits that count. */
const few = (value: number): string => short(Number(value.toPrecision(3)));

function figuresTable(groups: readonly Told[]): string {
  const all = new Map(groups.flatMap(({ figures }) => figures).map((one) => [one.name, one]));
  const rows = [...all.values()].map(({ name, title, doc }) => [
    title,
    ...groups.map((group) => told(figure(group, name))),
    doc,
  ]);
  return table(["figure", ...groups.map(({ letter }) => letter), "what it is"], rows);
}

function runsTable(groups: readonly Told[]): string {
  const rows = groups.flatMap(({ letter, runs }) =>
    runs.map(({ folder, config: { task, algorithm, seed, device }, state, done }) => [
      ...[letter, String(seed), task, algorithm, state, String(done), device.name, folder],
    ])
  );
  return table(
    ["setting", "seed", "task", "algorithm", "state", "steps", "device", "folder"],
    rows,
  );
}

export function linesNote(groups: readonly Told[]): string {
  const bands = groups.some(({ runs }) => runs.length > 1)
    ? "A line is the mean over seeds, its band goes from the least to the largest of them. "
    : "";
  const shown = mostReward(groups);
  const most = shown.length < groups.length
    ? `Lines are those of the ${shown.length} of ${groups.length} settings with the most reward at the end: ${
      shown.map(({ letter }) => letter).join(", ")
    }; the bars of the others are grey. `
    : "";
  return bands + most === "" ? "" : `<p class="soft">${escape((bands + most).trim())}</p>`;
}

/** The sheet of each group; closed where there are several. */
export function sheets({ groups, differing }: Comparison): string {
  const shown = groups.slice(0, MOST_SHEETS);
  const parts = shown.map((group) => {
    const charts = `<div class="charts">${groupCharts(group).map(chart).join("\n")}</div>`;
    if (groups.length === 1) return charts;
    const name = `${group.letter}: ${groupName(group, differing)}`;
    return `<details><summary>${escape(name)}</summary>\n${charts}</details>`;
  });
  const left = groups.length - shown.length;
  const note = left > 0
    ? `<p class="soft">Those of ${left} more are not drawn: name fewer runs to see them.</p>`
    : "";
  return `<h2>${groups.length === 1 ? "Its course" : "Each setting"}</h2>\n${
    parts.join("\n")
  }${note}`;
}
