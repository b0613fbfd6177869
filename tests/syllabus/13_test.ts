import assert from "node:assert/strict";
import { mean } from "../../rl/stats.ts";
import { claimOfRuns, type Outcome, SEEDS } from "./_claims.ts";

const page = "13-ratio-and-clip";
const EPOCHS = "colors --reward exact --steps 10 batchSize=24 epochs=16 learningRate=5e-4 " +
  "klCoefficient=0 valueCoefficient=0 lambda=1";

claimOfRuns({
  page,
  says: "sixteen epochs need a clip: without one held-out answers are worse with every seed",
  commands: { clipped: EPOCHS, unclipped: `${EPOCHS} clipLow=1 clipHigh=1e9` },
  holds({ clipped, unclipped }) {
    const heldOut = ({ heldout }: Outcome) => heldout.after.exact;
    const gaps = clipped.map((run, i) => heldOut(run) - heldOut(unclipped[i]));
    for (const [i, gap] of gaps.entries()) assert.ok(gap > 0, `seed ${SEEDS[i]}: ${gaps}`);
    assert.ok(mean(gaps) > 0.1, `${gaps}`);
  },
});

claimOfRuns({
  page,
  says: "a clip range of nothing still learns, as at a tie the unclipped branch wins",
  commands: { "no range": "colors --steps 12 clipLow=0 clipHigh=0" },
  holds(outcomes) {
    for (const { train } of outcomes["no range"]) {
      assert.ok(train.after.exact > 0.9, `${train.after.exact}`);
    }
  },
});
