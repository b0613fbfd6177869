/** What every chart has: its size, title, axes, grid, and the style that all drawings share. @module */
import { type Axis, place } from "./scale.ts";
import { coordinate as at, escape, fitted, LETTER, short } from "./text.ts";

/** Inner and outer measures, in units that are pixels where a drawing is shown at its size. */
export const SIZE = { width: 360, height: 224, left: 46, right: 12, top: 40, bottom: 40 } as const;

/** What stands around the data of a chart. */
export interface Frame {
  readonly title: string;
  /** What is drawn, in a sentence, for those who do not see it. */
  readonly description: string;
  /** Word and unit of the vertical axis. */
  readonly unit: string;
}

/** Ends of the field that data is drawn in. */
export const FIELD = {
  left: SIZE.left,
  right: SIZE.width - SIZE.right,
  top: SIZE.top,
  bottom: SIZE.height - SIZE.bottom,
} as const;

/**
 * The style of drawings, once a page or in a file of their own. Tones differ in lightness as well, so that
 * they are told apart in grey; text is `ink` or `soft`, both at least 4.5 to 1 on the page.
 */
export const STYLE =
  ".chart{--ink:#1f2328;--paper:#fff;--soft:#59636e;--grid:#d1d9e0;--tone-0:#0969da;--tone-1:#a15c00;" +
  "--tone-2:#1a7f37;--tone-3:#8250df;--tone-4:#bf3989;--tone-5:#57606a;--well:#1a7f37;--ill:#cf222e;" +
  "font:12px system-ui,sans-serif;fill:var(--ink)}" +
  "@media(prefers-color-scheme:dark){.chart{--ink:#e6edf3;--paper:#0d1117;--soft:#9198a1;--grid:#3d444d;--tone-0:#58a6ff;" +
  "--tone-1:#e3b341;--tone-2:#56d364;--tone-3:#bc8cff;--tone-4:#ff9bce;--tone-5:#b1bac4;--well:#3fb950;" +
  "--ill:#ff7b72}}" +
  ".chart .title{font-size:13px;font-weight:600}.chart .soft{fill:var(--soft)}" +
  ".chart .grid{stroke:var(--grid);stroke-width:1}.chart .axis{stroke:var(--soft);stroke-width:1}" +
  ".chart .well{fill:var(--well);opacity:.1}.chart .line{fill:none;stroke-width:1.75;stroke-linejoin:round}" +
  ".chart .raw{fill:none;stroke-width:1;opacity:.3}.chart .band{opacity:.16;stroke:none}" +
  ".chart .hit{fill:transparent;stroke:none}.chart .hit:hover{fill:var(--ink);fill-opacity:.08}" +
  ".chart .foot{fill:var(--soft)}.chart .mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}.chart .ill{stroke:var(--ill)}" +
  ".chart .bar{stroke-width:1}.chart .pale{fill-opacity:.25}.chart .fn{fill:var(--soft);fill-opacity:.5}" +
  ".chart .fn.pale{fill-opacity:.15}.chart .sn{stroke:var(--soft)}" +
  ".chart .seam{fill:none;stroke:var(--paper);stroke-width:4}" +
  ".chart .whisker{fill:none;stroke:var(--ink);stroke-width:1.5}" +
  [0, 1, 2, 3, 4, 5].map((k) =>
    `.chart .s${k}{stroke:var(--tone-${k})}.chart .f${k}{fill:var(--tone-${k})}`
  ).join("");

/** Colours that there are; the next begins anew. */
export const TONES = 6;

/** A piece of text; its place is where its baseline begins, ends or has its middle. */
export function text(
  x: number,
  y: number,
  words: string,
  { kind = "", anchor = "start" }: { kind?: string; anchor?: "start" | "middle" | "end" } = {},
): string {
  const classes = kind === "" ? "" : ` class="${kind}"`;
  const how = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${at(x)}" y="${at(y)}"${classes}${how}>${escape(words)}</text>`;
}

/** A straight line. */
export const rule = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;

/** Letters for which there is room at the left of the field. */
const LABEL = 6;

/** Ticks as they are written: alike, and no wider than there is room. */
export function tickLabels(ticks: readonly number[]): string[] {
  const plain = ticks.map(short);
  if (plain.every((label) => label.length <= LABEL)) return plain;
  const thousands = ticks.map((tick) => tick === 0 ? "0" : `${short(tick / 1000)}k`);
  const most = Math.max(...ticks.map(Math.abs));
  if (most >= 1000 && thousands.every((label) => label.length <= LABEL)) return thousands;
  return ticks.map((tick) => tick === 0 ? "0" : tick.toExponential().replace("e+", "e"));
}

/** The horizontal lines, and what they stand for. */
export function valueAxis(axis: Axis): string[] {
  const y = place(axis, FIELD.bottom, FIELD.top), labels = tickLabels(axis.ticks);
  return axis.ticks.flatMap((tick, i) => [
    rule("grid", FIELD.left, y(tick), FIELD.right, y(tick)),
    text(FIELD.left - 6, y(tick) + 4, labels[i], { kind: "soft", anchor: "end" }),
  ]);
}

/** The steps below the field, and the word for them. */
export function horizontalAxis(axis: Axis, label: string): string[] {
  const x = place(axis, FIELD.left, FIELD.right);
  return [
    rule("axis", FIELD.left, FIELD.bottom, FIELD.right, FIELD.bottom),
    ...axis.ticks.flatMap((tick) => [
      rule("axis", x(tick), FIELD.bottom, x(tick), FIELD.bottom + 4),
      text(x(tick), FIELD.bottom + 17, short(tick), { kind: "soft", anchor: "middle" }),
    ]),
    text(FIELD.right, FIELD.bottom + 33, label, { kind: "soft", anchor: "end" }),
  ];
}

/** What a legend names, and the classes of the sample beside it. */
export interface Sample {
  readonly name: string;
  readonly kind: string;
}

/** Of a name in a legend: its sample, and the room behind it. */
const [SAMPLE, APART] = [14, 12];
/** From a line of a legend to the next. */
const LINE = 16;

/**
 * Names with their samples, as many a line as there is room for, each whole where it can be; none of fewer than
 * `least`. `height` is what they take below `top`, the baseline of the first line.
 * @param room what the first line may take; the others have the whole width
 */
export function legendBelow(
  samples: readonly Sample[],
  { top, room = SIZE.width, least }: { top: number; room?: number; least: number },
): { parts: string[]; height: number } {
  if (samples.length < least) return { parts: [], height: 0 };
  let x = 0, y = top;
  const parts = samples.map(({ name, kind }) => {
    const most = y === top ? room : SIZE.width;
    const wide = SAMPLE + Math.min([...name].length * LETTER, SIZE.width - SAMPLE);
    if (x > 0 && x + wide > most) [x, y] = [0, y + LINE];
    const left = x, words = fitted(name, (y === top ? room : SIZE.width) - SAMPLE);
    x += wide + APART;
    return `<g><title>${escape(name)}</title><rect class="${kind}" x="${at(left)}" y="${
      at(y - 9)
    }" width="10" height="10" rx="2"/>` +
      `${text(left + SAMPLE, y, words, { kind: "soft" })}</g>`;
  });
  return { parts, height: y - top + 13 };
}

/** The whole drawing, as a part of a page. `id` tells its title from that of others on the page. */
export function drawing(
  frame: Frame,
  parts: readonly string[],
  { id, height = SIZE.height }: { id: string; height?: number },
): string {
  const { width } = SIZE;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${
      escape(frame.title)
    }</title>` +
    `<desc id="${id}-d">${escape(frame.description)}</desc>` +
    text(0, 14, frame.title, { kind: "title" }) + text(0, 30, frame.unit, { kind: "soft" }) +
    parts.join("") + "</svg>";
}
