/** Adapters on every kind of base: GPT-Neo's separate maps and windows, and matrices stored as f16. @module */
import assert from "node:assert/strict";
import type { Device } from "../../../kernels/device.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../../model/files/gpt2_save.ts";
import { saveAdapter } from "../../../model/files/lora_save.ts";
import { exportOptimizer, importOptimizer } from "../../../model/files/optimizer_file.ts";
import { generate } from "../../../model/generation/generate.ts";
import type { Gpt2, Gpt2Options } from "../../../model/gpt2.ts";
import { responseRows } from "../../../model/rows.ts";
import { assertClose, assertRelative } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import { withFolder } from "../../_folder.ts";
import {
  adaptedModel,
  gradients,
  randomModel,
  roundMatrices,
  SMALL,
  SMALL_NEO,
  trained,
  wave,
} from "../_model.ts";

/** Each longer than the window of the local layer. */
const prompts = [[1, 2, 3, 10], [4], [5, 6, 7, 1]];
const rows = responseRows({ prompts, responses: [[8, 9], [10, 0, 2, 3, 1], [4, 4, 4]] });
const R = rows.index.length;
const upstream = { dlogprob: wave(R, 1), dentropy: wave(R, 2), dvalue: wave(R, 3) };

/** More rows than one chunk of logits has at the least, 64. */
const many = responseRows({
  prompts: Array.from({ length: 24 }, (_, b) => prompts[b % 3]),
  responses: Array.from({ length: 24 }, (_, b) => [b % 11, 1, 2, b % 7]),
});

const BASES: [name: string, config: object, options: Gpt2Options][] = [
  ["GPT-Neo", SMALL_NEO, {}],
  ["GPT-2 in f16", SMALL, { matrixDtype: "f16" }],
  ["GPT-Neo in f16", SMALL_NEO, { matrixDtype: "f16" }],
];

for (const [name, config, options] of BASES) {
  testOnDevices(`${name}: with the adapter off, the base to the bit`, async (device) => {
    using base = randomModel(device, config, { ...options, valueHead: false, frozen: true });
    using fresh = randomModel(device, config, { ...options, lora: { rank: 2 } });
    fresh.adapter!.initialise(1);
    assert.deepEqual(await fresh.logits(rows), await base.logits(rows));
    using model = await trained(adaptedModel(device, config, options), rows);
    const off = { adapter: false };
    assert.deepEqual(await model.evaluate(rows, off), await base.evaluate(rows));
    assert.deepEqual(await model.logits(rows, off), await base.logits(rows));
    assert.notDeepEqual(await model.logits(rows), await base.logits(rows));
    const asked = { maxNewTokens: 4, seed: 4, temperature: 0.8 };
    const want = await generate(base, prompts, asked);
    assert.deepEqual(await generate(model, prompts, { ...asked, ...off }), want);
    assert.notDeepEqual(await generate(model, prompts, asked), want);
  });

  testOnDevices(
    `${name}: generation with an adapter draws what evaluate() scores`,
    async (device) => {
      using model = adaptedModel(device, config, options);
      const { responses, logprobs } = await generate(model, prompts, { maxNewTokens: 5, seed: 2 });
      const { logprob } = await model.evaluate(responseRows({ prompts, responses }));
      assertClose(logprob, logprobs.flatMap((row) => [...row]), "log-probabilities", 1e-5);
    },
  );

  testOnDevices(`${name}: recompute and chunks of logits change no bit`, async (device) => {
    const n = many.index.length;
    assert.ok(n > 64, "more than one chunk");
    const run = async (more: Gpt2Options) => {
      using model = adaptedModel(device, config, { ...options, ...more });
      const evaluation = await model.evaluate(many);
      model.backward({ dlogprob: wave(n, 1), dentropy: wave(n, 2), dvalue: wave(n, 3) });
      return { evaluation, gradients: await gradients(model) };
    };
    const want = await run({});
    assert.ok([...want.gradients.values()].every((data) => data.some((x) => x !== 0)));
    assert.deepEqual(await run({ recompute: true }), want);
    assert.deepEqual(await run({ recompute: true, chunkBytes: 1 }), want);
  });
}

Deno.test("GPT-Neo: gradients of A, B and the value head match central differences", async () => {
  using device = new CpuDevice({ precision: "f64" });
  using model = adaptedModel(device, SMALL_NEO);
  const loss = async (): Promise<number> => {
    const { logprob, entropy, value } = await model.evaluate(rows);
    let sum = 0;
    for (let r = 0; r < R; r++) {
      sum += upstream.dlogprob[r] * logprob[r] + upstream.dentropy[r] * entropy[r] +
        upstream.dvalue[r] * value[r];
    }
    return sum;
  };
  await loss();
  model.backward(upstream);
  const got = await gradients(model);
  assert.equal(got.size, 2 * 6 * 2 + 2); // layers, modules, A and B; the value head
  const { parameters: store } = model.adapter!, h = 1e-5;
  for await (const [{ name, length }, data] of store.read()) {
    const tensor = store.get(name), want = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      device.write(tensor, [data[i] + h], i);
      const above = await loss();
      device.write(tensor, [data[i] - h], i);
      want[i] = (above - await loss()) / (2 * h);
      device.write(tensor, [data[i]], i);
    }
    assert.ok(Math.hypot(...want) > 1e-4, `${name} must matter`);
    assertRelative(got.get(name)!, want, name, 1e-6);
  }
});

testOnDevices(
  "GPT-Neo: merge() changes the columns of its modules, and saves them",
  (device) =>
    withFolder(async (folder) => {
      const lora = { rank: 3 }; // queries and values
      using model = await trained(adaptedModel(device, SMALL_NEO, { lora }), rows);
      const logits = await model.logits(rows), C = 6;
      const weight = model.weights.get("h.1.attn.c_attn.weight");
      const [before] = await device.read(weight);
      await model.merge();
      const [after] = await device.read(weight);
      const changed = [...after].map((x, i) => x !== before[i]);
      assert.deepEqual(changed, changed.map((_, i) => Math.floor(i % (3 * C) / C) !== 1));
      assertClose(await model.logits(rows), logits, "merged", 1e-5);
      await saveGpt2(model, folder);
      using plain = await loadGpt2(device, folder, { frozen: true });
      assert.deepEqual(await plain.logits(rows), await model.logits(rows));
      await model.unmerge();
      assertClose(await model.logits(rows), logits, "unmerged", 1e-5);
    }),
);

for (const [name, config] of Object.entries({ "GPT-2": SMALL, "GPT-Neo": SMALL_NEO })) {
  testOnDevices(
    `${name}: an adapter learns on f16 as on f32 that holds the same numbers`,
    async (device) => {
      using half = adaptedModel(device, config, { matrixDtype: "f16" });
      using same = adaptedModel(device, config);
      using full = adaptedModel(device, config);
      await roundMatrices(same.weights);
      const learn = async (model: Gpt2) => {
        const evaluation = await model.evaluate(rows);
        model.backward(upstream);
        const found = await gradients(model);
        model.step(0.1);
        return { evaluation, found, then: await model.evaluate(rows) };
      };
      const want = await learn(same);
      assert.deepEqual(await learn(half), want);
      assert.notDeepEqual(await learn(full), want, "nothing was rounded");
      assert.equal(half.adapter!.parameters.order.every(({ dtype }) => dtype === "f32"), true);
    },
  );

  Deno.test(`${name}: an adapter on f16, saved and loaded, goes on as if it had not stopped`, () =>
    withFolder(async (folder) => {
      using device = new CpuDevice();
      using base = randomModel(device, config, { frozen: true, valueHead: false });
      await saveGpt2(base, `${folder}/base`);
      const options = { matrixDtype: "f16", valueHead: true } as const;
      const lora = { rank: 2, targets: "all-linear" };
      using model = await loadGpt2(device, `${folder}/base`, { ...options, lora, seed: 2 });
      await trained(model, rows, 2);
      await saveAdapter(model, `${folder}/adapter`);
      await exportOptimizer(model, `${folder}/state.safetensors`);
      using again = await loadGpt2(device, `${folder}/adapter`, options);
      await importOptimizer(again, `${folder}/state.safetensors`);
      assert.equal(again.weights.get("wte.weight").dtype, "f16");
      assert.deepEqual(
        await (await trained(again, rows, 2)).evaluate(rows),
        await (await trained(model, rows, 2)).evaluate(rows),
      );
    }));
}

Deno.test("an adapter is not merged into f16: the error says what to do", () =>
  withFolder(async (folder) => {
    using device: Device = new CpuDevice();
    using base = randomModel(device, SMALL_NEO, { frozen: true, valueHead: false });
    await saveGpt2(base, `${folder}/base`);
    const lora = { rank: 2 },
      message = /must be f32 for that: it is f16; load .* without matrixDtype/;
    using model = await loadGpt2(device, `${folder}/base`, { matrixDtype: "f16", lora });
    const logits = await model.logits(rows);
    await assert.rejects(() => model.merge(), { name: "TypeError", message });
    assert.deepEqual(await model.logits(rows), logits);
    await saveAdapter(model, `${folder}/adapter`);
    const live = device.memory.live;
    const merging = { frozen: true, matrixDtype: "f16", merge: true } as const;
    await assert.rejects(() => loadGpt2(device, `${folder}/adapter`, merging), { message });
    assert.equal(device.memory.live, live);
    using merged = await loadGpt2(device, `${folder}/adapter`, { frozen: true, merge: true });
    assert.equal(merged.adapter, undefined);
  }));
