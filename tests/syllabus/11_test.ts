import assert from "node:assert/strict";
import { type METHODS, plusRequest } from "../../scripts/experiments/plus_five.ts";
import { claim, outcomesOf } from "./_claims.ts";

const page = "11-baselines";

claim({
  page,
  says: "five points for every answer ruin REINFORCE; a baseline or whitening mends it",
  shows: (["none", "batch", "whitened"] as const).map((how) =>
    `deno task experiment plus_five ${how} 5 1`
  ),
  async holds() {
    for (const how of ["none", "batch", "whitened"] as (keyof typeof METHODS)[]) {
      const runs = await outcomesOf(`${page}, ${how}`, (seed) => plusRequest(how, 5, seed));
      for (const { train: { before, after: { exact } } } of runs) {
        if (how === "none") assert.ok(exact < before.exact, `without a baseline: ${exact}`);
        else assert.ok(exact > 0.9, `${how}: ${exact}`);
      }
    }
  },
});
