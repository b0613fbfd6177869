import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Gpt2, Gpt2Options } from "../../model/gpt2.ts";
import { responseRows, type Rows } from "../../model/rows.ts";
import { assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { gradients, randomModel, SMALL, SMALL_NEO, wave } from "./_model.ts";
import assert from "node:assert/strict";

const temperature = 0.7;
const ragged = responseRows({
  prompts: [[1, 2, 3], [4], [5, 6, 7, 1]],
  responses: [[8, 9], [10, 0, 2, 3, 1], [4, 4, 4]],
});
const R = ragged.index.length;
const upstream = { dlogprob: wave(R, 1), dentropy: wave(R, 2), dvalue: wave(R, 3) };

/** The loss whose gradients are `upstream`. */
async function loss(model: Gpt2): Promise<number> {
  const { logprob, entropy, value } = await model.evaluate(ragged, { temperature });
  let sum = 0;
  for (let r = 0; r < R; r++) {
    sum += upstream.dlogprob[r] * logprob[r] + upstream.dentropy[r] * entropy[r] +
      upstream.dvalue[r] * value[r];
  }
  return sum;
}

Deno.test("backward() matches central differences of every parameter, in float64", async () => {
  await matchesDifferences(SMALL);
});

Deno.test("backward() of a GPT-Neo matches central differences of every parameter", async () => {
  await matchesDifferences(SMALL_NEO);
});

async function matchesDifferences(config: object): Promise<void> {
  using device = new CpuDevice({ precision: "f64" });
  using model = randomModel(device, config);
  await model.evaluate(ragged, { temperature });
  model.backward(upstream);
  const got = await gradients(model);
  const h = 1e-5;
  for await (const [{ name, length }, data] of model.weights.read()) {
    const tensor = model.weights.get(name);
    const want = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      device.write(tensor, [data[i] + h], i);
      const above = await loss(model);
      device.write(tensor, [data[i] - h], i);
      want[i] = (above - await loss(model)) / (2 * h);
      device.write(tensor, [data[i]], i);
    }
    const norm = Math.hypot(...want);
    assert.ok(norm > 1e-2 || name.endsWith("c_attn.bias"), `${name} must matter: ${norm}`);
    assertRelative(got.get(name)!, want, name, 1e-7);
  }
}

/** Gradients of `upstream` on a model with `options`. */
async function gradientsWith(
  model: Gpt2,
  rows: Rows = ragged,
  given: typeof upstream = upstream,
): Promise<Awaited<ReturnType<typeof gradients>>> {
  await model.evaluate(rows, { temperature });
  model.backward(given);
  return await gradients(model);
}

testOnDevices("backward() agrees with float64 on this device", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  using reference = randomModel(exact);
  using model = randomModel(device);
  const want = await gradientsWith(reference);
  for (const [name, got] of await gradientsWith(model)) {
    assertRelative(got, want.get(name)!, name, 1e-5);
  }
});

testOnDevices("backward() with recomputed activations gives the same bits", async (device) => {
  using kept = randomModel(device);
  using recomputed = randomModel(device, SMALL, { recompute: true });
  assert.deepEqual(await gradientsWith(recomputed), await gradientsWith(kept));
  assert.deepEqual(await gradientsWith(recomputed), await gradientsWith(kept)); // and adds
});

testOnDevices("a gradient that is left out is zero, whatever the last one was", async (device) => {
  for (const [name, values] of Object.entries(upstream)) {
    const zeros = new Float64Array(R);
    const given = { dlogprob: zeros, dentropy: zeros, dvalue: zeros, [name]: values };
    using fresh = randomModel(device);
    using used = randomModel(device);
    await gradientsWith(used);
    used.zeroGradient();
    const left = { [name]: values } as unknown as typeof upstream;
    assert.deepEqual(
      await gradientsWith(used, ragged, left),
      await gradientsWith(fresh, ragged, given),
    );
  }
});

const wide = responseRows({
  prompts: Array.from({ length: 18 }, (_, b) => [b % 11]),
  responses: Array.from(
    { length: 18 },
    (_, b) => Array.from({ length: 1 + b % 8 }, (_, t) => (b * t + 3) % 11),
  ),
});

testOnDevices("the head in chunks gives what it gives in one piece", async (device) => {
  const n = wide.index.length;
  assert.ok(n > 64, "one chunk has 64 rows");
  const given = { dlogprob: wave(n, 1), dentropy: wave(n, 2), dvalue: wave(n, 3) };
  const run = async (options: Gpt2Options) => {
    using model = randomModel(device, SMALL, options);
    const evaluation = await model.evaluate(wide, { temperature });
    return { evaluation, gradients: await gradientsWith(model, wide, given) };
  };
  const whole = await run({}), chunked = await run({ chunkBytes: 1 });
  assert.deepEqual(chunked.evaluation, whole.evaluation);
  for (const [name, want] of whole.gradients) {
    assertRelative(chunked.gradients.get(name)!, want, name, 1e-6);
  }
});

testOnDevices(
  "language modelling in chunks has evaluate()'s loss and gradients",
  async (device) => {
    const options = { chunkBytes: 1 },
      n = wide.index.length,
      given = { dlogprob: Array(n).fill(-1 / n) };
    using apart = randomModel(device, SMALL, options);
    const { logprob } = await apart.evaluate(wide);
    apart.backward(given);
    using model = randomModel(device, SMALL, options);
    model.languageModel(wide);
    const mean = Array.from(logprob).reduce((sum, x) => sum - x / n, 0);
    assertRelative([await model.readLoss()], [mean], "loss", 1e-6);
    assert.deepEqual(await gradients(model), await gradients(apart)); // to the bit
  },
);

/** Those of matrices in blocks and head, which a pass over zeros overwrites. */
const isOverwritten = (name: string) => /^h\..*(attn|mlp)\..*weight$|^wte/.test(name);

testOnDevices(
  "backward() overwrites matrices of zeros and adds to others, with the same sums",
  async (device) => {
    const n = wide.index.length,
      given = { dlogprob: wave(n, 1), dentropy: wave(n, 2), dvalue: wave(n, 3) };
    for (const options of [{}, { chunkBytes: 1 }, { recompute: true }]) {
      using model = randomModel(device, SMALL, options);
      const buffers = model.optimizer!.gradients;
      const afterStep = async (noise: number, areZero: boolean) => {
        model.zeroGradient();
        assert.ok(buffers.areZero);
        for (const { name, length } of buffers.layout.parameters) {
          device.write(buffers.get(name), new Float32Array(length).fill(noise));
        }
        buffers.areZero = areZero;
        return await gradientsWith(model, wide, given);
      };
      const added = await afterStep(0, false), over = await afterStep(5, true);
      assert.ok(!buffers.areZero);
      const twice = await gradientsWith(model, wide, given);
      for (const [name, want] of added) {
        const got = over.get(name)!, rest = isOverwritten(name) ? 0 : 5;
        if (rest === 0 && name !== "wte.weight") {
          assert.ok(
            got.every((x, i) => x === want[i]),
            name,
          );
        }
        assertRelative(got.map((x) => x - rest), want, name, 2e-5);
        assertRelative(twice.get(name)!.map((x, i) => x - got[i]), want, name, 2e-5);
      }
      model.step(0.1);
      assert.ok(buffers.areZero);
    }
  },
);

const LARGE = { ...SMALL, vocab_size: 600, n_embd: 32 };

testOnDevices("an embedding larger than one binding changes nothing", async (device) => {
  const { maxBinding } = device.limits;
  assert.ok(maxBinding < 600 * 32 * 4, "wte must not fit in one binding");
  using exact = new CpuDevice({ precision: "f64" });
  using reference = randomModel(exact, LARGE);
  using model = randomModel(device, LARGE);
  const rows = responseRows({ prompts: [[1, 599], [300]], responses: [[598], [7, 599, 0]] });
  const given = { dlogprob: wave(4, 1), dentropy: wave(4, 2), dvalue: wave(4, 3) };
  const want = await gradientsWith(reference, rows, given);
  for (const [name, got] of await gradientsWith(model, rows, given)) {
    assertRelative(got, want.get(name)!, name, 1e-5);
  }
  for (const one of [model, reference]) {
    one.step(0.1);
    await one.evaluate(rows);
  }
  assertRelative(
    (await model.evaluate(rows)).logprob,
    (await reference.evaluate(rows)).logprob,
    "log-probabilities after a step",
    1e-4,
  );
}, { maxBinding: 65536 });

testOnDevices("microbatches add up to the gradient and loss of one batch", async (device) => {
  const part = (from: number, to: number): Rows =>
    responseRows({
      prompts: [[1, 2, 3], [4], [5, 6, 7, 1]].slice(from, to),
      responses: [[8, 9], [10, 0, 2, 3, 1], [4, 4, 4]].slice(from, to),
    });
  using whole = randomModel(device);
  using parts = randomModel(device);
  whole.languageModel(ragged);
  parts.languageModel(part(0, 2), { count: R });
  parts.languageModel(part(2, 3), { count: R });
  assertRelative([await parts.readLoss()], [await whole.readLoss()], "loss", 1e-6);
  const want = await gradients(whole);
  for (const [name, got] of await gradients(parts)) {
    if (!name.startsWith("v_head")) assertRelative(got, want.get(name)!, name, 1e-5);
  }
});
