import assert from "node:assert/strict";
import { lettersRequest } from "../../scripts/experiments/letters.ts";
import { claim, claimOfRuns, outcomesOf } from "./_claims.ts";

const page = "14-kl-and-reward-hacking";
const PRICES = [0, 0.3, 1, 3];

claim({
  page,
  says: "the dearer a nat, the less is earned and the less drift; a price of 3 hardly learns",
  shows: PRICES.map((price) => `deno task experiment letters ${price} 1`),
  async holds() {
    const ends: { score: number; drift: number; first: number }[][] = [];
    for (const price of PRICES) {
      const runs = await outcomesOf(`${page}, ${price}`, (seed) => lettersRequest(price, seed));
      ends.push(runs.map(({ rows }) => ({
        first: rows[0]["score/mean"],
        score: rows.at(-1)!["score/mean"],
        drift: rows.at(-1)!["kl/reference"],
      })));
    }
    const [free, , dear, dearest] = ends;
    free.forEach(({ first, score, drift }, i) => {
      assert.ok(score > 2.5 * first && drift > 25, `a free nat earns ${score} at ${drift}`);
      assert.ok(dear[i].drift < 0.7 * drift, `${dear[i].drift} of ${drift}`);
      assert.ok(dearest[i].drift < 0.3 * drift, `${dearest[i].drift} of ${drift}`);
      assert.ok(dearest[i].score < dearest[i].first + 1.5, `${dearest[i].score} at a price of 3`);
      assert.ok(dearest[i].score < 0.7 * score, `${dearest[i].score} of ${score}`);
    });
  },
});

claimOfRuns({
  page,
  says: "at a price of one right answer a nat the task colors is hardly learned",
  commands: { dear: "colors --steps 12 klCoefficient=1" },
  holds({ dear }) {
    for (const { train } of dear) assert.ok(train.after.exact < 0.7, `${train.after.exact}`);
  },
});

claim({
  page,
  says: "at a price of 100 the critic's gradient drives the policy away; detached, it does not",
  shows: ["deno task experiment letters 100 1", "deno task experiment letters 100 1 detached"],
  async holds() {
    const drifts = async (critic: "shared" | "detached") => {
      const runs = await outcomesOf(
        `${page}, 100 ${critic}`,
        (seed) => lettersRequest(100, seed, critic),
      );
      return runs.map(({ rows }) => rows.at(-1)!["kl/reference"]);
    };
    const shared = await drifts("shared"), detached = await drifts("detached");
    shared.forEach((drift) => assert.ok(drift > 50, `shared: ${shared}`));
    detached.forEach((drift) => assert.ok(drift < 10, `detached: ${detached}`));
  },
});
