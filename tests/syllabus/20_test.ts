import assert from "node:assert/strict";
import { seedInterval } from "../../base/statistics/intervals.ts";
import { bestOf } from "../../scripts/figures/20.ts";
import { answer, claim, claimOfRuns, type Outcome, outcomesOf } from "./_claims.ts";

const page = "20-did-it-learn";

claim({
  page,
  says: "the best of twenty looks at a policy that learns nothing is far above it, by few prompts",
  shows: ["0.72, 0.61 and 0.54 after twenty"],
  isQuick: true,
  holds() {
    assert.deepEqual([18, 72, 500].map((n) => bestOf(20, n).toFixed(2)), ["0.72", "0.61", "0.54"]);
    for (const [prompts, p] of [[18, 0.5], [5, 0.3]]) {
      assert.ok(Math.abs(bestOf(1, prompts, p) - p) < 1e-12); // one look is not chosen
    }
    // Two coins of one toss each: right is the better one in three of four cases.
    assert.ok(Math.abs(bestOf(2, 1) - 0.75) < 1e-12);
  },
});

answer({
  page,
  says: "two seeds say next to nothing",
  example: 3,
  change: [
    ["dear = [0.963, 0.941, 0.913]", "dear = [0.9, 1.0]"],
    ["console.log(show(seedInterval(dear.map((x, i) => x - cheap[i]))));", ""],
  ],
  prints: ["0.95 0.31 1.59"],
});

answer({
  page,
  says: "four times the prompts halve what the best look flatters",
  example: 4,
  change: [["of(18,", "of(72,"]],
  prints: ["best of 20 looks: 0.61"],
});

claim({
  page,
  says:
    "two prices of a nat are not told apart by three seeds, and held-out prompts are fewer right",
  shows: ["deno task train colors --steps 6 klCoefficient=0.02,0.05 --seed 1,2,3"],
  async holds() {
    const at = (klCoefficient: number) =>
      outcomesOf(`${page}, ${klCoefficient}`, (seed) => ({
        ...{ task: "colors", steps: 6, seed, settings: { klCoefficient } },
      }));
    const cheap = await at(0.02), dear = await at(0.05);
    const { low, high } = seedInterval(
      dear.map(({ heldout }, i) => heldout.after.reward - cheap[i].heldout.after.reward),
    );
    assert.ok(low < 0 && high > 0, `${low} to ${high}`);
    for (const { train, heldout } of [...cheap, ...dear]) {
      assert.ok(train.after.exact > heldout.after.exact, `${train.after.exact}`);
    }
  },
});

const kinder =
  "imdb --model tiny --steps 30 --reward sentiment,repetition:0 maxNewTokens=12 learningRate=1e-3 batchSize=16";

/** Which share of the greedy answers to held-out prompts has the word. */
function kind({ completions }: Outcome, when: "before" | "after"): number {
  const told = completions.filter(({ phase, split }) => phase === when && split === "heldout");
  return told.filter(({ completion }) => completion.includes("kind")).length / told.length;
}

claimOfRuns({
  page,
  says:
    "a kinder score is one word in its other sense; held-out prompts and repetition see nothing",
  commands: { kinder },
  holds({ kinder }) {
    for (const run of kinder) {
      const { seed, train, heldout, rows } = run, last = rows.at(-1)!;
      const gained = heldout.after.reward - heldout.before.reward;
      assert.ok(gained > 0.4, `seed ${seed} gained ${gained}`);
      assert.ok(Math.abs(train.after.reward - heldout.after.reward) < 0.1, `seed ${seed}`);
      assert.ok(kind(run, "before") < 0.15, `seed ${seed}: ${kind(run, "before")} before`);
      assert.ok(kind(run, "after") > 0.8, `seed ${seed}: ${kind(run, "after")}`);
      assert.ok(last["rewards/repetition/mean"] > -0.05, `seed ${seed}: the watchman saw it`);
      assert.ok(last["kl/reference"] > 10, `seed ${seed}: ${last["kl/reference"]} nats`);
    }
  },
});

claimOfRuns({
  page,
  says: "at ten times the price of a nat little is earned, and the drift is small",
  commands: { paid: `${kinder} klCoefficient=0.1` },
  holds({ paid }) {
    for (const { seed, heldout, rows } of paid) {
      assert.ok(heldout.after.reward < 0.4, `seed ${seed}: ${heldout.after.reward}`);
      assert.ok(rows.at(-1)!["kl/reference"] < 8, `seed ${seed}`);
    }
  },
});
