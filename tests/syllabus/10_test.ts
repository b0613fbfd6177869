import assert from "node:assert/strict";
import { policyGradientLoss } from "../../rl/loss/policy_gradient.ts";
import { claim, claimOfRuns } from "./_claims.ts";

claim({
  page: "10-reinforce",
  says:
    "a policy that is hardly ever right has a lower loss than one that is right half of the time",
  shows: ["0.35 at p = 1/4, the same 0.35 at p = 1/2, and 0.05 at p = 0.01"],
  isQuick: true,
  holds() {
    for (const [p, want] of [[1 / 4, "0.35"], [1 / 2, "0.35"], [0.01, "0.05"]] as const) {
      const right = policyGradientLoss({ logprob: Math.log(p), advantage: 1 }).loss;
      const wrong = policyGradientLoss({ logprob: Math.log(1 - p), advantage: 0 }).loss;
      assert.equal((p * right + (1 - p) * wrong).toFixed(2), want);
    }
  },
});

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
