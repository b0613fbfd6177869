/** Page 14: a point for every e at four prices; data/14-*.csv are the runs of `letters` with seed 1. @module */
import { readCurves } from "./_runs.ts";
import { type Figure, lines, svg } from "./_svg.ts";

const PRICES = ["0", "0.3", "1", "3"];

async function letters(): Promise<string> {
  const runs = await Promise.all(PRICES.map((price) => readCurves(`14-letters-${price}`)));
  const panel = (x: number, heading: string, metric: string, label: string) =>
    lines({ x, y: 0, width: 330, height: 270 }, {
      heading,
      x: { label: "step" },
      y: { label },
      series: runs.map((run, i) => ({
        name: PRICES[i],
        tone: [5, 2, 1, 3][i],
        points: run.points(metric),
      })),
    });
  const last = (metric: string) =>
    runs.map((run, i) => `${run.of(metric).at(-1)!.toFixed(1)} at a price of ${PRICES[i]}`)
      .join(", ");
  return svg(
    {
      title: "A point for every e, at four prices of a nat",
      desc: `E's of an answer at the last step: ${last("score/mean")}. Drift in nats: ${
        last("kl/reference")
      }.`,
      width: 660,
      height: 270,
    },
    panel(0, "Letters e by price of a nat", "score/mean", "e's of an answer"),
    panel(330, "Drift by price of a nat", "kl/reference", "nats of an answer"),
  );
}

export const figures: readonly Figure[] = [{ file: "14-letters.svg", draw: letters }];
