/** A chart of bars in groups, with intervals where there are several runs. @module */
import { drawing, FIELD, type Frame, legend, rule, text, TONES, valueAxis } from "./frame.ts";
import { axisOf, place, type Span } from "./scale.ts";
import { coordinate as at, escape, fitted, short } from "./text.ts";

/** One bar: its value, NaN where there is none, and the interval of it. */
export interface Bar {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** All that a chart of bars shows. */
export interface BarChart extends Frame {
  readonly span: Span;
  /** What each bar of a group is, in the order of the bars. */
  readonly series: readonly string[];
  readonly groups: readonly { readonly name: string; readonly bars: readonly Bar[] }[];
}

/** The chart as SVG text, a part of a page. The same numbers give the same bytes. */
export function barChart(chart: BarChart, id: string): string {
  const { groups, series, span } = chart;
  const axis = axisOf(
    groups.flatMap(({ bars }) =>
      bars.flatMap(({ value, low = NaN, high = NaN }) => [value, low, high])
    ),
    span,
  );
  const y = place(axis, FIELD.bottom, FIELD.top);
  const ground = y(Math.min(axis.high, Math.max(axis.low, 0)));
  const room = (FIELD.right - FIELD.left) / Math.max(1, groups.length);
  const width = Math.min(36, room * 0.8 / Math.max(1, series.length));
  const parts = groups.flatMap(({ name, bars }, g) => {
    const middle = FIELD.left + room * (g + 0.5);
    const words = fitted(name, room);
    return [
      ...bars.map((bar, k) => {
        const x = middle + (k - bars.length / 2) * width;
        return drawBar(bar, {
          x,
          width,
          ground,
          y,
          tone: k % TONES,
          words: `${name}, ${series[k]}`,
        });
      }),
      `<g><title>${escape(name)}</title>${
        text(middle, FIELD.bottom + 17, words, { kind: "soft", anchor: "middle" })
      }</g>`,
    ];
  });
  return drawing(chart, [
    ...valueAxis(axis),
    ...parts,
    rule("axis", FIELD.left, ground, FIELD.right, ground),
    ...legend(series),
  ], id);
}

interface Place {
  x: number;
  width: number;
  /** Height of the bar's foot. */
  ground: number;
  y(value: number): number;
  tone: number;
  words: string;
}

function drawBar({ value, low, high }: Bar, { x, width, ground, y, tone, words }: Place): string {
  if (!Number.isFinite(value)) return "";
  const top = Math.min(ground, y(value)), tall = Math.abs(y(value) - ground);
  const has = low !== undefined && high !== undefined && Number.isFinite(low) &&
    Number.isFinite(high);
  const interval = has ? `, ${short(low)} to ${short(high)}` : "";
  const middle = x + width / 2;
  return `<g><title>${escape(`${words}: ${short(value)}${interval}`)}</title>` +
    `<rect class="f${tone}" x="${at(x + 1)}" y="${at(top)}" width="${at(width - 2)}" height="${
      at(tall)
    }"/>` +
    (has ? rule("axis", middle, y(low), middle, y(high)) : "") +
    (width >= 24 && !has ? text(middle, top - 4, short(value), { anchor: "middle" }) : "") + "</g>";
}
