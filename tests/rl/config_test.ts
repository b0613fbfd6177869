import assert from "node:assert/strict";
import { PPO_DEFAULTS, PPO_OPTIONS, type PpoConfig, resolvePpoConfig } from "../../rl/config.ts";

Deno.test("the defaults are frozen and valid, and resolving leaves them as they are", () => {
  assert.ok(Object.isFrozen(PPO_DEFAULTS) && Object.isFrozen(PPO_OPTIONS[0]));
  assert.deepEqual(resolvePpoConfig(), PPO_DEFAULTS);
  const config = resolvePpoConfig({ epochs: 2, gamma: undefined });
  assert.equal(config.epochs, 2);
  assert.equal(config.gamma, 1);
  assert.ok(Object.isFrozen(config));
  assert.equal(PPO_DEFAULTS.epochs, 4);
});

Deno.test("the table has every setting of PpoConfig once, each with a meaning", async () => {
  const source = await Deno.readTextFile(new URL("../../rl/config.ts", import.meta.url));
  const body = source.slice(source.indexOf("export interface PpoConfig {")).split("\n}")[0];
  const fields = [...body.matchAll(/^ {2}(\w+): /gm)].map((match) => match[1]);
  assert.deepEqual(PPO_OPTIONS.map((row) => row.name), fields);
  for (const row of PPO_OPTIONS) assert.ok(row.meaning && row.usual, row.name);
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
    assert.equal(PPO_DEFAULTS[name as keyof PpoConfig], value, name);
  }
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
    [{ klEstimator: "k4" }, "TypeError", 'klEstimator must be one of k1, k2, k3: it is "k4"'],
    [{ klTarget: 0 }, "RangeError", "klTarget must be above 0: it is 0"],
  ];
  for (const [settings, name, rule] of refused) {
    const message = `Cannot configure PPO as ${rule}`;
    assert.throws(() => resolvePpoConfig(settings as Partial<PpoConfig>), { name, message });
  }
  assert.throws(
    () => resolvePpoConfig({ epoch: 3 } as Partial<PpoConfig>),
    /^TypeError: Cannot configure PPO as it has no setting "epoch": it has seed, totalSteps, /,
  );
});
