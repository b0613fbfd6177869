/**
 * A small writer of SVG for the figures of docs/reading: the same numbers give the same bytes. Ground and
 * text follow the reader's light or dark scheme; the colours of marks are readable on both.
 * @module
 */
import { type Axis, type Scale, scaleOf, tick } from "./_scale.ts";

export type { Axis } from "./_scale.ts";

/** One picture: a file of docs/reading/figures, and what draws it. */
export interface Figure {
  /** Name of the file; starts with the number of its page. */
  file: string;
  draw: () => string | Promise<string>;
}

/** What a picture is called, and what it shows for whoever cannot see it. */
export interface Frame {
  title: string;
  desc: string;
  width: number;
  height: number;
}

/** A rectangle of the picture, in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

// Grey, blue, orange, green, purple, red: also apart in grey, as lines have dashes and bars have words.
const TONES = ["#868e99", "#2f81f7", "#d4761c", "#2da44e", "#a371f7", "#e5534b"];
const STYLE = "svg{background:#fff;color:#1f2328;font:12px system-ui,sans-serif}" +
  "text{fill:currentColor}.soft{opacity:.7}.rule{stroke:currentColor;stroke-opacity:.15}" +
  ".axis{stroke:currentColor;stroke-opacity:.5;fill:none}.cell{stroke:currentColor;stroke-opacity:.4}" +
  TONES.map((tone, i) => `.l${i}{stroke:${tone};fill:none;stroke-width:2}.f${i}{fill:${tone}}`)
    .join("") +
  "@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}}";
const DASHES = ["", "", "6 3", "2 3", "8 3 2 3", "10 4"];

/** A number as the file has it: at most two digits after the point. */
export const n = (x: number): string => String(Math.round(x * 100) / 100 + 0);

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A whole file. */
export function svg({ title, desc, width, height }: Frame, ...parts: string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(width)} ${n(height)}" ` +
    `width="${n(width)}" height="${n(height)}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escaped(title)}</title>`,
    `<desc id="d">${escaped(desc)}</desc>`,
    `<style>${STYLE}</style>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

/** How a text stands at its point. */
export interface TextStyle {
  anchor?: "start" | "middle" | "end";
  size?: number;
  bold?: boolean;
  soft?: boolean;
  /** Degrees, around its point. */
  turn?: number;
}

/** One line of text; `y` is its base line. */
export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { anchor = "start", size, bold, soft, turn } = style;
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}"` +
    (size === undefined ? "" : ` font-size="${n(size)}"`) +
    (bold ? ' font-weight="600"' : "") + (soft ? ' class="soft"' : "") +
    (turn === undefined ? "" : ` transform="rotate(${n(turn)} ${n(x)} ${n(y)})"`) +
    `>${escaped(words)}</text>`;
}

/** A straight line in a tone, or in that of axes. */
export function line(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  tone?: number,
): string {
  return `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" class="${
    tone === undefined ? "axis" : `l${tone}`
  }"/>`;
}

/** A line with a head at its end. */
export function arrow(
  from: readonly [number, number],
  to: readonly [number, number],
  tone?: number,
): string {
  const [x, y] = to, angle = Math.atan2(y - from[1], x - from[0]);
  const wing = (turn: number): [number, number] => [
    x - 7 * Math.cos(angle + turn),
    y - 7 * Math.sin(angle + turn),
  ];
  return [line(from, to, tone), line(wing(0.45), to, tone), line(wing(-0.45), to, tone)].join("");
}

/** A box with words in its middle. `tone` fills it, `strength` (0 to 1) how much. */
export function cell(
  { x, y, width, height }: Box,
  words: string,
  { tone, strength = 0.25, ...style }: TextStyle & { tone?: number; strength?: number } = {},
): string {
  const fill = tone === undefined || strength === 0
    ? 'fill="none"'
    : `style="fill:${TONES[tone]};fill-opacity:${n(strength)}"`;
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${
    n(height)
  }" class="cell" ${fill}/>` +
    (words === ""
      ? ""
      : text(x + width / 2, y + height / 2 + 4, words, { anchor: "middle", ...style }));
}

/** A grid of cells: words by row and column. */
export function cells(
  at: { x: number; y: number; width: number; height: number },
  rows: readonly (readonly string[])[],
  style: (row: number, column: number) => Parameters<typeof cell>[2] = () => ({}),
): string {
  return rows.flatMap((row, r) =>
    row.map((words, c) =>
      cell(
        { ...at, x: at.x + c * at.width, y: at.y + r * at.height },
        words,
        style(r, c),
      )
    )
  ).join("\n");
}

/** One curve. */
export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
  /** Index of a tone; by default its place in the list, from 1. */
  tone?: number;
  /** A dot on each point, and no line between them. */
  dots?: boolean;
}

/** What a chart of lines shows. */
export interface Lines {
  heading?: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** Leave the names of the curves out, as another panel shows them. */
  noNames?: boolean;
}

/** A chart of lines in a box, to be put beside others. Numbers that are not finite are left out. */
export function lines(box: Box, { heading, x, y, series, noNames }: Lines): string {
  const named = !noNames && series.length > 1;
  const plot = inner(box, heading !== undefined, named);
  const all = series.flatMap(({ points }) =>
    points.filter((point) => point.every(Number.isFinite))
  );
  const atX = scaleOf(x, all.map(([x]) => x), [plot.x, plot.x + plot.width]);
  const atY = scaleOf(y, all.map(([, y]) => y), [plot.y + plot.height, plot.y]);
  const marks = series.map(({ points, tone, dots }, i) => {
    const color = tone ?? i + 1;
    const places = points.filter((point) => point.every(Number.isFinite))
      .map(([x, y]): [number, number] => [atX.at(x), atY.at(y)]);
    if (dots) {
      return places.map(([x, y]) => `<circle cx="${n(x)}" cy="${n(y)}" r="2.5" class="f${color}"/>`)
        .join("");
    }
    const way = places.map(([x, y]) => `${n(x)},${n(y)}`).join(" ");
    return `<polyline points="${way}" class="l${color}"${dashOf(color)}/>`;
  });
  return [
    frame(box, plot, heading, { x, y, atX, atY }),
    ...marks,
    ...(named ? [names(plot, series)] : []),
  ].join("\n");
}

/** A stand-alone file of one chart of lines. */
export function lineChart({ title, desc, width = 560, height = 300, ...rest }:
  & Pick<Frame, "title" | "desc">
  & Partial<Frame>
  & Lines): string {
  const whole = { title, desc, width, height };
  return svg(whole, lines({ x: 0, y: 0, width, height }, rest));
}

/** One group of bars beside each other. */
export interface BarGroup {
  name: string;
  /** One number for each of the chart's `bars`. */
  values: readonly number[];
}

/** What a chart of bars shows: each group has a bar for each name of `bars`. */
export interface Bars {
  heading?: string;
  y: Axis;
  bars: readonly string[];
  groups: readonly BarGroup[];
  /** How a bar's number is written above it. */
  show?: (value: number) => string;
}

/** A chart of bars in a box. */
export function bars(box: Box, { heading, y, bars, groups, show = n }: Bars): string {
  const named = bars.length > 1;
  const plot = inner(box, heading !== undefined, named);
  const values = groups.flatMap(({ values }) => values).concat(y.log ? [] : [0]);
  const atY = scaleOf(y, values, [plot.y + plot.height, plot.y]);
  const wide = plot.width / groups.length, each = wide * 0.7 / bars.length;
  const floor = y.log ? plot.y + plot.height : atY.at(0);
  const marks = groups.flatMap(({ name, values }, g) => [
    ...values.map((value, i) => {
      const x = plot.x + (g + 0.15) * wide + i * each, top = atY.at(value);
      const up = Math.min(top, floor);
      return `<rect x="${n(x)}" y="${n(up)}" width="${n(each * 0.9)}" height="${
        n(Math.abs(top - floor))
      }" class="f${bars.length > 1 ? i : 1}"/>` +
        text(x + each * 0.45, up - 4, show(value), { anchor: "middle", size: 11 });
    }),
    text(plot.x + (g + 0.5) * wide, plot.y + plot.height + 16, name, {
      anchor: "middle",
      size: 11,
    }),
  ]);
  const colors = bars.map((name, i): Series => ({ name, points: [], tone: i }));
  return [
    frame(box, plot, heading, { y, atY }),
    ...marks,
    ...(named ? [names(plot, colors, true)] : []),
  ].join("\n");
}

/** A stand-alone file of one chart of bars. */
export function barChart({ title, desc, width = 560, height = 300, ...rest }:
  & Pick<Frame, "title" | "desc">
  & Partial<Frame>
  & Bars): string {
  const whole = { title, desc, width, height };
  return svg(whole, bars({ x: 0, y: 0, width, height }, rest));
}

/** Where the marks of a chart go: the box less its words. */
function inner(box: Box, headed: boolean, named: boolean): Box {
  const top = 12 + (headed ? 20 : 0) + (named ? 18 : 0);
  return { x: box.x + 54, y: box.y + top, width: box.width - 70, height: box.height - top - 42 };
}

const dashOf = (tone: number): string => DASHES[tone] ? ` stroke-dasharray="${DASHES[tone]}"` : "";

/** The names of the curves of several panels, in one line that starts at (x, y + 18). */
export const legend = (at: { x: number; y: number }, series: readonly Series[]): string =>
  names({ x: at.x, y: at.y + 28, width: 0, height: 0 }, series);

/** The names of the curves, in one line above the plot. */
function names(plot: Box, series: readonly Series[], filled = false): string {
  let x = plot.x;
  return series.map(({ name, tone, dots }, i) => {
    const color = tone ?? i + 1, y = plot.y - 10, from = x;
    x += 34 + 6.4 * name.length;
    const mark = filled
      ? `<rect x="${n(from)}" y="${n(y - 8)}" width="12" height="9" class="f${color}"/>`
      : dots
      ? `<circle cx="${n(from + 8)}" cy="${n(y - 4)}" r="2.5" class="f${color}"/>`
      : `<line x1="${n(from)}" y1="${n(y - 4)}" x2="${n(from + 18)}" y2="${
        n(y - 4)
      }" class="l${color}"${dashOf(color)}/>`;
    return mark + text(from + (filled ? 16 : 22), y, name, { size: 11 });
  }).join("");
}

/** Heading, rules, ticks and the words of the axes. */
function frame(
  box: Box,
  plot: Box,
  heading: string | undefined,
  { x, y, atX, atY }: { x?: Axis; y: Axis; atX?: Scale; atY: Scale },
): string {
  const bottom = plot.y + plot.height, right = plot.x + plot.width;
  return [
    ...(heading === undefined ? [] : [text(plot.x, box.y + 20, heading, { bold: true, size: 13 })]),
    ...atY.ticks.map((value) =>
      `<line x1="${n(plot.x)}" y1="${n(atY.at(value))}" x2="${n(right)}" y2="${
        n(atY.at(value))
      }" class="rule"/>` +
      text(plot.x - 6, atY.at(value) + 4, tick(value), { anchor: "end", size: 11 })
    ),
    ...(atX?.ticks ?? []).map((value) =>
      text(atX!.at(value), bottom + 16, tick(value), { anchor: "middle", size: 11 })
    ),
    line([plot.x, bottom], [right, bottom]),
    ...(x
      ? [
        text(plot.x + plot.width / 2, bottom + 34, x.label, {
          anchor: "middle",
          size: 11,
          soft: true,
        }),
      ]
      : []),
    text(box.x + 12, plot.y + plot.height / 2, y.label, {
      anchor: "middle",
      size: 11,
      soft: true,
      turn: -90,
    }),
  ].join("\n");
}
