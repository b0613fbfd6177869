import assert from "node:assert/strict";
import { claimOfRuns } from "./_claims.ts";

claimOfRuns({
  page: "00-half-a-minute",
  says: "twelve steps of the default run learn the task, with every seed",
  commands: { first: "colors --steps 12" },
  holds({ first }) {
    for (const { train, heldout } of first) {
      assert.ok(train.before.exact < 0.35 && heldout.before.exact < 0.35);
      assert.ok(train.after.exact >= 0.95 && heldout.after.exact >= 0.9);
    }
  },
});
