/** Several charts in one file. @module */
import { SIZE, STYLE } from "./frame.ts";
import { escape } from "./text.ts";

const GAP = 24;

/**
 * Charts in rows of `columns`, each row as high as its highest chart, as a file of its own: it brings its style,
 * and colours for light and dark.
 * @param charts what `lineChart` and `barChart` gave
 */
export function sheet(charts: readonly string[], { columns = 2, title = "" } = {}): string {
  const width = columns * (SIZE.width + GAP) + GAP;
  const parts: string[] = [];
  let y = GAP;
  for (let first = 0; first < charts.length; first += columns) {
    const row = charts.slice(first, first + columns);
    parts.push(
      ...row.map((chart, i) =>
        chart.replace("<svg ", `<svg x="${GAP + i * (SIZE.width + GAP)}" y="${y}" `)
      ),
    );
    y += Math.max(...row.map(heightOf)) + GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}">` +
    `<title>${
      escape(title)
    }</title><style>svg{background:#fff}@media(prefers-color-scheme:dark){svg{background:#0d1117}}` +
    `${STYLE}</style>${parts.join("\n")}</svg>\n`;
}

const heightOf = (chart: string): number =>
  Number(/ viewBox="0 0 \d+ (\d+)"/.exec(chart)?.[1] ?? SIZE.height);
