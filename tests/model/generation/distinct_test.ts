/** Prompts that several rows have are run once, and nothing else changes: not a bit. @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Device } from "../../../kernels/device.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { distinctPrompts, sourcesFor } from "../../../model/generation/distinct.ts";
import { type GenerateOptions, Generator } from "../../../model/generation/generate.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import { testOnDevices } from "../../_devices.ts";
import { adaptedModel, randomModel } from "../_model.ts";

const CONFIG = { vocab_size: 23, n_positions: 40, n_embd: 12, n_layer: 3, n_head: 3 };
/** One layer sees three tokens, so that of a longer prompt the last ones count. */
const NEO = {
  model_type: "gpt_neo",
  vocab_size: 23,
  max_position_embeddings: 40,
  hidden_size: 12,
  num_layers: 3,
  num_heads: 3,
  attention_types: [[["local", "global", "local"], 1]],
  window_size: 3,
};

const [FIVE, ONE, TEN, TWO] = [[5, 2, 19, 7, 3], [22], [1, 9, 2, 2, 8, 14, 6, 0, 11, 20], [12, 12]]
  .map((ids) => Int32Array.from(ids));
const copies = (prompt: Int32Array, count: number): Int32Array[] =>
  Array.from({ length: count }, () => prompt.slice());
/** In groups of four, of three and one; apart; with one more of a group than fits a part. */
const BATCHES: Record<string, Int32Array[]> = {
  groups: [...copies(FIVE, 4), ...copies(TEN, 4), ...copies(ONE, 4)],
  uneven: [...copies(TEN, 3), TWO, ...copies(FIVE, 2), ONE],
  apart: [TEN, ONE, TEN, FIVE, ONE, TEN],
  one: copies(TWO, 5),
  none: [TEN, ONE, FIVE, TWO],
};
const SAMPLED = { maxNewTokens: 9, seed: 7, stream: 3, temperature: 0.8, eos: 4 };

/** Draws each batch twice, in turn with the others: programs and memory are used again. */
async function compare(model: Gpt2, options: GenerateOptions): Promise<void> {
  using shared = new Generator(model, { shapes: 2 });
  using apart = new Generator(model, { share: false });
  for (const [name, rows] of [...Object.entries(BATCHES), ...Object.entries(BATCHES).reverse()]) {
    const got = await shared.generate(rows, options), want = await apart.generate(rows, options);
    assert.deepEqual(got, want, `${name} with ${JSON.stringify(options)}`);
  }
}

const MODELS: Record<string, (device: Device) => Gpt2> = {
  "GPT-2": (device) => randomModel(device, CONFIG, { frozen: true }),
  "GPT-Neo": (device) => randomModel(device, NEO, { frozen: true }),
  "an adapter": (device) => adaptedModel(device, CONFIG),
};
for (const [name, make] of Object.entries(MODELS)) {
  testOnDevices(`${name}: shared prompts give the same tokens and logprobs`, async (device) => {
    using model = make(device);
    await compare(model, SAMPLED);
    if (name === "an adapter") await compare(model, { ...SAMPLED, adapter: false });
  });
}

testOnDevices(
  "shared prompts and filters, greedy, and rows counted from another",
  async (device) => {
    using model = MODELS["GPT-2"](device);
    const filters = { topK: 5, topP: 0.9, repetitionPenalty: 1.4, filteredLogprobs: true };
    for (const more of [{ greedy: true, eos: null }, { ...filters, row0: 11 }]) {
      await compare(model, { ...SAMPLED, ...more });
    }
  },
);

testOnDevices("a batch in parts cuts groups, and gives the same", async (device) => {
  using model = MODELS["GPT-2"](device);
  using roomy = new CpuDevice();
  using whole = MODELS["GPT-2"](roomy);
  using generator = new Generator(model);
  using apart = new Generator(whole, { share: false });
  const got = await generator.generate(BATCHES.groups, SAMPLED);
  const want = await apart.generate(BATCHES.groups, SAMPLED);
  assert.deepEqual(got.responses, want.responses);
}, { maxBinding: 8192 });

testOnDevices("the rows of a group differ, though their prompt is run once", async (device) => {
  using model = MODELS["GPT-2"](device);
  using generator = new Generator(model);
  const { responses } = await generator.generate(copies(TEN, 8), { ...SAMPLED, eos: null });
  assert.ok(new Set(responses.map(([first]) => first)).size > 2, "first tokens are drawn by row");
  const { live } = device.memory;
  using apart = new Generator(model, { share: false });
  const before = device.memory.live;
  await apart.generate(copies(TEN, 8), { ...SAMPLED, eos: null });
  assert.equal(before, live);
  const separate = device.memory.live - before;
  using again = new Generator(model);
  const from = device.memory.live;
  await again.generate(copies(TEN, 8), { ...SAMPLED, eos: null });
  const shared = device.memory.live - from;
  assert.ok(shared < 0.6 * separate, `${shared} of ${separate} bytes: one prompt, not eight`);
});

Deno.test("distinctPrompts() keeps first rows in order, and says which row has which", () => {
  const rows = [TEN, ONE, TEN, FIVE, ONE];
  const { prompts, source } = distinctPrompts([...rows, [22], new Uint32Array([2, 2]), [22, 2]]);
  assert.deepEqual(prompts.slice(0, 3), [TEN, ONE, FIVE]);
  assert.deepEqual([...source], [0, 1, 0, 2, 1, 1, 3, 4]); // 22 and 2 are not 2, 2 or 222
  assert.deepEqual(distinctPrompts([[1, 11], [11, 1], [111]]).source, Uint32Array.of(0, 1, 2));
});

Deno.test("sourcesFor() holds all distinct prompts, never more than rows, and few numbers", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (B, any) => {
    const count = 1 + any % B, U = sourcesFor(count, B);
    assert.ok(U >= count && U <= B && U < 2 * count);
  }));
  const all = Array.from({ length: 48 }, (_, i) => sourcesFor(i + 1, 48));
  assert.deepEqual([sourcesFor(6, 48), sourcesFor(25, 48), sourcesFor(47, 48)], [6, 48, 48]);
  assert.ok(new Set(all).size < 15);
});
