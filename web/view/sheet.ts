/** Several charts in one file. @module */
import { SIZE, STYLE } from "./frame.ts";
import { escape } from "./text.ts";

const GAP = 24;

/**
 * Charts in rows of `columns`, as a file of its own: it brings its style, and colours for light and dark.
 * @param charts what `lineChart` and `barChart` gave
 */
export function sheet(charts: readonly string[], { columns = 2, title = "" } = {}): string {
  const rows = Math.ceil(charts.length / columns);
  const width = columns * (SIZE.width + GAP) + GAP, height = rows * (SIZE.height + GAP) + GAP;
  const parts = charts.map((chart, i) => {
    const x = GAP + (i % columns) * (SIZE.width + GAP),
      y = GAP + Math.floor(i / columns) * (SIZE.height + GAP);
    return chart.replace("<svg ", `<svg x="${x}" y="${y}" `);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<title>${
      escape(title)
    }</title><style>svg{background:#fff}@media(prefers-color-scheme:dark){svg{background:#0d1117}}` +
    `${STYLE}</style>${parts.join("\n")}</svg>\n`;
}
