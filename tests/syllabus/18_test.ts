import assert from "node:assert/strict";
import { share } from "../../scripts/figures/18.ts";
import { claim } from "./_claims.ts";

const page = "18-dr-grpo";

claim({
  page,
  says:
    "Dr. GRPO gives the true gradient to short and long answers alike, GRPO half of it to long ones",
  shows: ["2 words  1.02 0.97", "16 words 1.01 0.59", "is 1.83"],
  holds() {
    for (const spoils of [0.02, 0.1, 0.4]) {
      for (const stops of [0.5, 0.05]) {
        // Of a thousand groups the noise is 0.17 where nearly all answers are right.
        const right = share({ stops, spoils }, "dr-grpo", 16_000);
        assert.ok(Math.abs(right - 1) < 0.03, `${stops}, ${spoils}: ${right}`);
      }
    }
    assert.ok(share({ stops: 0.5, spoils: 0.1 }, "grpo") > 0.9);
    assert.ok(share({ stops: 0.05, spoils: 0.1 }, "grpo") < 0.65);
    assert.equal(share({ stops: 0.5, spoils: 0.98 }, "grpo").toFixed(2), "1.83");
  },
});
