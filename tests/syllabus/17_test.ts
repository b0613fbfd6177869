import assert from "node:assert/strict";
import { deadShare } from "../../scripts/figures/17.ts";
import { mean } from "../../rl/stats.ts";
import { claim, claimOfRuns, type Outcome } from "./_claims.ts";

const page = "17-dead-groups-and-dapo";

const last = (run: Outcome, name: string): number[] => run.rows.slice(-6).map((row) => row[name]);

claimOfRuns({
  page,
  says:
    "GRPO's last steps learn from few of their groups, DAPO's from all, for several draws a step",
  commands: {
    grpo: "colors --algorithm grpo --reward exact --steps 24",
    dapo: "colors --algorithm dapo --reward exact --steps 24",
  },
  holds({ grpo, dapo }) {
    for (const run of grpo) {
      assert.ok(mean(last(run, "groups/equal_share")) > 0.4, `grpo, seed ${run.seed}`);
    }
    for (const run of dapo) {
      assert.equal(Math.min(...last(run, "groups/learned")), 6, `dapo, seed ${run.seed}`);
      assert.ok(mean(last(run, "groups/draws")) > 1.3, `dapo, seed ${run.seed}`);
    }
  },
});

claim({
  page,
  says: "most groups teach something in the middle, few at the ends",
  shows: ["a tenth at p = 0.75, and two thirds at p = 0.95"],
  isQuick: true,
  holds() {
    assert.ok(deadShare(0.5, 8) < 0.01);
    assert.equal(deadShare(0.75, 8).toFixed(2), "0.10");
    assert.equal(deadShare(0.95, 8).toFixed(2), "0.66");
  },
});
