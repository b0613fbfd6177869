/** compare.html: one page that fetches nothing and runs nothing. @module */
import { escape } from "../../web/view/text.ts";
import { score } from "../report/table.ts";
import { STYLE } from "../report/report_page.ts";
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
import { type Figure, figureText } from "./figures.ts";
import { groupName, settingText } from "./settings.ts";

/** Groups whose own sheets a page has. */
const MOST_SHEETS = 12;

/** The whole page. The same runs give the same bytes. */
export async function comparePage(comparison: Comparison): Promise<string> {
  const { groups, notices, command } = comparison;
  const runs = groups.reduce((sum, group) => sum + group.runs.length, 0);
  const title = `${groups.length} ${groups.length === 1 ? "setting" : "settings"}, ${runs} ${
    runs === 1 ? "run" : "runs"
  }`;
  const policy = [
    "default-src 'none'",
    `style-src '${await hash(STYLE)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const heldout = heldoutChart(groups);
  const across = groups.length > 1 ? acrossCharts(groups) : [];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(`Comparison: ${title}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
${opening(comparison).map((line) => `<p>${escape(line)}</p>`).join("\n")}
${notices.map((text) => `<p class="warn">${escape(text)}</p>`).join("\n")}
<h2>Settings and results</h2>
${settingsTable(comparison)}
<p class="soft">Means over seeds; in brackets the 95 % interval of the mean by Student's t, of one seed none. ${
    escape(WINDOWS)
  }</p>
<h2>Held-out answers${across.length > 0 ? ", and across settings" : ""}</h2>
<div class="charts">${[...(heldout ? [heldout] : []), ...across].map(chart).join("\n")}</div>
${linesNote(groups)}
${sheets(comparison)}
<h2>All figures</h2>
${figuresTable(groups)}
<h2>Runs</h2>
${runsTable(groups)}
<p class="soft">The line that draws this page again:</p>
<pre>${escape(command)}</pre>
</body>
</html>
`;
}

const WINDOWS =
  "Early and late are means over the first and last 20 steps, or a fifth of a shorter run: a single " +
  "first or last step is mostly noise.";

/** Which is best, as far as it can be told. */
export function opening({ groups, differing }: Comparison): string[] {
  const shared = ["heldout_measure", "heldout_exact", "heldout_reward", "reward_late"]
    .filter((name) => groups.every((group) => figure(group, name) !== undefined));
  const means = (name: string) => groups.map((group) => figure(group, name)!.over.mean);
  // Where all are alike by the first, the next may tell them apart.
  const name = shared.find((name) => new Set(means(name)).size > 1) ?? shared[0];
  if (name === undefined) return ["No figure is there that all have."];
  const found = groups.map((group) => ({ group, of: figure(group, name)! }));
  const sorted = found.toSorted((a, b) => b.of.over.mean - a.of.over.mean), [best, next] = sorted;
  const told = ({ group, of }: typeof best) =>
    `${group.letter} (${groupName(group, differing)}) with ${figureText(of, score)}`;
  const title = best.of.title;
  if (!next) return [`${title}: ${figureText(best.of, score)}.`];
  const isSeparate = best.of.over.low > next.of.over.high;
  const seeds = Math.min(...groups.map(({ runs }) => runs.length));
  const sure = best.of.over.mean === next.of.over.mean
    ? "Both are the same."
    : isSeparate
    ? "Their intervals do not touch."
    : seeds < 2
    ? "With one seed nobody knows what another would give: run more (--seed 1,2,3)."
    : "Their intervals overlap: these seeds do not tell the two apart.";
  return [`${title}: ${told(best)}, before ${told(next)}. ${sure}`];
}

const chart = ({ svg, table }: Drawn): string => `<figure>${svg}${table}</figure>`;

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}

/** A table that becomes cards on a phone; the columns of `numbers` are flush right. */
function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  numbers = 0,
): string {
  const from = heads.length - numbers;
  const kind = (i: number) => i >= from ? ' class="n"' : "";
  const head = heads.map((name, i) => `<th${kind(i)}>${escape(name)}</th>`).join("");
  const body = rows.map((row) =>
    `<tr>${
      row.map((text, i) => `<td data-label="${escape(heads[i])}"${kind(i)}>${escape(text)}</td>`)
        .join("")
    }</tr>`
  );
  return `<div class="scroll"><table class="stack"><thead><tr>${head}</tr></thead>
<tbody>${body.join("\n")}</tbody></table></div>`;
}

/** What most people look for, beside what differs. */
const MAIN = [
  ...["heldout_measure", "heldout_exact_before", "heldout_exact", "heldout_reward"],
  ...["reward_early", "reward_late", "kl", "silent_groups", "fallbacks", "unscored"],
];

/** Differing settings come first. */
function settingsTable({ groups, differing }: Comparison): string {
  const names = MAIN.filter((name) => groups.some((group) => figure(group, name)));
  const titles = names.map((name) =>
    groups.map((group) => figure(group, name)).find((one) => one !== undefined)!.title
  );
  const rows = groups.map((group) => [
    group.letter,
    ...differing.map((name) => settingText(group, name)),
    seedsOf(group),
    ...names.map((name) => told(figure(group, name))),
  ]);
  const first = differing.length > 0 ? differing : [];
  return table(["", ...first, "seeds", ...titles], rows, names.length);
}

const seedsOf = ({ runs }: Told): string => runs.map(({ config }) => config.seed).join(", ");

const told = (one: Figure | undefined): string => {
  if (!one) return "-";
  return figureText(one, /exact|reward|silent|measure/.test(one.name) ? score : short);
};

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
  return table(["", "seed", "task", "algorithm", "state", "steps", "device", "folder"], rows);
}

function linesNote(groups: readonly Told[]): string {
  const bands = groups.some(({ runs }) => runs.length > 1)
    ? "A line is the mean over seeds, its band goes from the least to the largest of them. "
    : "";
  const shown = mostReward(groups);
  const most = shown.length < groups.length
    ? `Lines are those of the ${shown.length} of ${groups.length} settings with the most reward at the end: ${
      shown.map(({ letter }) => letter).join(", ")
    }. `
    : "";
  return bands + most === "" ? "" : `<p class="soft">${escape((bands + most).trim())}</p>`;
}

/** The sheet of each group; closed where there are several. */
function sheets({ groups, differing }: Comparison): string {
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
