import assert from "node:assert/strict";
import fc from "fast-check";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device } from "../../kernels/device.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { roundRows, sharePrefixes } from "../../model/prefix_tree.ts";
import { checkRows, fromGrid, type ResponseRows, responseRows, toGrid } from "../../model/rows.ts";
import { assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { adaptedModel, gradients, randomModel, SMALL, SMALL_NEO, wave } from "./_model.ts";

Deno.test("sharePrefixes() lays texts out as a tree, depth first", () => {
  const prompts = [[7], [1, 2, 3], [1, 2, 3], [1, 2]];
  const rows = sharePrefixes(responseRows({ prompts, responses: [[9], [5, 9], [4, 9], [6, 8]] }));
  assert.deepEqual([rows.B, rows.T, ...rows.lengths], [1, 16, 7]);
  const real = (of: Uint32Array) => [...of.subarray(0, 7)];
  assert.deepEqual(real(rows.tokens), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(real(rows.position), [0, 1, 2, 3, 3, 2, 0]);
  assert.deepEqual(real(rows.end), [6, 6, 5, 4, 5, 6, 7]);
  assert.ok(rows.end.subarray(7).every((end) => end === 0), "padding is seen by nobody");
  assert.deepEqual([...rows.index], [6, 2, 4, 2, 3, 1, 5]);
  assert.deepEqual([...rows.target], [9, 5, 9, 4, 9, 6, 8]);
  const grid = toGrid([1, 2, 3, 4, 5, 6, 7], rows);
  assert.deepEqual([...grid], [1, 0, 2, 3, 4, 5, 6, 7]);
});

Deno.test("a question that several texts ask is asked once, and its gradients are summed", () => {
  const prompts = [[1], [1], [1]], responses = [[2, 3], [2, 3], [2, 4]];
  const rows = sharePrefixes(responseRows({ prompts, responses }));
  assert.deepEqual([...rows.index], [0, 1, 1]);
  assert.deepEqual([...rows.target], [2, 3, 4]);
  assert.deepEqual([...toGrid([5, 6, 7], rows)], [5, 6, 5, 6, 5, 7]);
  assert.deepEqual([...fromGrid([1, 2, 4, 8, 16, 32], rows)], [1 + 4 + 16, 2 + 8, 32]);
});

/** Texts of few tokens, so that they begin alike. */
const texts = fc.array(
  fc.record({
    prompt: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
    response: fc.array(fc.nat(2), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 12 },
).filter((all) => all.some(({ response }) => response.length > 0));

Deno.test("each question of a tree sees its own text, and no beginning is there twice", () => {
  fc.assert(fc.property(texts, fc.constantFrom("before", "own"), (all, valueAt) => {
    const prompts = all.map(({ prompt }) => prompt), responses = all.map((x) => x.response);
    const plain = responseRows({ prompts, responses, valueAt }), tree = sharePrefixes(plain);
    checkRows(tree, { V: 3, P: 8 });
    const seen = (row: number) =>
      Array.from({ length: row + 1 }, (_, j) => j).filter((j) => row < tree.end[j]);
    const textOf = (row: number) => seen(row).map((j) => tree.tokens[j]).join(" ");
    for (const [a, r] of plain.source.entries()) {
      const row = plain.index[r], b = Math.floor(row / plain.T);
      const at = tree.index[tree.source[a]];
      assert.equal(textOf(at), plain.tokens.subarray(b * plain.T, row + 1).join(" "));
      assert.equal(tree.target[tree.source[a]], plain.target[r]);
    }
    const [length] = tree.lengths, rows = Array.from({ length }, (_, row) => row);
    rows.forEach((row) => assert.equal(tree.position[row], seen(row).length - 1));
    assert.equal(new Set(rows.map(textOf)).size, length);
    const asked = [...tree.index].map((row, r) => `${row} ${tree.target[r]}`);
    assert.equal(new Set(asked).size, asked.length);
    const numbers = Float64Array.from(tree.index, (_, r) => r + 1);
    const back = fromGrid(toGrid(numbers, tree), tree); // a multiple of each number
    assert.ok(back.every((x, r) => x % numbers[r] === 0));
  }));
});

Deno.test("rows of a tree are rounded up by at most an eighth", () => {
  assert.deepEqual([1, 16, 17, 127, 129, 257, 1000].map(roundRows), [
    ...[16, 16, 32, 128, 144, 288, 1024],
  ]);
  for (let rows = 128; rows < 5000; rows++) assert.ok(roundRows(rows) <= 1.125 * rows);
});

/** Two groups of one prompt each, equal answers among them, under an instruction that all share. */
const GROUPS = {
  prompts: [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 5], [1, 2, 5], [6]],
  responses: [[8, 9, 1], [8, 9, 2], [10], [7, 7, 7, 7, 7], [8], [1, 2, 3, 4, 8, 9, 1]],
};
const temperature = 0.7;

const CASES: Record<string, { config?: object; options?: Gpt2Options; lora?: true; kl?: true }> = {
  "a policy": {},
  "one that recomputes, in chunks": { options: { recompute: true, chunkBytes: 1 } },
  "a GPT-Neo with windows": { config: SMALL_NEO },
  "an adapter": { lora: true },
  "KL to a reference": { kl: true },
  "a value head of its own": { options: { valueDetached: true } },
  "an untied head": { config: { ...SMALL, tie_word_embeddings: false } },
  "heads of the fast kernel": { config: { ...SMALL, n_embd: 16 } },
  "windows in the fast kernel": { config: { ...SMALL_NEO, hidden_size: 24 } },
};

/** What a pass over `rows` tells, in the grid of responses, and the gradients of a loss over that grid. */
async function passOver(
  device: Device,
  rows: ResponseRows,
  { config = SMALL, options, lora, kl }: typeof CASES[string],
) {
  using model = (lora ? adaptedModel : randomModel)(device, config, options);
  using reference = Gpt2.create(device, config, { frozen: true, seed: 7 });
  const got = await model.evaluate(rows, { temperature, ...(kl && { reference }) });
  const n = rows.responses * rows.width, up = (phase: number) => wave(n, phase);
  model.backward({
    dlogprob: fromGrid(up(1), rows),
    dentropy: fromGrid(up(2), rows),
    dvalue: fromGrid(up(3), rows, "valuePlace"),
    ...(kl && { dkl: fromGrid(up(4), rows) }),
  });
  const told = {
    logprob: toGrid(got.logprob, rows),
    entropy: toGrid(got.entropy, rows),
    value: toGrid(got.value, rows, "valuePlace"),
    ...(kl && { kl: toGrid(got.kl!, rows) }),
  };
  return { told, gradients: await gradients(model) };
}

async function compare(device: Device, of: typeof CASES[string], rtol: number): Promise<void> {
  for (const valueAt of ["before", "own"] as const) {
    const plain = responseRows({ ...GROUPS, valueAt }), tree = sharePrefixes(plain);
    assert.ok(tree.lengths[0] < plain.lengths.reduce((sum, length) => sum + length));
    const want = await passOver(device, plain, of), got = await passOver(device, tree, of);
    assert.deepEqual(got.told, want.told); // to the bit
    for (const [name, gradient] of want.gradients) {
      assertRelative(got.gradients.get(name)!, gradient, name, rtol);
    }
  }
}

for (const [name, of] of Object.entries(CASES)) {
  testOnDevices(
    `${name}: shared beginnings give the same bits and gradients`,
    (device) => compare(device, of, device.kind === "cpu" ? 1e-6 : 4e-6), // twins sum in double,
  );

  Deno.test(`${name}: shared beginnings give the same gradients in float64`, async () => {
    using device = new CpuDevice({ precision: "f64" });
    await compare(device, of, 1e-12);
  });
}

testOnDevices("a tree may have more rows than the model has positions", async (device) => {
  const prompts = Array.from({ length: 30 }, (_, b) => [b % 10, b % 7, b % 3]);
  const responses = prompts.map(([a]) => [a + 1, 10]);
  const plain = responseRows({ prompts, responses }), tree = sharePrefixes(plain);
  assert.ok(tree.T > 9 && tree.T < plain.B * plain.T);
  using model = randomModel(device);
  const of = async (rows: ResponseRows) => toGrid((await model.evaluate(rows)).logprob, rows);
  assert.deepEqual(await of(tree), await of(plain));
});

testOnDevices("a batch as colors has it, by heads of 32: equal to the bit", async (device) => {
  const instruction = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4];
  const prompts = Array.from({ length: 40 }, (_, b) => [...instruction, b % 9, 5, b % 7, 6, 7]);
  const responses = prompts.map((_, b) => [b % 4, ...(b % 3 ? [10, b % 2] : [])]);
  const plain = responseRows({ prompts, responses }), tree = sharePrefixes(plain);
  assert.ok(tree.T > 4 * 32 && 3 * tree.T < plain.B * plain.T, `${tree.T}`); // several workgroups
  const neo = { ...SMALL_NEO, hidden_size: 64, max_position_embeddings: 24, window_size: 5 };
  for (const config of [{ ...SMALL, n_embd: 64, n_positions: 24 }, neo]) {
    using model = randomModel(device, config);
    const of = async (rows: ResponseRows) => toGrid((await model.evaluate(rows)).logprob, rows);
    assert.deepEqual(await of(tree), await of(plain));
  }
});

testOnDevices(
  "trees of like size share one recorded pass, within what was reserved",
  async (device) => {
    using model = randomModel(device);
    const rows = (B: number, same: boolean) =>
      sharePrefixes(responseRows({
        prompts: Array.from({ length: B }, (_, b) => [same ? 1 : b % 11, 2 + b % 5, 3]),
        responses: Array.from({ length: B }, (_, b) => [b % 11, 5, 6]),
      }));
    model.reserve({ B: 24, T: 5, R: 72, treeRows: 24 * 5 });
    const { held } = device.memory;
    for (const [B, same] of [[24, false], [24, true], [1, true], [17, false]] as const) {
      await model.evaluate(rows(B, same));
      assert.equal(device.memory.held, held);
    }
  },
);
