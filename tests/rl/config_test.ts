import assert from "node:assert/strict";
import { RUN_OPTIONS } from "../../experiment/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import { ppo, PPO_OPTIONS } from "../../rl/algorithms/ppo.ts";
import { findPreset, listPresets } from "../../experiment/presets/registry.ts";
import { DEFAULT_ALGORITHM, findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { TRAINER_OPTIONS, type TrainerConfig } from "../../rl/trainer_options.ts";

const OPTIONS = trainerOptions(ppo as never);

Deno.test("the defaults are frozen and valid, and resolving leaves them as they are", () => {
  assert.ok(Object.isFrozen(PPO_OPTIONS.defaults) && Object.isFrozen(TRAINER_OPTIONS.rows));
  assert.ok(Object.isFrozen(OPTIONS.defaults));
  assert.deepEqual(OPTIONS.names, [...TRAINER_OPTIONS.names, ...PPO_OPTIONS.names]);
  assert.deepEqual(OPTIONS.resolve(), { ...TRAINER_OPTIONS.defaults, ...PPO_OPTIONS.defaults });
  const config = OPTIONS.resolve({ epochs: 2, minibatches: undefined });
  assert.equal(config.epochs, 2);
  assert.equal(config.minibatches, 1);
  assert.ok(Object.isFrozen(config));
  assert.equal(TRAINER_OPTIONS.defaults.epochs, 4);
});

Deno.test("every algorithm's settings have a default or say what takes its place, a meaning and a heading", () => {
  for (const algorithm of listAlgorithms()) {
    for (const [name, row] of Object.entries(trainerOptions(algorithm as never).rows)) {
      assert.ok(
        row.doc && row.group && (row.otherwise ?? row.default) !== undefined,
        `${algorithm.name} ${name}`,
      );
    }
  }
});

Deno.test("every count has a bound, in every table that a run has", () => {
  const rows = { ...RUN_OPTIONS.rows };
  for (const algorithm of listAlgorithms()) {
    Object.assign(rows, trainerOptions(algorithm as never).rows);
  }
  for (const reward of listRewards()) Object.assign(rows, reward.options.rows);
  const counts = Object.entries(rows).filter(([, { kind }]) => kind === "integer");
  assert.ok(counts.length >= 9, `${counts.length} counts`);
  for (const [name, { min, max }] of counts) {
    assert.ok(min !== undefined && max !== undefined && max <= 2 ** 32 - 1, name);
  }
});

Deno.test("an algorithm may change the loop's defaults, not its settings", () => {
  const once = { ...ppo, trainerDefaults: { epochs: 1 } };
  assert.equal(trainerOptions(once as never).resolve().epochs, 1);
  assert.equal(trainerOptions(once as never).resolve({ epochs: 3 }).epochs, 3);
  const twice = { ...ppo, options: TRAINER_OPTIONS } as unknown as Algorithm<never>;
  assert.throws(() => trainerOptions(twice), /names must differ: both have seed/);
  const wrong = { ...ppo, trainerDefaults: { epoch: 1 } } as unknown as Algorithm<never>;
  assert.throws(() => trainerOptions(wrong), {
    name: "TypeError",
    message: "Cannot train with ppo as its trainerDefaults are of the loop's settings: " +
      '"epoch" is none. Did you mean "epochs"?',
  });
  const outside = { ...ppo, trainerDefaults: { epochs: 0 } } as unknown as Algorithm<never>;
  assert.throws(() => trainerOptions(outside), /epochs must be at least 1: it is 0/);
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
  for (const [name, value] of Object.entries(trl)) {
    assert.equal(OPTIONS.defaults[name as keyof TrainerConfig], value, name);
  }
});

Deno.test("wrong settings are refused with what they were and what is allowed", () => {
  const refused: [Record<string, unknown>, string, string][] = [
    [{ epochs: 0 }, "RangeError", "epochs must be at least 1: it is 0"],
    [{ epochs: 1.5 }, "RangeError", "epochs must be a whole number: it is 1.5"],
    [{ temperature: 0 }, "RangeError", "temperature must be at least 0.001: it is 0"],
    [{ temperature: 1e4 }, "RangeError", "temperature must be at most 1000: it is 10000"],
    [{ epochs: 1e9 }, "RangeError", "epochs must be at most 1000: it is 1000000000"],
    [{ lambda: 1.01 }, "RangeError", "lambda must be at most 1: it is 1.01"],
    [{ learningRate: NaN }, "RangeError", "learningRate must be finite: it is NaN"],
    [{ learningRate: "1e-5" }, "TypeError", 'learningRate must be a number: it is "1e-5"'],
    [{ learningRate: -1e-5 }, "RangeError", "learningRate must be at least 0: it is -0.00001"],
    [{ learningRate: 3e38 }, "RangeError", "learningRate must be at most 1000000: it is 3e+38"],
    [{ learningRateFinal: -1 }, "RangeError", "learningRateFinal must be at least 0: it is -1"],
    [{ seed: "1" }, "TypeError", 'seed must be an integer: it is "1"'],
    [{ whitenRewards: 1 }, "TypeError", "whitenRewards must be true or false: it is 1"],
    [
      { klEstimator: "k4" },
      "TypeError",
      'klEstimator must be one of k1, k2, k3, full: it is "k4". Did you mean "k1"?',
    ],
    [{ klTarget: 0 }, "RangeError", "klTarget must be above 0: it is 0"],
  ];
  for (const [settings, name, rule] of refused) {
    const message = `Cannot configure PPO as ${rule}`;
    assert.throws(() => OPTIONS.resolve(settings as Partial<TrainerConfig>), { name, message });
  }
  assert.throws(
    () => OPTIONS.resolve({ epoch: 3 } as never),
    /^TypeError: Cannot configure PPO as it has no setting "epoch": it has seed, totalSteps, .* Did you mean "epochs"\?$/,
  );
});

Deno.test("algorithms and presets are found by name, and an unknown name gets the nearest", () => {
  assert.equal(findAlgorithm(DEFAULT_ALGORITHM).name, DEFAULT_ALGORITHM);
  for (const algorithm of listAlgorithms()) {
    assert.equal(findAlgorithm(algorithm.name), algorithm);
    assert.match(algorithm.name, /^[a-z][a-z0-9+-]*$/);
    assert.ok(algorithm.summary && algorithm.paper, algorithm.name);
  }
  assert.throws(() => findAlgorithm("pp0"), {
    name: "TypeError",
    message: /^Cannot find the algorithm "pp0" as there are only .*ppo.*; did you mean "ppo"\?$/,
  });
  for (const preset of listPresets()) assert.equal(findPreset(preset.name), preset);
  assert.throws(() => findPreset("trl-0.11"), /did you mean "trl-0.11-ppo"\?/);
});
