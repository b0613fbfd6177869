/** Page 13: the clipped loss of one token, and sixteen epochs with and without a clip, seed 2. @module */
import { clippedLoss } from "../../rl/loss/clipped_ratio.ts";
import { readCurves } from "./_runs.ts";
import { type Figure, lines, svg } from "./_svg.ts";

const RANGES = {
  "no clip": { clipLow: 1, clipHigh: 1e9 },
  "clip 0.2": { clipLow: 0.2, clipHigh: 0.2 },
};

function clip(): string {
  const panel = (x: number, advantage: number) =>
    lines({ x, y: 0, width: 320, height: 260 }, {
      heading: `A = ${advantage}`,
      x: { label: "ratio", range: [0, 2] },
      y: { label: "loss", range: advantage > 0 ? [-2, 0] : [0, 2] },
      series: Object.entries(RANGES).map(([name, range], i) => ({
        name,
        tone: 2 - i,
        points: Array.from({ length: 81 }, (_, k): [number, number] => {
          const ratio = Math.max(k / 40, 1e-6);
          return [ratio, clippedLoss({ logRatio: Math.log(ratio), advantage }, range).loss];
        }),
      })),
    });
  return svg(
    {
      title: "The loss of one token against its ratio",
      desc: "With an advantage of 1 the loss falls with the ratio and is flat above 1.2. With an " +
        "advantage of -1 it is flat below 0.8 and rises with the ratio. Where it is flat, nothing is pushed.",
      width: 640,
      height: 260,
    },
    panel(0, 1),
    panel(320, -1),
  );
}

async function epochs(): Promise<string> {
  const runs = [["clipped", 1], ["unclipped", 2]] as const;
  const curves = await Promise.all(runs.map(([name]) => readCurves(`13-${name}`)));
  const panel = (x: number, heading: string, metric: string, label: string) =>
    lines({ x, y: 0, width: 320, height: 260 }, {
      heading,
      x: { label: "step" },
      y: { label, range: [0, metric === "policy/entropy" ? 1.2 : 1] },
      series: runs.map(([name, tone], i) => ({ name, tone, points: curves[i].points(metric) })),
    });
  const last = (metric: string) =>
    runs.map(([name], i) => `${name} ${curves[i].of(metric).at(-1)!.toFixed(2)}`).join(", ");
  return svg(
    {
      title: "Sixteen epochs on each rollout, with and without a clip, seed 2",
      desc: `Right answers at the last step: ${
        last("rewards/exact/mean")
      }. Entropy, nats per token: ${last("policy/entropy")}.`,
      width: 640,
      height: 260,
    },
    panel(0, "Right answers drawn", "rewards/exact/mean", "share right"),
    panel(320, "Entropy: what is still open", "policy/entropy", "nats per token"),
  );
}

export const figures: readonly Figure[] = [
  { file: "13-clip.svg", draw: clip },
  { file: "13-epochs.svg", draw: epochs },
];
