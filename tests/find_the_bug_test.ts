/** What docs/exercises/1-find-the-bug.md says of its six tables holds of that table and of no other. @module */
import assert from "node:assert/strict";
import { BUG_TABLES, type Curves, readCurves } from "../scripts/figures/_runs.ts";

const LETTERS = ["a", "b", "c", "d", "e", "f"];
const least = (x: number[]) => Math.min(...x), most = (x: number[]) => Math.max(...x);

/** Of each faulty run, what decides. */
const RULES: Record<string, (of: Curves["of"]) => boolean> = {
  // Penalty of a token over KL of an answer, which has two tokens.
  a: (of) => of("kl/penalty_mean").slice(1).every((p, i) => p / of("kl/reference")[i + 1] < -0.4),
  b: (of) => of("returns/mean").every((r, i) => r > of("score/mean")[i] + 4),
  c: (of) => most(of("policy/clipfrac")) === 0 && most(of("policy/ratio_max")) > 1000,
  e: (of) => of("returns/mean")[0] < 0.6 * of("score/mean")[0],
  f: (of) => least(of("sampling/logp_difference_max")) > 10,
};

for (const [letter, decides] of Object.entries(RULES)) {
  Deno.test(`the column that decides for table ${letter} decides for it alone`, async () => {
    for (const other of LETTERS) {
      const { of, step } = await readCurves(other, BUG_TABLES);
      assert.equal(step.length, 12);
      assert.equal(decides(of), other === letter, other);
    }
  });
}

Deno.test("two of the six tables end with a healthy score beside the healthy one's", async () => {
  const ends = await Promise.all(
    LETTERS.map(async (letter) =>
      (await readCurves(letter, BUG_TABLES)).of("score/mean").at(-1)! > 0.9
    ),
  );
  assert.deepEqual(LETTERS.filter((_, i) => ends[i]), ["b", "c", "d"]);
});
