/** The penalty on length: equation 13 of DAPO, and where it is paid. */
import assert from "node:assert/strict";
import { overlongScore } from "../../rl/overlong.ts";
import type { Rollout } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const PROMPTS = Array.from({ length: 4 }, (_, i) => Int32Array.of(1 + i % 5));
const wave = (i: number) => Math.sin(3 * i);

Deno.test("nothing is lost up to the cache, all from the limit on, and in between it falls in a line", () => {
  const of = (length: number, more = {}) =>
    overlongScore(length, {
      ...{ overlongCache: 20, overlongLimit: 100, overlongPenalty: 1, maxNewTokens: 120, ...more },
    });
  const lengths = [1, 79, 80, 81, 90, 99, 100, 101, 120];
  assertClose(lengths.map((n) => of(n)), [0, 0, 0, -0.05, -0.5, -0.95, -1, -1, -1], "score", 1e-12);
  assert.equal(of(90, { overlongPenalty: 3 }), -1.5);
  assert.equal(of(110, { overlongLimit: 0 }), -0.5); // the limit is maxNewTokens
});

for (const name of ["dapo", "reinforce++-baseline"]) {
  Deno.test(`${name}: the penalty is part of what is compared, and not of the score that is reported`, async () => {
    const run = async (settings: Record<string, unknown>, add: (length: number) => number) => {
      const policy = new TablePolicy(6, wave);
      const all = { groupSize: 4, maxNewTokens: 5, dynamicSampling: false, klCoefficient: 0 };
      const score = ({ responses }: Rollout) =>
        Promise.resolve(responses.map((r, b) => b === 2 ? null : b % 3 / 2 + add(r.length)));
      const trainer = new Trainer(policy, { ...all, ...settings }, name);
      return { policy, ...await trainer.step(PROMPTS, score) };
    };
    const penalty = (length: number) => -0.7 * Math.max(0, Math.min(1, (length - 2) / 2));
    const settings = { overlongCache: 2, overlongLimit: 4, overlongPenalty: 0.7 };
    const paid = await run(settings, () => 0), plain = await run({}, penalty);
    const lengths = paid.rollout.responses.map(({ length }) => length);
    assert.ok(new Set(lengths.map(penalty)).size >= 3, "short, long and too long ones");
    assertClose(paid.experience.advantage, plain.experience.advantage, "advantage", 1e-6);
    assertClose(paid.policy.logits, plain.policy.logits, "logits", 1e-6);
    const scored = lengths.filter((_, b) => b !== 2).map(penalty);
    const mean = scored.reduce((sum, x) => sum + x) / scored.length;
    assertClose([paid.metrics["score/overlong_mean"]], [mean], "mean", 1e-9);
    assertClose([paid.metrics["score/mean"] + mean], [plain.metrics["score/mean"]], "score", 1e-6);
    assert.equal(plain.metrics["score/overlong_mean"], NaN);
  });
}
