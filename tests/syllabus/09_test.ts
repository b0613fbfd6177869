import assert from "node:assert/strict";
import { fullStopRequest } from "../../scripts/experiments/full_stop.ts";
import { claim, claimOfRuns, outcomesOf } from "./_claims.ts";

const page = "09-rewards";

claim({
  page,
  says: "nearness pays for a full stop, so that a perfect score may be no right answer at all",
  shows: ["semantic", "exact"].map((reward) => `deno task experiment full_stop ${reward} 1`),
  async holds() {
    const near = await outcomesOf(`${page}, semantic`, (seed) => fullStopRequest("semantic", seed));
    for (const { train } of near) {
      assert.ok(train.after.reward > 0.95, `nearness ${train.after.reward}`);
      assert.ok(train.after.exact < 0.1, `exact ${train.after.exact}`);
    }
    const exact = await outcomesOf(`${page}, exact`, (seed) => fullStopRequest("exact", seed));
    const best = Math.max(...exact.map(({ train }) => train.after.exact));
    assert.ok(best > 0.4, `nowhere was the full stop left out: ${best}`);
  },
});

claimOfRuns({
  page,
  says: "a hole that the policy never draws is not found",
  commands: { colors: "colors --steps 12" },
  holds({ colors }) {
    for (const { completions } of colors) {
      const drawn = completions.filter(({ phase }) => phase === "train");
      const through = drawn.filter(({ scores: { semantic, exact } }) =>
        semantic! > 0.999 && exact === 0
      );
      assert.equal(drawn.length, 576);
      assert.ok(through.length <= 3, `${through.length} answers went through the hole`);
    }
  },
});
