/** What TRL does not have, against its formulas restated in torch by `tests/fixtures/restated.py`. @module */
import assert from "node:assert/strict";
import type { ScoredRollout } from "../../rl/algorithm.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { alignResponses, padRows } from "../../rl/batch.ts";
import { meansOf } from "../../rl/loss/sums.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { assertClose } from "../_close.ts";
import { modelFolder } from "../_fixtures.ts";

interface Facts {
  groupSize: number;
  kl: number;
  scores: number[];
  greedy: number[];
  logprob: number[][];
  old: number[][];
  reference: number[][];
  cases: Record<string, { advantage: number[][]; loss: number; gradient: number[][] }>;
}

const SETTINGS: Record<string, [algorithm: string, settings: Record<string, unknown>]> = {
  "reinforce++ population": ["reinforce++", { whitenVariance: "population" }],
  "reinforce++ sample": ["reinforce++", { whitenVariance: "sample" }],
  "reinforce++-baseline population": ["reinforce++-baseline", {
    whitenVariance: "population",
    klCoefficient: 0,
  }],
  "reinforce++-baseline sample": ["reinforce++-baseline", {
    whitenVariance: "sample",
    klCoefficient: 0,
  }],
  "remax": ["remax", {}],
  "dppo-tv 0.2": ["dppo-tv", { klCoefficient: 0 }],
  "dppo-tv 0.05 0.1": ["dppo-tv", { stepDown: 0.05, stepUp: 0.1, klCoefficient: 0 }],
};

Deno.test("REINFORCE++, its form with groups, ReMax and DPPO-TV are their formulas, restated", async () => {
  const facts: Facts = JSON.parse(await Deno.readTextFile(modelFolder("restated.json")));
  const { scores, greedy, groupSize, kl, cases } = facts;
  const grid = alignResponses(facts.logprob), { B, mask } = grid;
  const [logprob, old, reference] = [facts.logprob, facts.old, facts.reference]
    .map((rows) => padRows(rows, grid));
  const zero = new Float32Array(mask.length);
  assert.deepEqual(Object.keys(cases), Object.keys(SETTINGS));
  for (const [name, want] of Object.entries(cases)) {
    const [ours, settings] = SETTINGS[name], algorithm = findAlgorithm(ours);
    const grouped = Object.hasOwn(algorithm.options.rows, "groupSize") && { groupSize };
    const config = trainerOptions(algorithm as never).resolve(
      { klCoefficient: kl, ...grouped, ...settings } as never,
    ) as never as { klCoefficient: number };
    const { klCoefficient } = config;
    const context = { config: config as never, step: 0, state: { klCoefficient } };
    const finished = scores.map(() => true);
    const rollout = {
      ...{ grid, scored: finished, score: Float32Array.from(scores) },
      greedyScore: Float32Array.from(greedy),
      old: { logprob: old, entropy: zero },
      reference: klCoefficient > 0 ? reference : undefined,
      sampled: old,
      columns: [{ name: "score", weight: 1, scores }],
      rollout: { finished },
    } as unknown as ScoredRollout;
    const { advantage } = algorithm.advantages(rollout, context);
    const of = (rows: number[][]) => padRows(rows, grid);
    assertClose(advantage, of(want.advantage), `${name}: advantages`, 1e-6);
    const rows = Array.from({ length: B }, (_, b) => b);
    const weight = algorithm.weights!({ grid, rows, finished }, context);
    const piece = {
      ...{ grid, logprob, entropy: zero, oldLogprob: old, sampled: old, advantage },
      reference: rollout.reference,
    };
    const { sums, gradient } = algorithm.loss(piece, weight, context);
    const loss = meansOf(sums)["loss/policy"];
    assertClose([loss], [want.loss], `${name}: loss`, 1e-6);
    assertClose(gradient.dlogprob, of(want.gradient), `${name}: gradient`, 1e-6);
    assert.ok(
      want.gradient.flat().some((g) => g === 0) || name === "remax",
      "something is clipped",
    );
  }
});
