/** Page 19: how hard a token is pushed at each ratio, by the losses of several algorithms. @module */
import { clippedLoss } from "../../rl/loss/clipped_ratio.ts";
import { clippedWeightLoss } from "../../rl/loss/clipped_weight.ts";
import { probabilityStepLoss } from "../../rl/loss/probability_step.ts";
import { softGateLoss } from "../../rl/loss/soft_gate.ts";
import { type Figure, lines, svg, text } from "./_svg.ts";

const OLD_PROBABILITY = 0.3;

/** d loss / d logprob at a ratio, for an advantage, by each loss with its algorithm's defaults. */
export const PUSHES: Readonly<Record<string, (ratio: number, advantage: number) => number>> = {
  grpo: (ratio, advantage) =>
    clippedLoss({ logRatio: Math.log(ratio), advantage }, { clipLow: 0.2, clipHigh: 0.2 }).gradient,
  cispo: (ratio, advantage) =>
    clippedWeightLoss({ logprob: 0, logRatio: Math.log(ratio), advantage }, {
      ...{ weightClip: "absolute", weightCap: 5, clipLow: 0.2, clipHigh: 0.2 },
    }).gradient,
  sapo: (ratio, advantage) =>
    softGateLoss(
      { logRatio: Math.log(ratio), advantage },
      { gatePositive: 1, gateNegative: 1.05 },
    ).gradient,
  "dppo-tv": (ratio, advantage) => {
    const oldLogprob = Math.log(OLD_PROBABILITY), logRatio = Math.log(ratio);
    const token = { logprob: oldLogprob + logRatio, oldLogprob, logRatio, advantage };
    return probabilityStepLoss(token, { stepDown: 0.2, stepUp: 0.2 }).gradient;
  },
};

function pushes(): string {
  const ratios = Array.from({ length: 121 }, (_, i) => 0.01 + i * 0.02);
  const panel = (x: number, advantage: number, heading: string) =>
    lines({ x, y: 0, width: 330, height: 300 }, {
      heading,
      x: { label: "ratio of new to old probability", range: [0, 2.5] },
      y: { label: "push on log p", range: advantage > 0 ? [0, 2.5] : [-2.5, 0] },
      series: Object.entries(PUSHES).map(([name, push]) => ({
        name,
        points: ratios.map((ratio) => [ratio, -push(ratio, advantage)]),
      })),
    });
  return svg(
    {
      title: "The push on a token at each ratio, by four losses",
      desc:
        "All four are 1 at a ratio of 1. For an advantage of 1, grpo falls to 0 at a ratio of 1.2, cispo goes on " +
        "growing with the ratio, sapo fades on both sides, dppo-tv falls to 0 where the probability has risen by " +
        "0.2. For an advantage of -1 grpo is 0 below a ratio of 0.8, and dppo-tv where the probability has fallen by " +
        "0.2",
      width: 660,
      height: 320,
    },
    panel(0, 1, "A = 1"),
    panel(330, -1, "A = -1"),
    text(12, 314, `dppo-tv for a token whose old probability is ${OLD_PROBABILITY}.`, {
      ...{ size: 11, soft: true },
    }),
  );
}

export const figures: readonly Figure[] = [{ file: "19-push.svg", draw: pushes }];
