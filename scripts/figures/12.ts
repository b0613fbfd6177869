/** Page 12: what lambda makes of one response; data/12-*.csv are runs of the task colors, seed 1. @module */
import { alignResponses } from "../../rl/batch.ts";
import { gae } from "../../rl/gae.ts";
import { readCurves } from "./_runs.ts";
import { bars, type Figure, lines, svg } from "./_svg.ts";

const grid = alignResponses([[1, 1, 1]]), reward = [0, 0, 1], LAMBDAS = [0, 0.5, 1];

/** Advantages of three tokens, a group of bars for each token. */
function advantages(x: number, heading: string, value: readonly number[]): string {
  const of = LAMBDAS.map((lambda) => gae(grid, { reward, value, gamma: 1, lambda }).advantage);
  return bars({ x, y: 0, width: 330, height: 250 }, {
    heading,
    y: { label: "advantage", range: [0, 1.1] },
    bars: LAMBDAS.map((lambda) => `lambda ${lambda}`),
    groups: [0, 1, 2].map((t) => ({ name: `token ${t + 1}`, values: of.map((A) => A[t]) })),
    show: (A) => A.toFixed(2).replace(/0$/, ""),
  });
}

async function lambda(): Promise<string> {
  const runs = await Promise.all(
    ["0.95", "0"].map(async (lambda) => ({
      name: `lambda ${lambda}`,
      points: (await readCurves(`12-lambda-${lambda}`)).points("rewards/exact/mean"),
    })),
  );
  return svg(
    {
      title: "What lambda makes of one response, and of a run",
      desc:
        "A critic of 0.2, 0.4, 0.6 and a score of 1: lambda 0 gives 0.2, 0.2, 0.4, lambda 0.5 0.4 " +
        "each, lambda 1 0.8, 0.6, 0.4. A fresh critic of 0: lambda 0 leaves all but the last token at " +
        "0. " +
        runs.map(({ name, points }) =>
          `A run with ${name}: right answers from ${points[0][1].toFixed(2)} to ${
            points.at(-1)![1].toFixed(2)
          }.`
        ).join(" "),
      width: 960,
      height: 250,
    },
    advantages(0, "A critic that has learned", [0.2, 0.4, 0.6]),
    advantages(325, "A fresh critic", [0, 0, 0]),
    lines({ x: 655, y: 0, width: 305, height: 250 }, {
      heading: "Right answers drawn",
      x: { label: "step" },
      y: { label: "share right", range: [0, 1] },
      series: runs,
    }),
  );
}

export const figures: readonly Figure[] = [{ file: "12-lambda.svg", draw: lambda }];
