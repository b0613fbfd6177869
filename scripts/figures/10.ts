/** Page 10: a run of REINFORCE with right and wrong alone; data/10-reinforce.csv is its seed 1. @module */
import { readCurves } from "./_runs.ts";
import { type Figure, lines, svg } from "./_svg.ts";

async function reinforce(): Promise<string> {
  const run = await readCurves("10-reinforce"), step = { label: "step" };
  const panel = (x: number, heading: string, metric: string, tone: number) =>
    lines({ x, y: 0, width: 320, height: 250 }, {
      heading,
      x: step,
      y: { label: metric, range: metric === "score/mean" ? [0, 1] : [0, 0.5] },
      series: [{ name: metric, points: run.points(metric), tone }],
    });
  return svg(
    {
      title: "Score and loss of one run of REINFORCE",
      desc: `The mean score rises from ${run.of("score/mean")[0].toFixed(2)} to ${
        run.of("score/mean").at(-1)!.toFixed(2)
      }, while the loss wanders between ${Math.min(...run.of("loss/policy")).toFixed(2)} and ${
        Math.max(...run.of("loss/policy")).toFixed(2)
      } without a trend that would tell.`,
      width: 640,
      height: 250,
    },
    panel(0, "What is wanted", "score/mean", 1),
    panel(320, "What is computed", "loss/policy", 2),
  );
}

export const figures: readonly Figure[] = [{ file: "10-reinforce.svg", draw: reinforce }];
