/** The entropy bonus whose coefficient follows the entropy. */
import assert from "node:assert/strict";
import type { StepFacts } from "../../rl/algorithm.ts";
import {
  ENTROPY_ROWS,
  entropyCoefficientAt,
  type EntropyConfig,
  nextEntropy,
  startEntropy,
} from "../../rl/loss/entropy.ts";
import { defineOptions } from "../../base/options.ts";
import { emptySums } from "../../rl/loss/sums.ts";
import { Trainer, type TrainerSettings } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { TablePolicy } from "./_table_policy.ts";

const V = 5;
const PROMPTS = Array.from({ length: 8 }, (_, i) => Int32Array.of(1 + i % 3));
const FAST = { learningRate: 0.01, maxNewTokens: 3, epochs: 1, entropyControl: "adaptive" };
const lengths = ({ responses }: { responses: Int32Array[] }) =>
  Promise.resolve(responses.map((r) => r.length));
const OPTIONS = defineOptions("the bonus", ENTROPY_ROWS);

/** Facts of a step whose optimiser batches had these mean entropies. */
const factsOf = (
  state: Record<string, number>,
  { entropies, fault, ...settings }: Partial<EntropyConfig> & {
    entropies: number[];
    fault?: string;
  },
) => ({
  config: OPTIONS.resolve({ entropyControl: "adaptive", ...settings }),
  state,
  update: {
    batches: entropies.map((H) => ({
      ...emptySums(),
      tokens: 4,
      sum: { "policy/entropy": 4 * H },
    })),
    fault,
  },
} as unknown as StepFacts<EntropyConfig>);

Deno.test("the coefficient rises at or below the target, falls above it, and is paid only after the former", () => {
  // Worked by hand with TRL's defaults: target 0.2, step 0.005, from 0 to 1.
  const steps: [entropy: number, coefficient: number, paidNext: number][] = [
    [0.5, 0, 0],
    [0.2, 0.005, 0.005],
    [0.1, 0.01, 0.01],
    [0.21, 0.005, 0],
    [0.1, 0.01, 0.01],
    [0.3, 0.005, 0],
    [0.3, 0, 0],
    [0.3, 0, 0],
  ];
  let state = startEntropy(OPTIONS.resolve({ entropyControl: "adaptive" }));
  assert.deepEqual(state, { entropyCoefficient: 0, entropyLow: 0 });
  for (const [entropy, coefficient, paid] of steps) {
    state = nextEntropy(factsOf(state, { entropies: [entropy] }));
    assertClose([state.entropyCoefficient], [coefficient], `after ${entropy}`, 1e-12);
    const now = entropyCoefficientAt({ ...factsOf(state, { entropies: [] }), step: 0 });
    assertClose([now], [paid], `paid after ${entropy}`, 1e-12);
  }
});

Deno.test("it starts where it is told, unpaid, and stays within 0 and the ceiling", () => {
  const start = startEntropy(
    OPTIONS.resolve({ entropyControl: "adaptive", entropyCoefficient: 0.1 }),
  );
  assert.deepEqual(start, { entropyCoefficient: 0.1, entropyLow: 0 });
  const of = (coefficient: number, entropies: number[], entropyStep = 0.08) =>
    nextEntropy(factsOf({ entropyCoefficient: coefficient, entropyLow: 0 }, {
      ...{ entropies, entropyStep, entropyCeiling: 0.15, entropyTarget: 1 },
    }));
  assert.deepEqual(of(0.1, [0.9]), { entropyCoefficient: 0.15, entropyLow: 1 });
  assert.deepEqual(of(0.05, [1.1]), { entropyCoefficient: 0, entropyLow: 0 });
  // Of several optimiser batches the mean counts: 0.95, then 1.05.
  assert.equal(of(0, [0.5, 1.4]).entropyLow, 1);
  assert.equal(of(0, [0.5, 1.6]).entropyLow, 0);
  assert.deepEqual(startEntropy(OPTIONS.resolve()), {}); // a scheduled one has no state
  assert.deepEqual(nextEntropy(factsOf({}, { entropyControl: "scheduled", entropies: [0] })), {});
});

Deno.test("a skipped update, or one without a batch, moves nothing", () => {
  const state = { entropyCoefficient: 0.03, entropyLow: 1 };
  for (const fault of ["the loss is NaN", undefined]) {
    const entropies = fault === undefined ? [] : [0.1];
    assert.deepEqual(nextEntropy(factsOf(state, { entropies, fault })), state);
  }
});

for (const name of ["ppo", "grpo"]) {
  const settings = { ...FAST, entropyTarget: 10, entropyStep: 0.03, entropyCeiling: 0.07 };
  const run = async (more: TrainerSettings) => {
    const policy = new TablePolicy(V, Math.sin);
    const trainer = new Trainer(policy, { ...settings, ...more }, name);
    const steps = [];
    for (let i = 0; i < 4; i++) steps.push((await trainer.step(PROMPTS, lengths)).metrics);
    return { policy, steps, trainer };
  };

  Deno.test(`${name} pays the adaptive bonus from the second step on, in loss and gradient`, async () => {
    const { steps, policy } = await run({});
    const coefficients = [0, 0.03, 0.06, 0.07];
    assertClose(steps.map((m) => m["entropy/coefficient"]), coefficients, "reported", 1e-12);
    steps.forEach((m, i) => {
      const entropy = m[name === "ppo" ? "policy/entropy" : "loss/entropy"];
      const rest = m["loss/policy"] + (name === "ppo" ? 0.1 * m["loss/value"] : 0);
      assertClose([rest - m["loss/total"]], [coefficients[i] * entropy], `loss ${i}`, 1e-6);
      const total = policy.gradients[i].dentropy!.reduce((sum, x) => sum + x, 0);
      assertClose([total], [-coefficients[i]], `gradient ${i}`, 1e-6); // the weights add up to 1
    });
    const never = await run({ entropyTarget: 0.01 });
    assert.deepEqual(never.steps.map((m) => m["entropy/coefficient"]), [0, 0, 0, 0]);
    const off = await run({ entropyControl: "scheduled" });
    assert.deepEqual(never.policy.save(), off.policy.save());
  });

  Deno.test(`${name} goes on with its entropy coefficient where it was saved`, async () => {
    const whole = await run({});
    const policy = new TablePolicy(V, Math.sin), first = new Trainer(policy, settings, name);
    for (let i = 0; i < 2; i++) await first.step(PROMPTS, lengths);
    const saved = JSON.parse(JSON.stringify(first.state()));
    assert.equal(saved.algorithm.entropyLow, 1);
    const second = new Trainer(policy, settings, name);
    second.restore(saved);
    for (let i = 2; i < 4; i++) {
      const { metrics } = await second.step(PROMPTS, lengths);
      assert.deepEqual(metrics, whole.steps[i]);
    }
    assert.deepEqual(policy.save(), whole.policy.save());
    assert.throws(
      () => second.restore({ ...saved, algorithm: { klCoefficient: 0 } }),
      /entropyCoefficient must be a number >= 0: it is undefined/,
    );
  });

  Deno.test(`${name} refuses an adaptive bonus that starts above its ceiling`, () => {
    assert.throws(
      () => new Trainer(new TablePolicy(V), { ...settings, entropyCoefficient: 0.08 }, name),
      {
        name: "RangeError",
        message: "Cannot adapt the entropy coefficient as it must start at most at " +
          "entropyCeiling=0.07: it is 0.08; lower it, or raise entropyCeiling",
      },
    );
    const scheduled = { ...settings, entropyControl: "scheduled", entropyCoefficient: 0.08 };
    new Trainer(new TablePolicy(V), scheduled, name);
  });
}
