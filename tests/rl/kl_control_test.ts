/** How the KL coefficient changes from step to step, and when a run needs its reference. */
import assert from "node:assert/strict";
import { stepKlCoefficient } from "../../rl/kl.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { nextKlCoefficient } from "../../rl/kl_control.ts";
import { Trainer, type TrainerSettings } from "../../rl/trainer.ts";
import { EOS, TablePolicy } from "./_table_policy.ts";

const V = 5;
const PROMPTS = Array.from({ length: 6 }, (_, i) => Int32Array.of(1 + i % 3));
const FAST = { learningRate: 0.05, maxNewTokens: 3, epochs: 1 };
const wave = (i: number) => Math.sin(i);

/** Of which the reference is uniform, so that KL is of the size of a nat. */
function moved(): TablePolicy {
  const policy = new TablePolicy(V, wave);
  policy.frozen.fill(0);
  return policy;
}

/** Coefficients of three steps, and the KL of each by both units. */
async function run(settings: TrainerSettings, algorithm = "ppo") {
  const trainer = new Trainer(moved(), { ...FAST, ...settings }, algorithm);
  const steps = [];
  for (let i = 0; i < 3; i++) {
    const { experience: { kl, grid }, metrics } = await trainer.step(
      PROMPTS,
      ({ responses }) => Promise.resolve(responses.map((r) => r[0] === EOS ? 1 : -r.length)),
    );
    const sum = kl!.reduce((total, x) => total + x, 0);
    steps.push({
      coefficient: metrics["kl/coefficient"],
      perToken: sum / grid.mask.reduce((n, m) => n + m, 0),
      perSequence: sum / grid.B,
      next: trainer.state().algorithm.klCoefficient,
    });
  }
  return steps;
}

Deno.test("stepwise: times or divided by the factor outside the band, as it was within", () => {
  const next = (kl: number, band = 1.5, factor = 1.5) =>
    stepKlCoefficient(5e-5, { kl, target: 0.8, band, factor });
  assert.equal(next(1.21), 5e-5 * 1.5);
  assert.equal(next(0.53), 5e-5 / 1.5);
  for (const kl of [0.54, 0.8, 1.19]) assert.equal(next(kl), 5e-5);
  for (const kl of [1.5 * 0.8, 0.8 / 1.5]) {
    assert.equal(next(kl), 5e-5, "the band's ends are in it");
  }
  assert.equal(next(-3), 5e-5 / 1.5); // an estimate may be below 0
  assert.equal(next(1.5, 2), 5e-5);
  assert.equal(next(1.5, 1.5, 2), 1e-4); // the paper of PPO
});

Deno.test("stepwise: the coefficient of a run follows its KL, in the unit that is named", async () => {
  for (const [unit, of] of [["token", "perToken"], ["sequence", "perSequence"]] as const) {
    const settings = { klControl: "stepwise", klTargetUnit: unit, klCoefficient: 0.25 };
    const kl = (await run({ ...settings, klTarget: 1 }))[0][of];
    for (const [klTarget, factor] of [[kl / 3.1, 3], [kl * 3.1, 1 / 3], [kl * 2.9, 1]]) {
      const [step] = await run({ ...settings, klTarget, klBand: 3, klFactor: 3 });
      assert.equal(step.coefficient, 0.25);
      assert.ok(Math.abs(step.next / (0.25 * factor) - 1) < 1e-12, `${unit} ${factor}`);
    }
  }
});

Deno.test("adaptive: KL may be compared per token too", async () => {
  const [{ perSequence, perToken }] = await run({});
  const klTarget = (perSequence + perToken) / 2; // so that the two units ask for opposite moves
  const settings = { klControl: "adaptive", klTarget, klHorizon: 100, klCoefficient: 0.3 };
  const expected = (kl: number) =>
    0.3 * (1 + Math.max(-0.2, Math.min(0.2, kl / klTarget - 1)) * 6 / 100);
  const [sequence] = await run(settings);
  const [token] = await run({ ...settings, klTargetUnit: "token" });
  assert.ok(sequence.next > 0.3 && token.next < 0.3);
  assert.ok(Math.abs(sequence.next - expected(perSequence)) < 1e-12);
  assert.ok(Math.abs(token.next - expected(perToken)) < 1e-12);
});

Deno.test("without a floor the coefficient shrinks while KL is small; floor and ceiling stop it", async () => {
  const settings = { klControl: "stepwise", klCoefficient: 0.09 };
  const coefficients = async (more: TrainerSettings, algorithm?: string) =>
    (await run({ ...settings, ...more }, algorithm)).map(({ next }) => next);
  const near = (got: number[], want: number[]) =>
    got.forEach((x, i) => assert.ok(Math.abs(x - want[i]) < 1e-12, `${got}`));
  near(await coefficients({ klTarget: 100 }), [0.06, 0.04, 0.08 / 3]);
  near(await coefficients({ klTarget: 100, klFloor: 0.05 }), [0.06, 0.05, 0.05]);
  near(await coefficients({ klTarget: 1e-3 }), [0.135, 0.2025, 0.30375]);
  near(await coefficients({ klTarget: 1e-3, klCeiling: 0.15 }), [0.135, 0.15, 0.15]);
  near(await coefficients({ klTarget: 1e-3, klCeiling: 0.15 }, "grpo"), [0.135, 0.15, 0.15]);
  const adaptive = { klControl: "adaptive", klHorizon: 6, klTarget: 100 };
  near(await coefficients(adaptive), [0.072, 0.0576, 0.04608]);
  near(await coefficients({ ...adaptive, klFloor: 0.06 }), [0.072, 0.06, 0.06]);
});

Deno.test("a skipped update moves no coefficient, and fixed and linear know no bounds", () => {
  const { defaults } = findAlgorithm("ppo").options;
  const of = (settings: Record<string, unknown>, skipped = false) =>
    nextKlCoefficient(0.2, { ...defaults, ...settings } as never, {
      ...{ step: 0, totalSteps: 4, kl: 50, episodes: 8, skipped },
    });
  assert.equal(of({ klControl: "stepwise" }), 0.2 * 1.5);
  assert.equal(of({ klControl: "stepwise" }, true), 0.2);
  assert.equal(of({ klControl: "adaptive" }, true), 0.2);
  const bounds = { klFloor: 0.5, klCeiling: 0.1 };
  assert.equal(of({ klControl: "fixed", ...bounds }), 0.2);
  assert.ok(Math.abs(of({ klControl: "linear", ...bounds }) - 0.15) < 1e-12);
});

Deno.test("bounds that leave nothing between them are refused before anything is drawn", () => {
  const make = (settings: TrainerSettings, name: string) =>
    new Trainer(moved(), { ...FAST, klControl: "stepwise", ...settings }, name);
  for (const name of ["ppo", "grpo"]) {
    assert.throws(() => make({ klFloor: 0.2, klCeiling: 0.1 }, name), {
      name: "RangeError",
      message: "Cannot bound the KL coefficient as klFloor must be at most klCeiling=0.1: it is " +
        "0.2; lower it, or set klCeiling=0 for none",
    });
    make({ klFloor: 0.2 }, name);
    make({ klFloor: 0.1, klCeiling: 0.1 }, name);
    make({ klFloor: 0.2, klCeiling: 0.1, klControl: "fixed" }, name);
  }
});

Deno.test("a run whose KL costs nothing at any step needs no reference, unless it measures", () => {
  const free = { klCoefficient: 0 };
  const needs: [TrainerSettings, boolean][] = [
    [{ ...free, klControl: "fixed" }, false],
    [{ ...free, klControl: "linear" }, false],
    [{ ...free, klControl: "adaptive" }, false], // 0 stays 0
    [{ ...free, klControl: "stepwise" }, false],
    [{ ...free, klControl: "linear", klFinal: 0.1 }, true], // it comes later
    [{ ...free, klControl: "fixed", klFinal: 0.1 }, false],
    [{ ...free, klControl: "stepwise", klFloor: 0.1 }, true],
    [{ ...free, klControl: "fixed", klFloor: 0.1 }, false],
    [{ ...free, klControl: "fixed", klMeasured: true }, true],
    [{ klCoefficient: 0.1, klControl: "fixed" }, true],
    [{ klCoefficient: 0.1, klControl: "linear" }, true],
  ];
  for (const name of ["ppo", "grpo", "rloo"]) {
    for (const [settings, reference] of needs) {
      const trainer = new Trainer(moved(), { ...FAST, ...settings }, name);
      assert.equal(trainer.needs.reference, reference, `${name} ${JSON.stringify(settings)}`);
    }
  }
});

Deno.test("without a reference nothing is asked of it, and KL is no number; measured, it changes nothing else", async () => {
  for (const name of ["ppo", "grpo"]) {
    const of = async (settings: TrainerSettings) => {
      const policy = moved();
      let asked = 0;
      const reference = policy.reference.bind(policy);
      policy.reference = (batch) => (asked++, reference(batch));
      const trainer = new Trainer(
        policy,
        { ...FAST, klCoefficient: 0, klControl: "fixed", ...settings },
        name,
      );
      const { metrics, experience } = await trainer.step(
        PROMPTS,
        ({ responses }) => Promise.resolve(responses.map((r) => r.length)),
      );
      return { policy, asked, metrics, experience };
    };
    const without = await of({}), measured = await of({ klMeasured: true });
    assert.deepEqual([without.asked, measured.asked], [0, 1]);
    for (const metric of ["kl/reference", "kl/coefficient", "kl/penalty_mean"]) {
      assert.equal(without.metrics[metric], NaN, metric);
    }
    assert.equal(without.experience.kl, undefined);
    assert.ok(measured.metrics["kl/reference"] > 0.1);
    assert.equal(measured.metrics["kl/coefficient"], 0);
    assert.deepEqual(without.policy.save(), measured.policy.save());
  }
});
