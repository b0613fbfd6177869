/** The numbers behind a chart, for those who do not see it or want them. @module */
import type { BarChart } from "./bars.ts";
import { type LineChart, someSteps } from "./lines.ts";
import { escape, short } from "./text.ts";

/** About as many rows as a table of steps has at most. */
const MOST = 50;

/** A closed `<details>` with the chart's numbers as a table. */
export function lineTable({ lines, across = "step", title }: LineChart): string {
  const rows = someSteps(lines, MOST).map((step) => [
    String(step),
    ...lines.map((line) => short(line.values[line.steps.indexOf(step)] ?? NaN)),
  ]);
  return details(title, [across, ...lines.map(({ name }) => name)], rows);
}

/** The same of bars. */
export function barTable({ groups, series, title }: BarChart): string {
  const rows = groups.map(({ name, bars }) => [
    name,
    ...bars.map(({ value, low, high }) =>
      short(value) +
      (low === undefined || high === undefined ? "" : ` (${short(low)} to ${short(high)})`)
    ),
  ]);
  return details(title, ["", ...series], rows);
}

function details(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  return `<details class="numbers"><summary>numbers<span class="unseen"> of ${
    escape(title)
  }</span></summary><table>` +
    `<thead>${line(head, "th")}</thead><tbody>${
      rows.map((row) => line(row, "td")).join("")
    }</tbody></table></details>`;
}
