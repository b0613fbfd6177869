import assert from "node:assert/strict";
import { claimOfRuns } from "./_claims.ts";

const RUN = "colors --algorithm grpo --reward exact --steps 16";

claimOfRuns({
  page: "16-grpo",
  says: "groups of two and of eight learn nearly all of it in 16 steps, one prompt a step does not",
  commands: {
    two: `${RUN} groupSize=2`,
    eight: `${RUN} groupSize=8`,
    all: `${RUN} groupSize=48`,
  },
  holds({ two, eight, all }) {
    for (const run of [...two, ...eight]) {
      assert.ok(run.train.after.exact > 0.95, `seed ${run.seed}: ${run.train.after.exact}`);
    }
    for (const run of all) {
      assert.ok(run.train.after.exact < 0.92, `seed ${run.seed}: ${run.train.after.exact}`);
    }
  },
});
