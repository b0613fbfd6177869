/** KL to a reference over the whole vocabulary: through the head, in chunks, and back to every parameter. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import type { Device, FloatArray } from "../../kernels/device.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { LogitsError } from "../../model/logits.ts";
import { memoryByKind, sumOfKinds } from "../../model/memory.ts";
import type { RowGradients } from "../../model/pass.ts";
import { responseRows, type Rows } from "../../model/rows.ts";
import { assertClose, assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { adaptedModel, countReads, gradients, randomModel, SMALL, wave } from "./_model.ts";

const temperature = 0.7;
const ragged = responseRows({
  prompts: [[1, 2, 3], [4], [5, 6, 7, 1]],
  responses: [[8, 9], [10, 0, 2, 3, 1], [4, 4, 4]],
});
const wide = responseRows({
  prompts: Array.from({ length: 18 }, (_, b) => [b % 11]),
  responses: Array.from(
    { length: 18 },
    (_, b) => Array.from({ length: 1 + b % 8 }, (_, t) => (b * t + 3) % 11),
  ),
});
const upstream = (R: number) => ({
  dlogprob: wave(R, 1),
  dentropy: wave(R, 2),
  dvalue: wave(R, 3),
  dkl: wave(R, 4),
});

/** Another model than `randomModel`'s own; C differs where `config` says so. */
function otherModel(device: Device, config: object = {}, options: Gpt2Options = {}): Gpt2 {
  const other = { valueHead: false, frozen: true, ...options };
  const model = randomModel(device, { ...SMALL, ...config }, other);
  const wte = model.weights.get("wte.weight");
  device.write(wte, wave(wte.length, 9).map((x) => 0.6 * x));
  return model;
}

/** sum p (log p - log q) of each row of logits (R, V), as the formula stands. */
function exactly(logits: FloatArray, reference: FloatArray): number[] {
  const V = SMALL.vocab_size;
  const rows = (of: FloatArray) =>
    Array.from({ length: of.length / V }, (_, r) => {
      const x = Array.from(of.subarray(r * V, (r + 1) * V), (z) => z / temperature);
      const lse = Math.log(x.reduce((sum, y) => sum + Math.exp(y), 0));
      return x.map((y) => y - lse);
    });
  const q = rows(reference);
  return rows(logits).map((p, r) => p.reduce((s, l, v) => s + Math.exp(l) * (l - q[r][v]), 0));
}

const COMPARED: Record<string, (device: Device) => Gpt2> = {
  "another model": (device) => otherModel(device),
  "a wider model": (device) => otherModel(device, { n_embd: 10, n_layer: 1 }),
  "a model of more positions": (device) => otherModel(device, { n_positions: 16 }),
  "a model stored as f16": (device) => otherModel(device, {}, { matrixDtype: "f16" }),
  "a model of its own head": (device) => otherModel(device, { tie_word_embeddings: false }),
};
testOnDevices("evaluate() gives KL to another model, as its logits say", async (device) => {
  for (const [name, open] of Object.entries(COMPARED)) {
    using model = randomModel(device);
    using reference = open(device);
    for (const rows of name === "another model" ? [ragged, wide, ragged] : [ragged]) {
      const { kl, reference: under, ...rest } = await model.evaluate(rows, {
        temperature,
        reference,
      });
      const plain = await model.evaluate(rows, { temperature });
      assert.deepEqual(rest, plain, "nothing else changes");
      assert.deepEqual(under, (await reference.evaluate(rows, { temperature })).logprob);
      const want = exactly(await model.logits(rows), await reference.logits(rows));
      assert.ok(Math.max(...want) > 0.5, `${want}`);
      assertClose(kl!, want, `kl to ${name}`, 2e-5);
    }
  }
});

testOnDevices("an adapter is compared with its base, in one or many passes", async (device) => {
  for (const shapes of [1, 32]) {
    using model = adaptedModel(device, SMALL, { shapes });
    using base = randomModel(device, SMALL, { valueHead: false, frozen: true });
    for (const rows of [ragged, wide, ragged]) {
      const { kl } = await model.evaluate(rows, { temperature, reference: model });
      model.backward(upstream(rows.index.length));
      const of = await gradients(model);
      model.zeroGradient();
      assert.deepEqual(kl, (await model.evaluate(rows, { temperature, reference: base })).kl);
      model.backward(upstream(rows.index.length));
      assert.deepEqual(await gradients(model), of);
      model.zeroGradient();
      const { logprob } = await model.evaluate(rows, { temperature, adapter: false });
      assert.deepEqual(logprob, (await base.evaluate(rows, { temperature })).logprob);
    }
  }
});

testOnDevices("KL to a copy is exactly 0, and grows with a step", async (device) => {
  using model = randomModel(device);
  using reference = await model.frozenCopy();
  const { kl, logprob } = await model.evaluate(ragged, { temperature, reference });
  assert.ok(kl!.every((x) => x === 0), `${kl}`);
  model.backward({ dlogprob: logprob.map(() => 1) });
  model.step(1e-2);
  const after = (await model.evaluate(ragged, { temperature, reference })).kl!;
  assert.ok(after.every((x) => x > 1e-6), `${after}`);
  const [[norm]] = await device.read(model.optimizer!.norm);
  assert.equal(await model.gradientNorm(), norm, "the read-back brings the norm too");
  using adapted = randomModel(device, SMALL, { lora: { rank: 2 } });
  adapted.adapter!.initialise(1);
  const own = await adapted.evaluate(ragged, { temperature, reference: adapted });
  assert.ok(own.kl!.every((x) => x === 0));
});

/** What `upstream` comes to on a model with `options`. */
async function run(
  device: Device,
  options: Gpt2Options,
  given: RowGradients,
  { rows = wide, compare = true }: { rows?: Rows; compare?: boolean } = {},
) {
  using model = randomModel(device, SMALL, options);
  using reference = otherModel(device, { n_embd: 10 });
  const asked = { temperature, ...(compare && { reference }) };
  if (compare) { // what it leaves behind must not matter
    await model.evaluate(rows, asked);
    model.backward({ dkl: wave(rows.index.length, 5) });
    model.zeroGradient();
  }
  const { kl } = await model.evaluate(rows, asked);
  model.backward(given);
  return { kl, gradients: await gradients(model) };
}

testOnDevices("KL in chunks gives what it gives in one piece", async (device) => {
  const n = wide.index.length, given = upstream(n);
  assert.ok(n > 64, "one chunk has 64 rows");
  const whole = await run(device, {}, given), chunked = await run(device, { chunkBytes: 1 }, given);
  assert.deepEqual(chunked.kl, whole.kl);
  for (const [name, want] of whole.gradients) {
    assertRelative(chunked.gradients.get(name)!, want, name, 2e-6);
  }
  assert.deepEqual(await run(device, { recompute: true }, given), whole);
});

testOnDevices("without dkl the gradient is that of no reference, bit by bit", async (device) => {
  const { dkl: _, ...given } = upstream(wide.index.length);
  for (const chunkBytes of [1, 2 ** 20]) {
    const plain = await run(device, { chunkBytes }, given, { compare: false });
    assert.equal(plain.kl, undefined);
    const compared = await run(device, { chunkBytes }, given);
    assert.deepEqual(compared.gradients, plain.gradients);
  }
});

for (const chunked of [false, true]) {
  Deno.test(`KL's gradient is that of central differences in float64, chunked ${chunked}`, async () => {
    using device = new CpuDevice({ precision: "f64" });
    using model = randomModel(device, SMALL, chunked ? { chunkBytes: 1 } : {});
    using reference = otherModel(device, { n_embd: 10 });
    const rows = chunked ? wide : ragged, R = rows.index.length, given = upstream(R);
    const loss = async () => {
      const of = await model.evaluate(rows, { temperature, reference });
      let sum = 0;
      for (let r = 0; r < R; r++) {
        sum += given.dlogprob[r] * of.logprob[r] + given.dentropy[r] * of.entropy[r] +
          given.dvalue[r] * of.value[r] + given.dkl[r] * of.kl![r];
      }
      return sum;
    };
    await loss();
    model.backward(given);
    const got = await gradients(model), h = 1e-5;
    for await (const [{ name, length }, data] of model.weights.read()) {
      const tensor = model.weights.get(name), want: number[] = [], found: number[] = [];
      for (let i = 0; i < length; i += chunked ? 7 : 1) {
        device.write(tensor, [data[i] + h], i);
        const above = await loss();
        device.write(tensor, [data[i] - h], i);
        want.push((above - await loss()) / (2 * h));
        found.push(got.get(name)![i]);
        device.write(tensor, [data[i]], i);
      }
      assertRelative(found, want, name, 2e-7);
    }
  });
}

testOnDevices(
  "a comparison is reserved to the byte, and costs nothing elsewhere",
  async (device) => {
    const sizes = { B: 18, T: 9, R: wide.index.length };
    const shapes: Gpt2Options[] = [{}, { chunkBytes: 1 }, { lora: { rank: 2 } }];
    for (const options of shapes.map((of) => ({ valueHead: true, ...of }))) {
      const planned = (compare: boolean) => {
        const counting = new CountingDevice(device);
        using model = Gpt2.empty(counting, SMALL, options);
        using copy = Gpt2.empty(new CountingDevice(device), SMALL, { frozen: true });
        model.reserve({ ...sizes, ...(compare && { reference: options.lora ? model : copy }) });
        return memoryByKind(counting);
      };
      const [plain, compared] = [planned(false), planned(true)];
      assert.equal(compared.logits, 2 * plain.logits);
      using copy = Gpt2.create(device, SMALL, { frozen: true });
      copy.reserve(sizes);
      const before = device.memory.live;
      using model = randomModel(device, SMALL, options);
      const reference = options.lora ? model : copy;
      model.reserve({ ...sizes, reference });
      assert.equal(device.memory.live - before, sumOfKinds(compared));
      for (const rows of [ragged, wide, ragged]) {
        await model.evaluate(rows, { temperature, reference });
        model.backward({ dkl: wave(rows.index.length, 4) });
        model.step(1e-3);
      }
      assert.equal(device.memory.live - before, sumOfKinds(compared));
    }
  },
);

testOnDevices("evaluate() says which reference it cannot compare with", async (device) => {
  using model = randomModel(device);
  using other = randomModel(device, { ...SMALL, vocab_size: 12 }, { frozen: true });
  await assert.rejects(
    () => model.evaluate(ragged, { reference: other }),
    new TypeError(
      "Cannot compare with a reference as it must have the same 11 tokens: it has 12; " +
        "name a model with this one's tokenizer",
    ),
  );
  using elsewhere = new CpuDevice();
  using far = randomModel(elsewhere);
  await assert.rejects(() => model.evaluate(ragged, { reference: far }), {
    name: "TypeError",
    message:
      "Cannot compare with a reference as both models must be on one device: it is on another",
  });
  using short = randomModel(device, { ...SMALL, n_positions: 5 }, { frozen: true });
  await assert.rejects(() => model.evaluate(ragged, { reference: short }), /positions/);
  await model.evaluate(ragged);
  assert.throws(
    () => model.backward({ dkl: wave(ragged.index.length, 1) }),
    new Error("Cannot go backward through KL as the last evaluate had no reference: give it one"),
  );
});

testOnDevices(
  "log-probabilities under a reference come with an evaluation, in one read",
  async (device) => {
    const base = () => randomModel(device, SMALL, { valueHead: false, frozen: true });
    const pairs: [Gpt2, Gpt2 | undefined][] = [
      ...Object.values(COMPARED).map((open): [Gpt2, Gpt2] => [randomModel(device), open(device)]),
      [adaptedModel(device, SMALL), undefined], // its own reference, with the adapter off
    ];
    for (const [model, other] of pairs) {
      using owned = new DisposableStack();
      owned.use(model);
      const alone = owned.use(other ?? base()), reference = other ?? model;
      for (const rows of [ragged, wide, ragged]) {
        const { dkl: _, ...gradient } = upstream(rows.index.length);
        const want = await model.evaluate(rows, { temperature });
        const { logprob: wanted } = await alone.evaluate(rows, { temperature });
        model.backward(gradient);
        const of = await gradients(model);
        model.zeroGradient();
        using reads = countReads(device);
        const got = await model.evaluate(rows, { temperature, reference, kl: false });
        assert.equal(reads.count, 1);
        assert.deepEqual(got, { ...want, reference: wanted });
        model.backward(gradient);
        assert.deepEqual(await gradients(model), of);
        model.zeroGradient();
      }
    }
  },
);

Deno.test("what an adapter's own log-probabilities take is reserved", async () => {
  using device = new CpuDevice();
  using model = adaptedModel(device, SMALL);
  const { B, T, index: { length: R } } = wide;
  model.reserve({ B, T, R });
  const { held } = device.memory;
  await model.evaluate(wide, { reference: model, kl: false });
  assert.equal(device.memory.held, held);
});

for (const full of [true, false]) {
  testOnDevices(
    `logits of a reference that are not finite are told, and as its own${
      full ? "" : ", without KL"
    }`,
    async (device) => {
      using model = randomModel(device);
      using reference = otherModel(device);
      device.write(reference.weights.get("ln_f.bias"), [NaN]);
      await assert.rejects(
        () => model.evaluate(wide, { temperature, reference, kl: full }),
        (error) => {
          assert.ok(error instanceof LogitsError);
          assert.match(error.message, /those of target position 0 under the reference are not/);
          return true;
        },
      );
      assert.throws(
        () => model.backward({ dkl: wave(wide.index.length, 1) }),
        /call evaluate first/,
      );
      device.write(reference.weights.get("ln_f.bias"), [0]);
      const { kl } = await model.evaluate(ragged, { temperature, reference });
      model.backward({ dkl: kl });
      for (const [name, of] of await gradients(model)) assert.ok(of.every(Number.isFinite), name);
    },
  );
}

testOnDevices("a model is compared with one reference after another", async (device) => {
  using model = randomModel(device);
  using first = otherModel(device);
  const of = async (reference: Gpt2) =>
    (await model.evaluate(ragged, { temperature, reference })).kl!;
  const one = await of(first);
  {
    using second = randomModel(device, SMALL, { frozen: true });
    assert.ok((await of(second)).every((x) => x === 0));
  }
  assert.deepEqual(await of(first), one);
});

testOnDevices("a reference that learns too must be evaluated again for its own", async (device) => {
  using model = randomModel(device);
  using reference = randomModel(device, SMALL, { seed: 3 });
  await reference.evaluate(ragged);
  await model.evaluate(ragged, { reference });
  assert.throws(() => reference.backward({ dlogprob: wave(9, 1) }), /call evaluate first/);
});
