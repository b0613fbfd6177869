/** docs/exercises/1-find-the-bug.md: six runs, five of them with a fault. @module */
import { BUG_TABLES, readCurves } from "./_runs.ts";
import { type Axis, type Figure, legend, lines, svg } from "./_svg.ts";

const LETTERS = ["a", "b", "c", "d", "e", "f"];
const PANELS: readonly (readonly [metric: string, axis: Axis])[] = [
  ["score/mean", { label: "reward", range: [0, 1] }],
  ["kl/reference", { label: "nats per answer" }],
  ["policy/entropy", { label: "nats per token", range: [0, 2] }],
];
const [WIDTH, HEIGHT, TOP] = [310, 240, 26];

async function draw(): Promise<string> {
  const curves = await Promise.all(LETTERS.map((letter) => readCurves(letter, BUG_TABLES)));
  const ends = LETTERS.map((letter, i) =>
    `${letter} ${curves[i].of("score/mean").at(-1)!.toFixed(2)}`
  );
  const series = (metric: string) =>
    LETTERS.map((name, tone) => ({ name, tone, points: curves[tone].points(metric) }));
  return svg(
    {
      title: "Six runs of colors",
      desc: `Score, KL to the first model, and entropy. Score at the last step: ${
        ends.join(", ")
      }.`,
      width: 3 * WIDTH,
      height: HEIGHT + TOP,
    },
    legend({ x: 54, y: 0 }, LETTERS.map((name, tone) => ({ name, tone, points: [] }))),
    ...PANELS.map(([metric, y], i) =>
      lines({ x: i * WIDTH, y: TOP, width: WIDTH, height: HEIGHT }, {
        heading: metric,
        x: { label: "step", range: [0, 12] },
        y,
        series: series(metric),
        noNames: true,
      })
    ),
  );
}

export const figures: readonly Figure[] = [{ file: "find-the-bug.svg", draw }];
