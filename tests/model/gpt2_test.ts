import assert from "node:assert/strict";
import type { Device, HostArray, Tensor } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { exportOptimizer, importOptimizer } from "../../model/files/optimizer_file.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows, responseRows } from "../../model/rows.ts";
import { assertClose, assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { countReads, gradients, randomModel, SMALL, wave } from "./_model.ts";

const rows = languageModelRows([[1, 2, 3, 4, 5, 6], [7, 8], [9, 10, 0, 1]]);
const ones = (n: number) => new Float32Array(n).fill(1);

testOnDevices("logits, log-probabilities and entropies belong together", async (device) => {
  using model = randomModel(device);
  const { V } = model.dims;
  const logits = await model.logits(rows);
  for (const temperature of [1, 0.5]) {
    const { logprob, entropy } = await model.evaluate(rows, { temperature });
    rows.target.forEach((token, r) => {
      const row = Array.from(logits.subarray(r * V, (r + 1) * V), (x) => x / temperature);
      const lse = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
      assertClose([logprob[r]], [row[token] - lse], `logprob ${r}`, 1e-5);
      const want = -row.reduce((sum, x) => sum + Math.exp(x - lse) * (x - lse), 0);
      assertClose([entropy[r]], [want], `entropy ${r}`, 1e-5);
    });
  }
});

testOnDevices("a token changes only the log-probabilities at and after it", async (device) => {
  using model = randomModel(device);
  const ask = async (response: number[]) =>
    (await model.evaluate(responseRows({ prompts: [[1, 2]], responses: [response] }))).logprob;
  const before = await ask([3, 4, 5, 6, 7]), after = await ask([3, 4, 9, 6, 7]);
  assert.deepEqual([...after.slice(0, 2)], [...before.slice(0, 2)]);
  for (const t of [2, 3, 4]) assert.notEqual(after[t], before[t], `response token ${t}`);
});

testOnDevices(
  "what stands in the padding changes no result and gets no gradient",
  async (device) => {
    using model = randomModel(device);
    const filled = { ...rows, tokens: rows.tokens.slice() };
    for (let b = 0; b < rows.B; b++) {
      filled.tokens.fill(10, b * rows.T + rows.lengths[b], (b + 1) * rows.T);
    }
    const { B, T, tokens, lengths } = filled; // token 10 is real at one place only: take it away
    tokens.forEach((id, n) => n % T < lengths[Math.floor(n / T)] && id === 10 && (tokens[n] = 9));
    const clean = { ...filled, tokens: tokens.slice() };
    for (let b = 0; b < B; b++) clean.tokens.fill(0, b * T + lengths[b], (b + 1) * T);
    const run = async (batch: typeof rows) => {
      const evaluation = await model.evaluate(batch);
      model.backward({ dlogprob: wave(batch.index.length), dvalue: ones(batch.index.length) });
      const found = await gradients(model);
      model.zeroGradient();
      return { evaluation, found };
    };
    const [a, b] = [await run(clean), await run(filled)];
    assert.deepEqual(b.evaluation, a.evaluation);
    const { C } = model.dims;
    for (const [name, want] of a.found) assertRelative(b.found.get(name)!, want, name, 1e-6);
    const input = { ...filled, target: filled.target.map(() => 1) };
    await model.evaluate(input);
    model.backward({ dvalue: ones(input.index.length) }); // no logits: wte's gradient is the input's
    const dwte = (await gradients(model)).get("wte.weight")!;
    assert.ok(dwte.subarray(10 * C, 11 * C).every((x) => x === 0), "a padded token got a gradient");
  },
);

testOnDevices("a sequence gets the same log-probabilities alone and in a batch", async (device) => {
  using model = randomModel(device);
  const sequences = [[1, 2, 3, 4, 5, 6], [7, 8], [9, 10, 0, 1]];
  const { logprob } = await model.evaluate(languageModelRows(sequences));
  const alone: number[] = [];
  for (const sequence of sequences) {
    alone.push(...(await model.evaluate(languageModelRows([sequence]))).logprob);
  }
  assertClose(logprob, alone, "logprob", 1e-6);
});

testOnDevices("the full context can be used, one token more is refused", async (device) => {
  using model = randomModel(device); // 9 positions: no multiple of 8
  const sequence = Array.from({ length: 10 }, (_, t) => t);
  const { logprob } = await model.evaluate(languageModelRows([sequence]));
  assert.ok(logprob.every((x) => Number.isFinite(x) && x < 0));
  await assert.rejects(
    () => model.evaluate(languageModelRows([[...sequence, 1]])),
    /the model has 9 positions: a sequence has 10 tokens; shorten the prompt or response/,
  );
});

testOnDevices(
  "step() clips to maxGradNorm, moves the weights and zeroes the gradients",
  async (device) => {
    using clipped = randomModel(device, SMALL, { adamw: { maxGradNorm: 1e-3, eps: 1 } });
    using free = randomModel(device, SMALL, { adamw: { maxGradNorm: 0, eps: 1 } });
    const moved: number[] = [];
    for (const model of [clipped, free]) {
      const before = (await device.read(model.weights.get("wpe.weight")))[0];
      model.languageModel(rows);
      const all = await gradients(model);
      const norm = Math.hypot(...[...all.values()].map((data) => Math.hypot(...data)));
      model.step(1);
      assertRelative([await model.gradientNorm()], [norm], "norm", 1e-5);
      for (const [name, data] of await gradients(model)) {
        assert.ok(
          data.every((x) => x === 0),
          name,
        );
      }
      const after = (await device.read(model.weights.get("wpe.weight")))[0];
      moved.push(Math.hypot(...before.map((x, i) => after[i] - x)));
      // With eps = 1 far above the gradient the step is nearly lr * factor * g.
      const factor = model === clipped ? 1e-3 / norm : 1;
      const want = factor * Math.hypot(...all.get("wpe.weight")!);
      assert.ok(moved.at(-1)! > 0.3 * want && moved.at(-1)! < 1.01 * want, `${moved} ${want}`);
    }
    assert.ok(moved[0] < moved[1] / 10);
  },
);

testOnDevices("a step's gradient norm comes with the next evaluation", async (device) => {
  using model = randomModel(device, SMALL);
  using waiting = randomModel(device, SMALL);
  for (let step = 0; step < 2; step++) {
    for (const each of [model, waiting]) {
      each.languageModel(rows);
      each.step(1e-3);
    }
    await model.evaluate(rows);
    using reads = countReads(device);
    const norm = await model.gradientNorm();
    assert.equal(reads.count, 0);
    assert.equal(norm, await waiting.gradientNorm());
    assert.equal(reads.count, 1);
    assert.ok(norm > 0);
  }
});

testOnDevices("training drives the loss of a batch towards zero", async (device) => {
  using model = Gpt2.create(device, SMALL, { seed: 1 });
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    model.languageModel(rows);
    losses.push(await model.readLoss());
    model.step(0.03);
  }
  assertClose([losses[0]], [Math.log(11)], "first loss", 0.1);
  assert.ok(losses.at(-1)! < 0.3, `last loss ${losses.at(-1)}`);
});

testOnDevices("frozenCopy() keeps the old policy while the model moves on", async (device) => {
  using model = randomModel(device);
  using reference = await model.frozenCopy();
  const before = await model.evaluate(rows);
  assert.deepEqual(await reference.evaluate(rows), before);
  model.backward({ dlogprob: ones(rows.index.length) });
  model.step(0.1);
  assert.deepEqual(await reference.evaluate(rows), before);
  assert.notDeepEqual((await model.evaluate(rows)).logprob, before.logprob);
  assert.throws(() => reference.step(1), /Cannot step as this model is frozen/);
  assert.throws(() => reference.backward({}), /Cannot go backward as this model is frozen/);
});

testOnDevices("the same seed gives the same weights and steps, bit for bit", async (device) => {
  const run = async (seed: number) => {
    using model = Gpt2.create(device, SMALL, { seed });
    for (let step = 0; step < 3; step++) {
      model.languageModel(rows);
      model.step(0.01);
    }
    return (await model.evaluate(rows)).logprob;
  };
  assert.deepEqual(await run(1), await run(1));
  assert.notDeepEqual(await run(1), await run(2));
});

testOnDevices(
  "exportOptimizer() and importOptimizer() resume training bit for bit",
  async (device) => {
    const folder = await Deno.makeTempDir();
    try {
      const train = (model: Gpt2) => {
        for (let step = 0; step < 3; step++) {
          model.languageModel(rows);
          model.step(0.01);
        }
      };
      using straight = randomModel(device);
      train(straight);
      await saveGpt2(straight, folder);
      await exportOptimizer(straight, `${folder}/optimizer.safetensors`);
      train(straight);
      using resumed = await loadGpt2(device, folder, { valueHead: true });
      await importOptimizer(resumed, `${folder}/optimizer.safetensors`);
      assert.equal(await resumed.optimizer!.steps(), 3);
      train(resumed);
      assert.deepEqual(await resumed.evaluate(rows), await straight.evaluate(rows));
      using other = Gpt2.create(device, { ...SMALL, n_layer: 1 }, { valueHead: true });
      await assert.rejects(
        () => importOptimizer(other, `${folder}/optimizer.safetensors`),
        /m.h.1.ln_1.weight is not known/,
      );
      await assert.rejects(
        () => importOptimizer(other, `${folder}/model.safetensors`),
        /metadata must say the step t: it says nothing/,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/** A device that counts read-backs. */
function counted(device: Device): { device: Device; reads: () => number } {
  let count = 0;
  const read = device.read.bind(device);
  device.read = (...tensors: Tensor[]): Promise<HostArray[]> => {
    count++;
    return read(...tensors);
  };
  return { device, reads: () => count };
}

testOnDevices("evaluate() reads back once, everything else in a step never", async (opened) => {
  const { device, reads } = counted(opened);
  using model = randomModel(device);
  await model.evaluate(rows);
  assert.equal(reads(), 1);
  model.backward({ dlogprob: ones(rows.index.length) });
  model.step(0.1);
  model.languageModel(rows);
  model.step(0.1);
  assert.equal(reads(), 1);
});

/** Trains one step on `length` sequences of `length` tokens and gives the log-probabilities. */
async function square(model: Gpt2, length: number): Promise<ArrayLike<number>> {
  const sequence = Array.from({ length }, (_, t) => t % 11);
  const batch = languageModelRows(Array.from({ length }, () => sequence));
  const { logprob } = await model.evaluate(batch);
  model.backward({ dlogprob: ones(batch.index.length) });
  model.step(1e-3);
  return logprob;
}

testOnDevices("memory does not grow over steps, and dispose frees all of it", async (device) => {
  const model = randomModel(device, SMALL, { shapes: 2 });
  const cycle = async () => {
    for (const length of [2, 3, 5, 9]) await square(model, length); // four shapes, two kept
  };
  await cycle();
  const { live, held } = device.memory;
  for (let i = 0; i < 10; i++) await cycle();
  assert.deepEqual([device.memory.live, device.memory.held], [live, held]);
  model[Symbol.dispose]();
  assert.equal(device.memory.live, 0);
});

testOnDevices(
  "shapes share the memory of the largest, in whatever order they come",
  async (device) => {
    const sizes = [3, 9, 5, 3, 9, 2]; // 3 comes back after its memory was replaced
    const shared = randomModel(device);
    const together = [];
    for (const size of sizes) together.push(await square(shared, size));
    const { live } = device.memory;
    shared[Symbol.dispose]();
    using largest = randomModel(device);
    await square(largest, 9);
    assert.equal(device.memory.live, live);
    using alone = randomModel(device, SMALL, { shapes: 1 });
    for (const [i, size] of sizes.entries()) {
      assert.deepEqual(
        await square(alone, size),
        together[i],
      );
    }
  },
);

Deno.test("wrong use is refused with the reason", async () => {
  using device = new CpuDevice();
  using model = randomModel(device);
  assert.throws(
    () => model.backward({}),
    /each backward pass uses up one evaluate: call evaluate first/,
  );
  await model.evaluate(rows);
  assert.throws(
    () => model.backward({ dlogprob: ones(3) }),
    new RangeError("Cannot go backward as dlogprob needs one element a row, 9: it has 3"),
  );
  model.backward({});
  assert.throws(() => model.backward({}), /call evaluate first/);
  await model.evaluate(rows);
  model.step(0);
  assert.throws(() => model.backward({}), /call evaluate first/);
  await assert.rejects(
    () => model.evaluate(rows, { temperature: 0 }),
    /temperature must be > 0: it is 0/,
  );
  await assert.rejects(
    () => model.evaluate(languageModelRows([[1, 11]])),
    /the model has 11 tokens: target 0 is 11/,
  );
  assert.throws(() => model.step(NaN), /learning rate must be from 0 to 1000000: it is NaN/);
  assert.throws(() => model.languageModel(rows, { count: 0 }), /count must be > 0/);
  assert.throws(
    () => Gpt2.create(device, SMALL, { adamw: { beta2: 1 } }),
    /beta2 must be at least 0 and below 1: it is 1/,
  );
  using plain = Gpt2.create(device, SMALL);
  await plain.evaluate(rows);
  assert.throws(() => plain.backward({ dvalue: ones(9) }), /has no value head/);
  using chunked = Gpt2.create(device, SMALL, { chunkBytes: 1 });
  const many = languageModelRows(Array.from({ length: 20 }, () => [1, 2, 3, 4, 5]));
  await assert.rejects(() => chunked.logits(many), /all 80 rows must fit in chunkBytes/);
});

Deno.test("a failed construction gives its memory back", () => {
  using device = new CpuDevice({ maxBinding: 65536 });
  const { live } = device.memory;
  assert.throws(() => Gpt2.create(device, SMALL, { adamw: { eps: 0 } }), RangeError);
  assert.equal(device.memory.live, live);
});
