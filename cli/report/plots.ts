/**
 * The curves of a run as one SVG, drawn by vega without a browser. The same numbers give the same bytes.
 * Text and axes take the colour of the page they stand on.
 * @module
 */
import * as vega from "npm:vega@6.4.0";
import { compile, type TopLevelSpec } from "npm:vega-lite@6.5.0";
import type { Summary } from "../../experiment/observer.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { HELDOUT, SERIES, type Series } from "./series.ts";

const WIDTH = 330, HEIGHT = 160;
const COLORS = ["#8a919e", "#2f81f7"]; // before, after: apart in grey as well
const PAGE = "<style>svg{color:#1f2328;background:#fff}" +
  "@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}}</style>";

/** A stand-alone SVG file of all charts, two in a row. */
export async function curves(run: RunData): Promise<string> {
  return alone(await draw({ ...TWO_COLUMNS, concat: panelsOf(run) }));
}

/** One SVG a chart, without colours of its own: a page lays them out by its width. */
export function charts(run: RunData): Promise<string[]> {
  return Promise.all(panelsOf(run).map(draw));
}

function panelsOf(run: RunData): object[] {
  const panels = [
    ...Object.values(SERIES).flatMap((series) => linePanel(series, run)),
    ...Object.values(HELDOUT).flatMap((series) => linePanel(series, heldoutOf(run))),
  ];
  return run.summary ? [...panels, barPanel(run.summary)] : panels;
}

/** Held-out evaluations by step, where a run made some on its way; before and after are those at its ends. */
function heldoutOf({ evaluations = [] }: RunData): Pick<RunData, "names" | "metrics"> {
  const heldout = evaluations.filter(({ split }) => split === "heldout");
  if (!heldout.some(({ phase }) => phase === "during")) return { names: [], metrics: [] };
  const byStep = new Map(heldout.map(({ step, exact, reward }) => [step, [step, exact, reward]]));
  return { names: [HELDOUT.exact.name, HELDOUT.reward.name], metrics: [...byStep.values()] };
}

/** A stand-alone SVG of pretraining losses: each the mean of 50 updates, nats per token. */
export async function lossCurve(losses: readonly number[]): Promise<string> {
  const means: number[][] = [];
  for (let end = Math.min(50, losses.length); end <= losses.length; end += 10) {
    const window = losses.slice(Math.max(0, end - 50), end);
    means.push([end, window.reduce((sum, loss) => sum + loss, 0) / window.length]);
  }
  const series = { name: "loss", title: "Next-token loss", unit: "nats per token" };
  const [panel] = linePanel(series, { names: ["loss"], metrics: means });
  return alone(await draw(panel));
}

const alone = (svg: string): string => svg.replace(/^(<svg[^>]*>)/, `$1${PAGE}`) + "\n";

const TWO_COLUMNS = {
  columns: 2,
  resolve: { legend: { color: "independent" } },
  spacing: { row: 28, column: 36 },
};

async function draw(content: object): Promise<string> {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "transparent",
    padding: 12,
    ...content,
    config: {
      view: { stroke: null },
      axis: {
        labelColor: "currentColor",
        titleColor: "currentColor",
        tickColor: "currentColor",
        domainColor: "currentColor",
        gridColor: "currentColor",
        gridOpacity: 0.12,
        domainOpacity: 0.4,
        tickOpacity: 0.4,
        labelFontSize: 11,
        titleFontSize: 11,
        titleFontWeight: "normal",
        labelFlush: false,
      },
      axisY: { minExtent: 40 }, // charts under each other stand in line
      title: { color: "currentColor", fontSize: 13, anchor: "start", frame: "group", offset: 10 },
      legend: { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 11 },
      font: "system-ui, sans-serif",
    },
  };
  const view = new vega.View(vega.parse(compile(spec as unknown as TopLevelSpec).spec), {
    renderer: "none",
  });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

function linePanel(series: Series, run: Pick<RunData, "names" | "metrics">): object[] {
  const at = run.names.indexOf(series.name) + 1;
  if (at === 0) return []; // this run does not report it
  const values = run.metrics.filter((row) => Number.isFinite(row[at]))
    .map((row) => ({ step: row[0], value: row[at] }));
  if (values.length === 0 && run.metrics.length > 0) return []; // as KL without a reference
  return [{
    title: series.title,
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    // A line through one point is invisible.
    mark: { type: "line", color: COLORS[1], strokeWidth: 1.75, point: values.length <= 12 },
    encoding: {
      x: {
        field: "step",
        type: "quantitative",
        title: "step",
        axis: { format: "d", tickCount: 6 },
      },
      y: {
        field: "value",
        type: "quantitative",
        title: series.unit,
        scale: series.share ? { domain: [0, 1] } : { zero: false, nice: true },
        axis: { tickCount: 5 },
      },
    },
  }];
}

function barPanel({ train, heldout }: Summary): object {
  const values = ([["training", train], ["held-out", heldout]] as const).flatMap((
    [split, result],
  ) => (["before", "after"] as const).map((when) => ({ split, when, exact: result[when].exact })));
  const x = { field: "split", type: "nominal", title: null, sort: null, axis: { labelAngle: 0 } };
  const offset = { field: "when", sort: null };
  return {
    title: "Exact answers to all prompts, greedy",
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    encoding: {
      x,
      xOffset: offset,
      y: {
        field: "exact",
        type: "quantitative",
        title: "share, 0 to 1",
        scale: { domain: [0, 1] },
        axis: { tickCount: 5 },
      },
    },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          color: {
            field: "when",
            sort: null,
            scale: { domain: ["before", "after"], range: COLORS },
            legend: { title: null, orient: "bottom", direction: "horizontal" },
          },
        },
      },
      {
        mark: { type: "text", dy: -6, fontSize: 11, color: "currentColor" },
        encoding: { text: { field: "exact", type: "quantitative", format: ".2f" } },
      },
    ],
  };
}
