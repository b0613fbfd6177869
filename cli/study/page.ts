/** study.html: question, answer, method, results, and what was claimed before. @module */
import { noInterval } from "../../base/statistics/intervals.ts";
import { intervalWords } from "../../experiment/studies/results.ts";
import type { Measure } from "../../experiment/studies/measures.ts";
import type { Study } from "../../experiment/studies/study.ts";
import { acrossCharts, heldoutChart } from "../compare/charts.ts";
import { chart, linesNote, PAGE_STYLE, sheets, table } from "../compare/page.ts";
import { escape, htmlPage } from "../report/html.ts";
import { counts } from "../sweep/table.ts";
import type { Gathered } from "./gathered.ts";
import { ARM } from "./plan.ts";

/** What a page is made of. */
export interface StudyPage extends Gathered {
  study: Study;
  isQuick: boolean;
  seeds: readonly number[];
  command: string;
}

const STYLE = `${PAGE_STYLE}ol.answer>li{margin:.5em 0}\n`;

/** The whole page. The same runs give the same bytes. */
export function studyPage(page: StudyPage): Promise<string> {
  const { study, comparison, command } = page;
  return htmlPage({
    title: study.title,
    style: STYLE,
    body: [
      `<h1>${escape(study.title)}</h1>`,
      `<p class="lead">${escape(study.question)}</p>`,
      ...warnings(page).map((words) => `<p class="warn">${escape(words)}</p>`),
      "<h2>Answer</h2>",
      list(page.results.runs.length > 0 ? study.answer(page.results) : ["No run has finished."]),
      `<p class="soft">${escape(INTERVALS)}</p>`,
      "<h2>Results</h2>",
      resultsTable(page),
      ...claims(study),
      "<h2>Method</h2>",
      ...[...study.method, seedWords(page)].map((words) => `<p>${escape(words)}</p>`),
      `<p>What is measured:</p>`,
      `<ul>${
        study.measures.map(({ name, doc }) => `<li><b>${escape(name)}</b>: ${escape(doc)}</li>`)
          .join("\n")
      }</ul>`,
      ...(comparison ? sheetsOf(page, comparison) : []),
      "<h2>Every run</h2>",
      runsTable(page),
      `<p class="soft">The line that repeats it:</p>`,
      `<pre>${escape(command)}</pre>`,
    ].join("\n"),
  });
}

const INTERVALS =
  "In brackets is the 95 % interval of the mean over seeds by Student's t; a difference is taken seed by seed. " +
  "One seed has no interval.";

/** What a reader must know before the answer. */
export function warnings({ study, isQuick, seeds, facts }: StudyPage): string[] {
  const states = facts.map(({ state }) => state);
  const finished = states.filter((state) => state === "finished").length;
  return [
    ...(isQuick
      ? ["This is the quick form: a few steps, to see that everything runs. It answers nothing."]
      : []),
    ...(!isQuick && seeds.length < study.seeds.length
      ? [`The study has ${study.seeds.length} seeds; these are results of ${seeds.length}.`]
      : []),
    ...(finished < facts.length
      ? [`${finished} of ${facts.length} runs are finished: ${counts(states)}.`]
      : []),
  ];
}

const list = (sentences: readonly string[]): string =>
  `<ol class="answer">${sentences.map((words) => `<li>${escape(words)}</li>`).join("\n")}</ol>`;

const seedWords = ({ seeds }: StudyPage): string =>
  `Seeds ${seeds.join(", ")}: runs of one seed draw the same prompts in the same order.`;

const letterOf = ({ armOf }: StudyPage, arm: string): string =>
  [...armOf].find(([, name]) => name === arm)?.[0] ?? "-";

/** A row an arm, with the letter that it has in the charts. */
export function resultRows(page: StudyPage): { heads: string[]; rows: string[][] } {
  const { study: { arms, measures }, results } = page;
  const columns = measures.filter((measure) =>
    arms.some(({ name }) => results.values(name, measure).length > 0)
  );
  const cells = (arm: string, of: readonly Measure[]) =>
    of.map((measure) => results.said(arm, measure));
  return {
    heads: ["", "arm", ...columns.map(({ name }) => name)],
    rows: arms.map(({ name }) => [letterOf(page, name), name, ...cells(name, columns)]),
  };
}

function resultsTable(page: StudyPage): string {
  const { heads, rows } = resultRows(page);
  return table(heads, rows, heads.length - 2);
}

function claims({ claims }: Study): string[] {
  if (claims.length === 0) return [];
  const rows = claims.map(({ said, source, fault = "-" }) => [said, source, fault]);
  return [
    "<h2>What was claimed before</h2>",
    table(["claim", "where", "what is known of it"], rows),
  ];
}

function sheetsOf(page: StudyPage, comparison: NonNullable<StudyPage["comparison"]>): string[] {
  const { groups } = comparison, heldout = heldoutChart(groups);
  const across = groups.length > 1 ? acrossCharts(groups) : [];
  const named = groups.map(({ letter }) => `${letter} ${page.armOf.get(letter)}`).join(", ");
  return [
    "<h2>Sheets</h2>",
    `<p>${escape(named)}.</p>`,
    `<div class="charts">${[...(heldout ? [heldout] : []), ...across].map(chart).join("\n")}</div>`,
    linesNote(groups),
    sheets(comparison),
  ];
}

function runsTable({ facts, results, study: { measures } }: StudyPage): string {
  const rows = facts.map(({ cell: { folder, values }, state }) => [
    ...[values[ARM], values.seed, state],
    ...measures.map((measure) =>
      intervalWords(noInterval(results.value(values[ARM], Number(values.seed), measure), 1))
    ),
    folder,
  ]);
  return table(["arm", "seed", "state", ...measures.map(({ name }) => name), "folder"], rows);
}
