/**
 * The gradient of every algorithm's whole loss through the network, by every parameter, against central
 * differences in double precision. All share the forward passes, which are what it costs.
 * @module
 */
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { fillNormal } from "../../model/random.ts";
import { fromGrid, responseRows } from "../../model/rows.ts";
import type { Algorithm, LossInputs, LossResult } from "../../rl/algorithm.ts";
import { findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { alignResponses } from "../../rl/batch.ts";
import { topEntropy } from "../../rl/loss/entropy_share.ts";
import { tokenMean } from "../../rl/loss/normalise.ts";
import { bothSums, meansOf, policySums } from "../../rl/loss/sums.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { relativeError } from "../_close.ts";

// Small, as every parameter costs two forward passes, yet nothing is special: two layers and heads,
// an odd head size, prompts and responses of different lengths, one response of a single token.
const CONFIG = { vocab_size: 13, n_positions: 9, n_embd: 6, n_layer: 2, n_head: 2, n_inner: 10 };
const RESPONSES = [[4, 4, 1, 11, 0, 2, 8], [10], [6, 3, 9, 12]];
const ROWS = responseRows({ prompts: [[3, 12], [0, 7, 5, 7], [9]], responses: RESPONSES });
const GRID = alignResponses(RESPONSES);
const TEMPERATURE = 0.8;
const STEP = 2e-5;

/** Settings under which every part of a loss has a gradient, and clips cut some tokens alone. */
const SETTINGS: Record<string, Record<string, unknown>> = {
  ppo: { clipHigh: 0.25, valueCoefficient: 0.5 },
  gspo: { clipLow: 0.05, clipHigh: 0.05 },
  pgsrm: { valueCoefficient: 0.7 },
  luspo: { clipLow: 0.05, clipHigh: 0.05 },
  gmpo: { logClip: 0.2 },
  "grpo with full KL": { klEstimator: "full", klGradient: "full" },
};
/** Their importance weights are constants of the gradient. */
const CONSTANT_WEIGHT = ["cispo", "vespo", "dppo-tv"];

/** Normal draws, the same each time; `parameter` tells one use from another. */
function normal(length: number, parameter: number, deviation: number): Float64Array<ArrayBuffer> {
  const out = new Float32Array(length);
  fillNormal(out, { std: deviation, seed: 5, parameter });
  return Float64Array.from(out);
}

/** Numbers of tokens, laid out as (B, T) in double precision. */
function lay(x: ArrayLike<number>): Float64Array {
  const out = new Float64Array(GRID.B * GRID.T);
  ROWS.place.forEach((slot, r) => out[slot] = x[r]);
  return out;
}

type Fixed = Omit<LossInputs, "grid" | "logprob" | "entropy" | "value">;
interface Now {
  logprob: ArrayLike<number>;
  entropy: ArrayLike<number>;
  value: ArrayLike<number>;
  kl: ArrayLike<number>;
}

/** One algorithm's loss of what the network says, and the gradient that goes back into it. */
function lossOf(
  algorithm: Algorithm,
  fixed: Fixed,
  now: Now,
): { total: number; clipfrac: number; gradient: LossResult["gradient"] } {
  const shared = { entropyCoefficient: 0.05, klCoefficient: 0.1 };
  const config = trainerOptions(algorithm as never).resolve(
    { ...shared, ...SETTINGS[algorithm.name] } as never,
  );
  const context = { config: config as never, step: 0, state: { klCoefficient: 0.1 } };
  const batch = { grid: GRID, rows: [0, 1, 2], finished: [true, true, true] };
  const weight = algorithm.weights?.(batch, context) ?? tokenMean(GRID);
  const piece = {
    ...fixed,
    grid: GRID,
    logprob: lay(now.logprob),
    entropy: lay(now.entropy),
    value: lay(now.value),
    kl: lay(now.kl),
  };
  const { sums, gradient } = algorithm.loss(piece, weight, context);
  const means = meansOf(bothSums(policySums(piece), sums));
  const total = algorithm.total(means, context);
  return { total, clipfrac: means["policy/clipfrac"], gradient };
}

Deno.test("every algorithm's gradient by every parameter is that of central differences in float64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  using model = Gpt2.create(device, CONFIG, { valueHead: true });
  const { parameters } = model.weights.layout;
  const weights = new Map(parameters.map(({ name, length }, stream) => {
    const data = normal(length, stream, 0.4);
    if (/ln_.*weight/.test(name)) data.forEach((x, i) => data[i] = 1 + x);
    device.write(model.weights.get(name), data);
    return [name, data];
  }));
  using reference = Gpt2.create(device, CONFIG, { frozen: true, seed: 7 });
  const options = { temperature: TEMPERATURE, reference };
  const evaluate = async (): Promise<Now> => {
    const { logprob, entropy, value, kl } = await model.evaluate(ROWS, options);
    return {
      ...{ logprob: logprob.slice(), entropy: entropy.slice(), value: value.slice() },
      kl: kl!.slice(),
    };
  };
  const at = await evaluate(), R = ROWS.place.length;
  const shifted = (x: ArrayLike<number>, stream: number): Float64Array =>
    lay(normal(R, stream, 0.4).map((noise, i) => x[i] + noise));
  const signs = [1.3, 0.7, -0.9]; // of whole responses, as in groups
  const fixed: Fixed = {
    oldLogprob: shifted(at.logprob, 101),
    sampled: shifted(at.logprob, 101),
    oldValue: shifted(at.value, 102),
    reference: shifted(at.logprob, 105),
    advantage: Float64Array.from(GRID.mask, (_, i) => signs[Math.floor(i / GRID.T)]),
    returns: lay(normal(R, 104, 1)),
  };
  const perToken = { ...fixed, advantage: lay(normal(R, 103, 1)) };

  const chosen = topEntropy(GRID.mask, lay(at.entropy), 0.5);
  const fullKl = { ...findAlgorithm("grpo"), name: "grpo with full KL" };
  const cases = [...listAlgorithms(), fullKl].flatMap((algorithm) => {
    const { name, options } = algorithm, constant = CONSTANT_WEIGHT.includes(name);
    const of = (label: string, inputs: Fixed) => {
      const { gradient, clipfrac } = lossOf(algorithm, inputs, at);
      return { algorithm, label, inputs, gradient, clipfrac, constant };
    };
    return [
      of(name, name === "ppo" ? perToken : fixed),
      ...("entropyShare" in options.rows
        ? [of(`${name} of some tokens`, { ...fixed, policyWeight: chosen })]
        : []),
    ];
  });
  /** The loss; with constant weights, what they are constants of. */
  const value = ({ algorithm, inputs, gradient, constant }: typeof cases[number], now: Now) => {
    if (!constant) return lossOf(algorithm, inputs, now).total;
    const { dlogprob, dentropy } = gradient;
    return ROWS.place.reduce(
      (sum, slot, r) =>
        sum + dlogprob[slot] * now.logprob[r] + (dentropy?.[slot] ?? 0) * now.entropy[r],
      0,
    );
  };
  // Clips are active on some tokens where there are any.
  const clips = (name: string) => cases.find(({ algorithm }) => algorithm.name === name)!.clipfrac;
  for (const name of ["ppo", "grpo", "gspo", "rloo", "gmpo", "dppo-tv"]) {
    assert.ok(clips(name) > 0.05 && clips(name) < 0.95, `${name} ${clips(name)}`);
  }

  const got = new Map<string, Map<string, Float32Array | Float64Array>>();
  for (const { algorithm, label, gradient } of cases) {
    const { dlogprob, dentropy, dvalue, dkl } = gradient;
    const take = (x?: Float32Array) => fromGrid(x ?? new Float32Array(GRID.B * GRID.T), ROWS);
    assert.equal(dkl !== undefined, algorithm === fullKl);
    await model.evaluate(ROWS, options);
    model.backward({
      ...{ dlogprob: take(dlogprob), dentropy: take(dentropy), dvalue: take(dvalue) },
      ...(dkl && { dkl: take(dkl) }),
    });
    const of = new Map<string, Float32Array | Float64Array>();
    for await (const [{ name }, data] of model.optimizer!.gradients.read()) {
      of.set(name, data.slice() as Float32Array);
    }
    got.set(label, of);
    model.zeroGradient();
  }

  const faults: string[] = [];
  for (const { name, length } of parameters) {
    const tensor = model.weights.get(name), data = weights.get(name)!;
    const want = cases.map(() => new Float64Array(length));
    for (let i = 0; i < length; i++) {
      const sides: Now[] = [];
      for (const h of [STEP, -STEP]) {
        device.write(tensor, [data[i] + h], i);
        sides.push(await evaluate());
      }
      device.write(tensor, [data[i]], i);
      cases.forEach((of, k) => {
        want[k][i] = (value(of, sides[0]) - value(of, sides[1])) / (2 * STEP);
      });
    }
    cases.forEach(({ label }, k) => {
      const found = got.get(label)!.get(name)!;
      const still = want[k].every((x) => Math.abs(x) < 1e-12) && found.every((x) => x === 0);
      const error = still ? 0 : relativeError(found, want[k]); // a value head without a loss
      if (!(error <= 1e-6)) faults.push(`${label} ${name} ${error}`);
    });
  }
  assert.deepEqual(faults, [], "relative errors above 1e-6");
});
