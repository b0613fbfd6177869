import assert from "node:assert/strict";
import { claimOfRuns } from "./_claims.ts";

claimOfRuns({
  page: "10-reinforce",
  says: "right and wrong alone are enough for REINFORCE, and its loss does not tell",
  commands: {
    "0 and 1":
      "colors --algorithm reinforce --reward exact --steps 20 epochs=1 klCoefficient=0 batchBaseline=false",
  },
  holds(outcomes) {
    for (const { train, heldout, rows } of outcomes["0 and 1"]) {
      assert.ok(train.before.exact < 0.35 && train.after.exact >= 0.95, `${train.after.exact}`);
      assert.ok(heldout.after.exact >= 0.85, `${heldout.after.exact}`);
      // The score rises by more than half of what there is; the loss goes up in a third of the steps.
      const score = rows.map((row) => row["score/mean"]),
        loss = rows.map((row) => row["loss/policy"]);
      assert.ok(score.at(-1)! - score[0] > 0.5, `${score}`);
      const rises = loss.filter((x, i) => i > 0 && x > loss[i - 1]).length;
      assert.ok(rises >= 6, `${loss}`);
      for (const row of rows) assert.equal(row["policy/ratio_max"], 1);
    }
  },
});
