/**
 * A chart of bars in groups, with intervals where there are several runs. Bars lie: above them there is room for
 * the name of their group, and for as many groups as there are.
 * @module
 */
import { drawing, type Frame, legendBelow, rule, SIZE, text, tickLabels, TONES } from "./frame.ts";
import { axisOf, place, type Span } from "./scale.ts";
import { coordinate as at, escape, fitted, LETTER, short } from "./text.ts";

/** One bar: its value, NaN where there is none, and the interval of it. */
export interface Bar {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** Bars under one name. */
export interface BarGroup {
  readonly name: string;
  /** Colour of its bars, as a line of the same thing has it; null: none of its own. Default 0. */
  readonly tone?: number | null;
  readonly bars: readonly Bar[];
}

/** All that a chart of bars shows. */
export interface BarChart extends Frame {
  readonly span: Span;
  /** What each bar of a group is, in the order of the bars. The last is drawn full, those before it pale. */
  readonly series: readonly string[];
  readonly groups: readonly BarGroup[];
}

/** Left and right end of the bars; a tick's number stands in the middle under it. */
const [LEFT, RIGHT] = [18, SIZE.width - 18];
/** Heights: of a bar with its seam, of the line with the name above the bars of a group, of what parts groups. */
const [BAR, NAME, GAP] = [14, 18, 8];

/** The chart as SVG text, a part of a page. The same numbers give the same bytes. */
export function barChart(chart: BarChart, id: string): string {
  const { groups, series, span } = chart;
  const values = groups.flatMap(({ bars }) =>
    bars.flatMap(({ value, low = NaN, high = NaN }) => [value, low, high])
  );
  const axis = axisOf(values, span), x = place(axis, LEFT, RIGHT);
  const ground = x(Math.min(axis.high, Math.max(axis.low, 0)));
  const tall = NAME + BAR * Math.max(1, series.length) + GAP;
  const bottom = SIZE.top + tall * groups.length;
  const labels = tickLabels(axis.ticks);
  const { parts: names, height } = legendBelow(
    series.map((name, k) => ({ name, kind: toneClass(commonTone(groups), k, series.length) })),
    { top: bottom + 33, least: 2 },
  );
  return drawing(chart, [
    ...axis.ticks.map((tick, i) =>
      text(x(tick), bottom + 15, labels[i], { kind: "soft", anchor: "middle" })
    ),
    ...groups.flatMap((group, g) => {
      const top = SIZE.top + g * tall, ends = [top + NAME - 2, top + tall - GAP + 2] as const;
      return [ // not through the names
        ...axis.ticks.map((tick) => rule("grid", x(tick), ends[0], x(tick), ends[1])),
        ...drawGroup(group, { top, ground, x, series }),
        rule("axis", ground, ends[0], ground, ends[1]),
      ];
    }),
    ...names,
  ], { id, height: bottom + 22 + height });
}

interface Place {
  top: number;
  /** Where bars begin. */
  ground: number;
  x(value: number): number;
  series: readonly string[];
}

/** Its name, what its bars come to, and the bars. */
function drawGroup(
  { name, tone = 0, bars }: BarGroup,
  { top, ground, x, series }: Place,
): string[] {
  const told = bars.map(({ value }) => short(value) || "-").join(", ");
  const room = SIZE.width - (told.length + 2) * LETTER;
  return [
    `<g><title>${escape(name)}</title>${text(0, top + 13, fitted(name, room))}</g>`,
    text(SIZE.width, top + 13, told, { kind: "soft", anchor: "end" }),
    ...bars.map((bar, k) =>
      drawBar(bar, {
        ...{ ground, x, top: top + NAME + k * BAR },
        kind: toneClass(tone, k, bars.length),
        words: `${name}, ${series[k]}`,
      })
    ),
  ];
}

/** The style of bar `k` of `of`. */
const toneClass = (tone: number | null, k: number, of: number): string => {
  const colour = tone === null ? "fn sn" : `f${tone % TONES} s${tone % TONES}`;
  return k < of - 1 ? `${colour} pale` : colour;
};

/** The tone of all groups; null where they have different ones. */
const commonTone = (groups: readonly BarGroup[]): number | null => {
  const tones = new Set(groups.map(({ tone = 0 }) => tone));
  return tones.size === 1 ? [...tones][0] : null;
};

function drawBar(
  { value, low, high }: Bar,
  { top, ground, x, kind, words }: Pick<Place, "top" | "ground" | "x"> & {
    kind: string;
    words: string;
  },
): string {
  if (!Number.isFinite(value)) return "";
  // Where all seeds agree it is a point, and nothing to show.
  const ends = low !== undefined && high !== undefined && high > low ? { low, high } : undefined;
  const interval = ends ? `, ${short(ends.low)} to ${short(ends.high)}` : "";
  const left = Math.min(ground, x(value)), wide = Math.abs(x(value) - ground);
  return `<g><title>${escape(`${words}: ${short(value)}${interval}`)}</title>` +
    `<rect class="bar ${kind}" x="${at(left)}" y="${at(top + 1)}" width="${at(wide)}" height="${
      BAR - 2
    }"/>` + (ends ? whisker(x(ends.low), x(ends.high), top + BAR / 2) : "") + "</g>";
}

/** An interval: a line with ends, dark on a light page, in a seam of the page's colour that parts it from its bar. */
function whisker(from: number, to: number, y: number): string {
  const [a, b] = [at(from), at(to)];
  const path = `M${a} ${at(y)}H${b}M${a} ${at(y - 4)}V${at(y + 4)}M${b} ${at(y - 4)}V${at(y + 4)}`;
  return `<path class="seam" d="${path}"/><path class="whisker" d="${path}"/>`;
}
