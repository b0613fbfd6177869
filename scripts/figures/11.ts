/** Page 11: five points for everybody; data/11-*.csv are the runs of `plus_five` with seed 1. @module */
import { readCurves } from "./_runs.ts";
import { type Figure, lineChart } from "./_svg.ts";

const NAMES = { none: "no baseline", batch: "mean of the others", whitened: "whitened" };

async function plusFive(): Promise<string> {
  const series = await Promise.all(
    Object.entries(NAMES).map(async ([file, name]) => ({
      name,
      points: (await readCurves(`11-${file}`)).points("rewards/exact/mean"),
    })),
  );
  return lineChart({
    title: "Share of right answers drawn, where every answer gets five points more",
    desc: series.map(({ name, points }) =>
      `${name}: from ${points[0][1].toFixed(2)} to ${points.at(-1)![1].toFixed(2)}`
    ).join("; "),
    width: 560,
    height: 280,
    x: { label: "step" },
    y: { label: "share right", range: [0, 1] },
    series,
  });
}

export const figures: readonly Figure[] = [{ file: "11-plus-five.svg", draw: plusFive }];
