/** docs/metrics.md: one healthy run of colors beside three sick ones. @module */
import { readCurves } from "./_runs.ts";
import { type Axis, type Figure, legend, lines, svg } from "./_svg.ts";

const RUNS = [
  ["healthy", "healthy", 1],
  ["lambda-0", "lambda=0", 2],
  ["kl-1", "klCoefficient=1", 3],
  ["no-clip", "no clip", 5],
] as const;
const PANELS: readonly (readonly [metric: string, axis: Axis])[] = [
  ["score/mean", { label: "reward", range: [0, 1] }],
  ["kl/reference", { label: "nats per answer", range: [0, 2] }],
  ["policy/entropy", { label: "nats per token", range: [0, 1.2] }],
  ["policy/approxkl", { label: "nats per token", log: true, range: [1e-5, 100] }],
  ["policy/ratio_max", { label: "ratio", log: true, range: [1, 1000] }],
  ["policy/ratio_min", { label: "ratio", log: true, range: [1e-9, 1] }],
];
const [WIDTH, HEIGHT, TOP] = [300, 230, 26];

async function draw(): Promise<string> {
  const curves = await Promise.all(RUNS.map(([file]) => readCurves(file)));
  const most = (metric: string) =>
    RUNS.map(([, name], i) => `${name} ${Math.max(...curves[i].of(metric)).toPrecision(2)}`);
  return svg(
    {
      title: "Six metrics of a healthy run and three sick ones",
      desc: `Score at the last step: ${
        RUNS.map(([, name], i) => `${name} ${curves[i].of("score/mean").at(-1)!.toFixed(2)}`).join(
          ", ",
        )
      }. Largest approxkl: ${most("policy/approxkl").join(", ")}. Largest ratio: ${
        most("policy/ratio_max").join(", ")
      }.`,
      width: 3 * WIDTH + 40,
      height: 2 * HEIGHT + TOP,
    },
    legend({ x: 54, y: 0 }, RUNS.map(([, name, tone]) => ({ name, tone, points: [] }))),
    ...PANELS.map(([metric, y], i) =>
      lines(
        { x: i % 3 * WIDTH, y: TOP + Math.floor(i / 3) * HEIGHT, width: WIDTH, height: HEIGHT },
        {
          heading: metric,
          x: { label: "step", range: [0, 12] },
          y,
          series: RUNS.map(([, name, tone], run) => ({
            name,
            tone,
            points: curves[run].points(metric),
          })),
          noNames: true,
        },
      )
    ),
  );
}

export const figures: readonly Figure[] = [{ file: "metrics-four-runs.svg", draw }];
