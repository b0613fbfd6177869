import assert from "node:assert/strict";
import { claimOfRuns } from "./_claims.ts";

claimOfRuns({
  page: "12-critic-and-gae",
  says: "a fresh critic that is fully believed teaches nothing; lambda of 0.95 and 1 learn",
  commands: {
    default: "colors --steps 12",
    "lambda 0": "colors --steps 12 lambda=0",
    "lambda 1": "colors --steps 12 lambda=1",
  },
  holds(outcomes) {
    for (const { train, heldout } of outcomes["lambda 0"]) {
      assert.ok(train.after.exact < 0.4, `${train.after.exact}`);
      assert.ok(heldout.after.exact < 0.4, `${heldout.after.exact}`);
    }
    for (const { train } of [...outcomes.default, ...outcomes["lambda 1"]]) {
      assert.ok(train.after.exact > 0.9, `${train.after.exact}`);
    }
  },
});
