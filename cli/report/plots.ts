/** The charts of a run: curves by step, and held-out answers before and after. The same run gives the same bytes. @module */
import type { Summary } from "../../experiment/observer.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { type BarChart, barChart } from "../../web/view/bars.ts";
import { type LineChart, lineChart, type Mark } from "../../web/view/lines.ts";
import { sheet } from "../../web/view/sheet.ts";
import { barTable, lineTable } from "../../web/view/table.ts";
import { toldMeasure } from "./results.ts";
import { HELDOUT, SERIES, type Series, SKIPPED } from "./series.ts";
import { short } from "../terminal.ts";

/** A chart of a report, and its numbers as a table. */
export interface Drawn {
  svg: string;
  table: string;
}

/** A stand-alone SVG file of all charts, two in a row. */
export function curves(run: RunData): string {
  const { task, algorithm, seed } = run.config;
  return sheet(charts(run).map(({ svg }) => svg), { title: `${task}, ${algorithm}, seed ${seed}` });
}

/** The charts one by one: a page lays them out by its width, and brings the style. */
export function charts(run: RunData): Drawn[] {
  const marks = marksOf(run);
  const lines = [
    ...Object.values(SERIES).flatMap((series) => lineOf(series, run, marks)),
    ...Object.values(HELDOUT).flatMap((series) => lineOf(series, heldoutOf(run), [])),
  ];
  const drawn = lines.map((chart, i) => ({
    svg: lineChart(chart, `chart-${i}`),
    table: lineTable(chart),
  }));
  if (!run.summary) return drawn;
  const bars = barsOf(run.summary);
  return [...drawn, { svg: barChart(bars, `chart-${drawn.length}`), table: barTable(bars) }];
}

/** Held-out evaluations by step, where a run made some on its way; before and after are those at its ends. */
function heldoutOf({ evaluations = [] }: RunData): Pick<RunData, "names" | "metrics"> {
  const heldout = evaluations.filter(({ split }) => split === "heldout");
  if (!heldout.some(({ phase }) => phase === "during")) return { names: [], metrics: [] };
  const byStep = new Map(heldout.map(({ step, exact, reward }) => [step, [step, exact, reward]]));
  return { names: [HELDOUT.exact.name, HELDOUT.reward.name], metrics: [...byStep.values()] };
}

/** Steps whose update was skipped, the best held-out answers, and checkpoints. */
function marksOf({ names, metrics, summary, checkpoints = [] }: RunData): Mark[] {
  const at = names.indexOf(SKIPPED) + 1;
  const skipped = at === 0 ? [] : metrics.filter((row) => row[at] > 0)
    .map(([step]) => ({ step, words: "the update was skipped", ill: true }));
  const saved = checkpoints.map((step) => ({ step, words: "checkpoint", small: true }));
  const best = summary?.best ? [{ step: summary.best.step, words: "best held-out answers" }] : [];
  return [...skipped, ...best, ...saved];
}

function lineOf(
  { name, title, unit, span, healthy }: Series,
  { names, metrics }: Pick<RunData, "names" | "metrics">,
  marks: readonly Mark[],
): LineChart[] {
  const at = names.indexOf(name) + 1;
  if (at === 0) return []; // this run does not report it
  const rows = metrics.filter(([step]) => Number.isFinite(step));
  const steps = rows.map(([step]) => step), values = rows.map((row) => row[at]);
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0 && metrics.length > 0) return []; // as KL without a reference
  const [first = NaN, last = NaN] = [finite[0], finite.at(-1)];
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const description = `${title} by step, ${unit}: from ${short(first)} to ${short(last)}, ` +
    `least ${short(least)}, largest ${short(most)}.`;
  const lines = [{ name: title, steps, values }];
  return [{ title, unit, description, span, healthy, lines, marks }];
}

function barsOf(summary: Summary): BarChart {
  const { train, heldout } = summary, { name: measure, of } = toldMeasure(summary);
  const groups = ([["training", train], ["held-out", heldout]] as const).map(([name, result]) => ({
    name,
    bars: [{ value: of(result.before) }, { value: of(result.after) }],
  }));
  const told = groups.map(({ name, bars: [before, after] }) =>
    `${name} ${short(before.value)} before, ${short(after.value)} after`
  );
  const isExact = measure === "exact";
  const title = isExact
    ? "Exact answers to all prompts, greedy"
    : `${measure} of all prompts, greedy`;
  return {
    title,
    unit: isExact ? "share, 0 to 1" : "mean per completion",
    description: `${title}: ${told.join("; ")}.`,
    span: isExact ? "share" : "zero",
    series: ["before", "after"],
    groups,
  };
}

/** A stand-alone SVG of pretraining losses: each the mean of 50 updates, nats per token. */
export function lossCurve(losses: readonly number[]): string {
  const steps: number[] = [], values: number[] = [];
  for (let end = Math.min(50, losses.length); end <= losses.length; end += 10) {
    const window = losses.slice(Math.max(0, end - 50), end);
    steps.push(end);
    values.push(window.reduce((sum, loss) => sum + loss, 0) / window.length);
  }
  const title = "Next-token loss", unit = "nats per token";
  const description = `${title}, ${unit}: from ${short(values[0])} to ${short(values.at(-1)!)}.`;
  // The means of 50 are smooth already: a band of no width says that nothing is to be smoothed.
  const lines = [{ name: title, steps, values, band: { low: values, high: values } }];
  const chart = lineChart({ title, unit, description, span: "fit", lines }, "loss");
  return sheet([chart], { columns: 1, title });
}
