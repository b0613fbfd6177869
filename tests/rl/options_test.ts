/** The settings of the loop and of PPO: their defaults, and what is refused. */
import assert from "node:assert/strict";
import { ppo, PPO_OPTIONS } from "../../rl/algorithms/ppo.ts";
import { findPreset, listPresets } from "../../rl/algorithms/presets.ts";
import { DEFAULT_ALGORITHM, findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { Trainer, trainerOptions } from "../../rl/trainer.ts";
import { TRAINER_OPTIONS } from "../../rl/trainer_options.ts";
import { TablePolicy } from "./_table_policy.ts";

const OPTIONS = trainerOptions(ppo as never);
const resolve = (settings: Record<string, unknown> = {}) => OPTIONS.resolve(settings);

Deno.test("the defaults are frozen and valid, and resolving leaves them as they are", () => {
  for (const table of [TRAINER_OPTIONS, PPO_OPTIONS, OPTIONS]) {
    assert.ok(Object.isFrozen(table.defaults) && Object.isFrozen(table.rows));
  }
  assert.deepEqual(resolve(), OPTIONS.defaults);
  assert.deepEqual(OPTIONS.defaults, { ...TRAINER_OPTIONS.defaults, ...PPO_OPTIONS.defaults });
  const config = resolve({ epochs: 2, gamma: undefined }) as Record<string, unknown>;
  assert.equal(config.epochs, 2);
  assert.equal(config.gamma, 1);
  assert.ok(Object.isFrozen(config));
  assert.equal(TRAINER_OPTIONS.defaults.epochs, 4);
});

Deno.test("a run's settings are those of the loop, then those of the algorithm, each with a meaning", () => {
  assert.deepEqual(OPTIONS.names, [...TRAINER_OPTIONS.names, ...PPO_OPTIONS.names]);
  for (const [name, row] of Object.entries(OPTIONS.rows)) {
    assert.ok(row.doc && row.group && (row.usual || row.choices || row.kind === "boolean"), name);
    assert.notEqual(row.default, undefined, name);
  }
});

Deno.test("the defaults are those of TRL 0.11", () => {
  const trl = {
    learningRate: 1.41e-5,
    epochs: 4,
    gamma: 1,
    lambda: 0.95,
    clipLow: 0.2,
    clipHigh: 0.2,
    valueClip: 0.2,
    valueCoefficient: 0.1,
    klCoefficient: 0.2,
    klTarget: 6,
    klHorizon: 10000,
    klControl: "adaptive",
    whitenRewards: false,
  };
  const defaults = resolve() as Record<string, unknown>;
  for (const [name, value] of Object.entries(trl)) assert.equal(defaults[name], value, name);
});

Deno.test("wrong settings are refused with what they were and what is allowed", () => {
  const refused: [Record<string, unknown>, string, string][] = [
    [{ epochs: 0 }, "RangeError", "epochs must be at least 1: it is 0"],
    [{ epochs: 1.5 }, "RangeError", "epochs must be a whole number: it is 1.5"],
    [{ temperature: 0 }, "RangeError", "temperature must be above 0: it is 0"],
    [{ lambda: 1.01 }, "RangeError", "lambda must be at most 1: it is 1.01"],
    [{ learningRate: NaN }, "RangeError", "learningRate must be finite: it is NaN"],
    [{ learningRate: "1e-5" }, "TypeError", 'learningRate must be a number: it is "1e-5"'],
    [{ seed: "1" }, "TypeError", 'seed must be an integer: it is "1"'],
    [{ whitenRewards: 1 }, "TypeError", "whitenRewards must be true or false: it is 1"],
    [
      { klEstimator: "k4" },
      "TypeError",
      'klEstimator must be one of k1, k2, k3: it is "k4". Did you mean "k1"?',
    ],
    [{ klTarget: 0 }, "RangeError", "klTarget must be above 0: it is 0"],
  ];
  for (const [settings, name, rule] of refused) {
    const message = `Cannot configure PPO as ${rule}`;
    assert.throws(() => new Trainer(new TablePolicy(3), settings), { name, message });
  }
  assert.throws(
    () => resolve({ epoch: 3 }),
    /^TypeError: Cannot configure PPO as it has no setting "epoch": it has seed, totalSteps, .*Did you mean "epochs"\?/,
  );
});

Deno.test("what an algorithm wants of the loop takes the place of the loop's own defaults", () => {
  const eager = { ...ppo, trainerDefaults: { epochs: 1, learningRate: 0.5 } };
  const trainer = new Trainer(new TablePolicy(3), { learningRate: 0.25 }, eager);
  assert.equal(trainer.config.epochs, 1);
  assert.equal(trainer.config.learningRate, 0.25);
  assert.equal(new Trainer(new TablePolicy(3)).config.epochs, 4);
  const wrong = { ...ppo, trainerDefaults: { epochs: 0 } };
  assert.throws(() => new Trainer(new TablePolicy(3), {}, wrong), /epochs must be at least 1/);
});

Deno.test("algorithms and presets are found by name, and an unknown name gets the nearest", () => {
  assert.equal(findAlgorithm(DEFAULT_ALGORITHM).name, DEFAULT_ALGORITHM);
  for (const algorithm of listAlgorithms()) {
    assert.equal(findAlgorithm(algorithm.name), algorithm);
    assert.match(algorithm.name, /^[a-z][a-z0-9-]*$/);
    assert.ok(algorithm.summary && algorithm.paper, algorithm.name);
  }
  assert.throws(() => findAlgorithm("pp0"), {
    name: "TypeError",
    message: /^Cannot find the algorithm "pp0" as there are only .*ppo.*; did you mean "ppo"\?$/,
  });
  for (const preset of listPresets()) {
    assert.equal(findPreset(preset.name), preset);
    const known = trainerOptions(findAlgorithm(preset.algorithm) as never);
    const { batchSize: _b, maxGradNorm: _n, ...settings } = preset.settings;
    assert.doesNotThrow(() => known.resolve(settings as Record<string, unknown>), preset.name);
  }
  assert.throws(() => findPreset("trl-0.12"), /did you mean "trl-0.11"\?/);
});
