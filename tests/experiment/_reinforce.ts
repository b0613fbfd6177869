/** An algorithm of one small file, as anyone would add it: no value head, no reference. @module */
import { defineOptions } from "../../base/options.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { metricTable, PLAIN_METRICS } from "../../rl/metrics.ts";
import { policyGradientLoss } from "../rl/_policy_gradient.ts";

/** REINFORCE with the mean of a prompt's group as the baseline. */
export const reinforce: Algorithm<{ groupSize: number }> = {
  name: "own-reinforce",
  summary: "score less its group's mean, times the gradient of the log-probability",
  paper: "Williams 1992",
  options: defineOptions("REINFORCE", {
    groupSize: { kind: "integer", default: 2, min: 2, doc: "draws of a prompt", group: "Sampling" },
  }),
  trainerDefaults: { epochs: 1 },
  metrics: metricTable([
    ...PLAIN_METRICS,
    ["loss/policy", "", "any", "no trend", "advantage times -log-probability", "none", ""],
  ]),
  needs: ({ groupSize }) => ({ value: false, reference: false, groupSize }),
  advantages({ grid: { mask, T }, score }, { config: { groupSize } }) {
    const advantage = Float32Array.from(mask, (counts, i) => {
      const row = Math.floor(i / T), from = row - row % groupSize;
      const group = score.slice(from, from + groupSize);
      return counts ? score[row] - group.reduce((sum, x) => sum + x) / groupSize : 0;
    });
    return { advantage };
  },
  loss: policyGradientLoss,
  total: (means) => means["loss/policy"],
};
