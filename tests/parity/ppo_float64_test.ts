/** The gradient of the whole PPO loss against central differences, in double precision. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { fillNormal } from "../../model/random.ts";
import { responseRows } from "../../model/rows.ts";
import { lossOf, meansOfLoss } from "../rl/_ppo.ts";
import { relativeError } from "../_close.ts";

// Small, as every parameter costs two forward passes, yet nothing is special: two layers and heads,
// an odd head size, prompts and responses of different lengths, one response of a single token.
const CONFIG = { vocab_size: 13, n_positions: 9, n_embd: 6, n_layer: 2, n_head: 2, n_inner: 10 };
const ROWS = responseRows({
  prompts: [[3, 12], [0, 7, 5, 7], [9]],
  responses: [[4, 4, 1, 11, 0, 2, 8], [10], [6, 3, 9, 12]],
});
const R = ROWS.index.length;
const TEMPERATURE = 0.8;
const STEP = 2e-5;
const LOSS = {
  clipLow: 0.2,
  clipHigh: 0.25,
  valueClip: 0.2,
  valueCoefficient: 0.5,
  entropyCoefficient: 0.05,
  tokens: R,
};

/** Normal draws, the same each time; `parameter` tells one use from another. */
function normal(length: number, parameter: number, deviation: number): Float64Array<ArrayBuffer> {
  const out = new Float32Array(length);
  fillNormal(out, { std: deviation, seed: 5, parameter });
  return Float64Array.from(out);
}

Deno.test("PPO's gradient by every parameter is that of central differences in float64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  using model = Gpt2.create(device, CONFIG, { valueHead: true });
  const { parameters } = model.weights.layout;
  const weights = new Map(parameters.map(({ name, length }, stream) => {
    const data = normal(length, stream, 0.4);
    if (/ln_.*weight/.test(name)) data.forEach((x, i) => data[i] = 1 + x);
    device.write(model.weights.get(name), data);
    return [name, data];
  }));

  const mask = new Uint8Array(R).fill(1);
  const at = await model.evaluate(ROWS, { temperature: TEMPERATURE });
  const shifted = (x: ArrayLike<number>, stream: number): Float64Array =>
    normal(R, stream, 0.4).map((noise, i) => x[i] + noise);
  const oldLogprob = shifted(at.logprob, 101), oldValue = shifted(at.value, 102);
  const fixed = {
    oldLogprob,
    oldValue,
    advantage: normal(R, 103, 1),
    returns: normal(R, 104, 1),
  };
  const evaluate = async (): Promise<Record<string, number>> => {
    const now = await model.evaluate(ROWS, { temperature: TEMPERATURE });
    return meansOfLoss(lossOf(mask, { ...now, ...fixed }, LOSS).sums, LOSS);
  };

  // Both clips are active on some tokens, and no step of the differences crosses an edge.
  const means = await evaluate();
  for (const share of [means["policy/clipfrac"], means["value/clipfrac"]]) {
    assert(share > 0.1 && share < 0.6);
  }
  for (let r = 0; r < R; r++) {
    const ratio = Math.exp(at.logprob[r] - oldLogprob[r]), change = at.value[r] - oldValue[r];
    for (const edge of [ratio - 0.8, ratio - 1.25, change - 0.2, change + 0.2]) {
      assert(Math.abs(edge) > 100 * STEP, `token ${r} is too close to a clip: ${edge}`);
    }
  }

  const now = await model.evaluate(ROWS, { temperature: TEMPERATURE });
  model.backward(lossOf(mask, { ...now, ...fixed }, LOSS).gradient);
  const gradients = new Map<string, ArrayLike<number>>();
  for await (const [{ name }, data] of model.optimizer!.gradients.read()) gradients.set(name, data);

  const faults: string[] = [];
  for (const { name, length } of parameters) {
    const tensor = model.weights.get(name), data = weights.get(name)!;
    const want = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const side = async (h: number): Promise<number> => {
        device.write(tensor, [data[i] + h], i);
        return (await evaluate())["loss/total"];
      };
      want[i] = (await side(STEP) - await side(-STEP)) / (2 * STEP);
      device.write(tensor, [data[i]], i);
    }
    const error = relativeError(gradients.get(name)!, want);
    if (!(error <= 1e-6)) faults.push(`${name} ${error}`);
  }
  assert.deepEqual(faults, [], "relative errors above 1e-6");
});
