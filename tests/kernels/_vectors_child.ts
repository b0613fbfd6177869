/**
 * Prints, one JSON line, the adapter's name, the lanes that shuffle, and a hash of what kernels make of the
 * same numbers: by vectors_test.ts with vectors of other widths, which a driver takes when it is loaded.
 * @module
 */
import { createHash } from "node:crypto";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import type { HostArray } from "../../kernels/device.ts";
import { matmul, type MatmulDims } from "../../kernels/matmul.ts";
import { upload } from "../../kernels/tensor.ts";
import { shuffleLanes, unrollsLoads } from "../../kernels/tuning.ts";
import { generate } from "../../model/generation/generate.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { wavesOf } from "./_waves.ts";

const wave = wavesOf(0.7);
using device = await WebGpuDevice.open({ adapter: "software" });
const hashes: Record<string, string> = {};
const keep = (what: string, ...data: HostArray[]) => {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of data) {
    hash.update(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  hashes[what] = hash.digest("hex");
};

// Products: ragged in each dimension that may be, and one whose rows of b are touched ahead.
const sizes: MatmulDims[] = [
  { M: 71, N: 200, K: 23, orientation: "NN", ldA: 28, atA: 4 },
  { M: 71, N: 201, K: 28, orientation: "NT", ldOut: 204 },
  { M: 71, N: 200, K: 23, orientation: "TN", ldA: 80, atA: 4, accumulate: true },
  { M: 70, N: 1024, K: 520, orientation: "NN" },
];
const shapes = [[16, 8], [32, 8], [64, 4]];
async function multiply(dims: MatmulDims, way: string): Promise<void> {
  const { M, N, K, orientation } = dims, [rows, width] = orientation === "TN" ? [K, M] : [M, K];
  const a = upload(device, wave(rows * (dims.ldA ?? width), 1, 3), "a");
  const b = upload(device, wave(N * K, 1, 5), "b");
  const out = upload(device, wave(M * (dims.ldOut ?? N), 1, 7), "out");
  matmul(device, { a, b, out }, dims);
  keep(`${orientation} ${M} ${N} ${K} ${way}`, ...await device.read(out));
}
for (const size of sizes) {
  for (const [rows, columns] of shapes) {
    const dims = { ...size, variant: "shuffle", shape: { rows, columns } } as const;
    await multiply(dims, `by ${rows} x ${columns}`);
  }
}

// Those of decoding: chunks of k that are not full, strips, columns that are no whole strip.
for (const M of [1, 3, 17]) {
  for (const N of [36, 768]) {
    await multiply({ M, N, K: 100, orientation: "NN", role: "decode" }, "of few rows");
  }
  const NT = { M, N: 201, K: 100, orientation: "NT", ldOut: 204, role: "decode" } as const;
  await multiply(NT, "of few rows");
}

// All else by a model: what it draws, its loss, and its weights after a step.
const config = { vocab_size: 500, n_positions: 64, n_embd: 64, n_layer: 2, n_head: 1 };
using model = Gpt2.create(device, config, { seed: 1 });
const prompts = [[1, 2, 3, 4, 5], [7, 8], [9, 10, 11]];
const { responses } = await generate(model, prompts, { maxNewTokens: 4, seed: 2 });
keep("responses", ...responses.map((tokens) => Float32Array.from(tokens)));
const texts = [29, 40, 17].map((T, b) =>
  Int32Array.from({ length: T }, (_, t) => (t * 31 + b) % 500)
);
model.languageModel(languageModelRows(texts));
model.step(1e-3);
keep("loss", Float64Array.of(await model.readLoss()));
for await (const [{ name }, data] of model.weights.read()) keep(name, data);

const lanes = shuffleLanes(device), unrolled = unrollsLoads(device);
console.log(JSON.stringify({ adapter: device.name, lanes, unrolled, hashes }));
