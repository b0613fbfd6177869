/** A model whose long sums are taken in parts, as on a graphics card. @module */
import assert from "node:assert/strict";
import type { Device, HostArray, Launch } from "../../kernels/device.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { generate, reserveGeneration } from "../../model/generation/generate.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { noting } from "../kernels/_card.ts";
import { headGradients } from "../../model/layers/head.ts";
import { linearScratch } from "../../model/layers/linear.ts";
import { Scope } from "../../kernels/scope.ts";
import { adaptedModel, randomModel } from "./_model.ts";

/** Long are the sums over the vocabulary, over the inner width and, of 9 texts, over the rows. */
const CONFIG = {
  ...{ vocab_size: 2051, n_positions: 64, n_embd: 16, n_layer: 1, n_head: 2, n_inner: 2052 },
};
const TEXTS = Array.from(
  { length: 9 },
  (_, b) => Int32Array.from({ length: 64 }, (_, t) => (t * t * 7 + b * 331) % 2051),
);

/** Loss and gradients of a step, and the launches of it. */
async function stepOf(
  device: Device,
  make: typeof randomModel,
): Promise<{ loss: number; gradients: HostArray[] }> {
  const lora = make === adaptedModel ? { rank: 4, alpha: 5, targets: "all-linear" } : undefined;
  using model = make(device, CONFIG, { valueHead: false, lora });
  model.languageModel(languageModelRows(TEXTS));
  const loss = await model.readLoss();
  return { loss, gradients: await device.read(...model.optimizer!.gradients.arenas) };
}

for (const [name, make] of [["weights", randomModel], ["an adapter", adaptedModel]] as const) {
  Deno.test(`long sums in parts give the gradients of ${name}, in f64 to 1e-11`, async () => {
    using device = new CpuDevice({ precision: "f64" });
    const launches: Launch[] = [];
    const want = await stepOf(device, make);
    const got = await stepOf(noting(device, launches, { card: true }), make);
    assert.ok(Math.abs(got.loss - want.loss) < 1e-11 * want.loss, `${got.loss} ${want.loss}`);
    got.gradients.forEach((g, i) => assertRelative(g, want.gradients[i], `arena ${i}`, 1e-11));
    const cut = launches.filter(({ kernel }) => kernel.label.endsWith(".part"))
      .map(({ kernel, dims: { M, N, K } }) => `${kernel.variant!.slice(0, 2)} ${M} ${N} ${K}`);
    assert.deepEqual(cut, CUT[name]);
  });
}

/** Products that are cut, each with M, N and K, in order: 9 texts are 576 rows, and as many targets. */
const CUT = {
  "weights": [
    "NN 576 16 2052", // MLP out
    "NN 576 16 2051", // gradient of the hidden states before the head
    "TN 2051 16 576", // and of the head
    "TN 2052 16 576", // of MLP out
    "NT 576 16 2052", // of what goes into the MLP
    ...["TN 16 2052 576", "TN 16 16 576", "TN 16 48 576"], // of the other weights
  ],
  "an adapter": [
    ...["NN 576 16 2052", "NT 576 4 2052"], // MLP out, and x A'
    "NN 576 16 2051",
    ...["NT 576 4 2052", "TN 16 4 576", "TN 4 2052 576"], // backward: x A' again, dB, dA
    ...["NT 576 16 2052", "NN 576 4 2052", "TN 2052 4 576", "TN 4 16 576"], // MLP in: dx, dh, dB, dA
    ...["TN 16 4 576", "TN 4 16 576", "TN 48 4 576", "TN 4 16 576"], // of attention
  ],
};

Deno.test("sums in parts overwrite gradients that are zero, and are added to others", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const launches: Launch[] = [], card = noting(device, launches, { card: true });
  using model = randomModel(card, CONFIG, { valueHead: false });
  const { gradients } = model.optimizer!;
  const matrices = gradients.layout.parameters.map(({ name }) => name)
    .filter((name) => /^h\..*(attn|mlp)\..*weight$/.test(name));
  const pass = async () => {
    model.languageModel(languageModelRows(TEXTS));
    return await device.read(...matrices.map((name) => gradients.get(name)));
  };
  /** Second steps of weights, noted when a pass is recorded: M, N, and whether they add. */
  const combined = () =>
    launches.splice(0).filter(({ kernel }) => kernel.label === "matmul_combine.plain")
      .map(({ dims: { M, N, accumulate } }) => `${M} ${N} ${accumulate}`)
      .filter((line) => line !== "576 16 0");
  const weights = ["2051 16", "2052 16", "16 2052", "16 16", "16 48"];
  const want = await pass();
  assert.deepEqual(combined(), weights.map((size) => `${size} 0`));
  model.zeroGradient();
  for (const name of matrices) {
    const tensor = gradients.get(name);
    device.write(tensor, new Float32Array(tensor.length).fill(5));
  }
  assert.deepEqual(await pass(), want);
  launches.splice(0);
  const twice = await pass();
  assert.deepEqual(combined(), weights.map((size) => `${size} 1`));
  twice.forEach((got, i) => assertRelative(got, want[i].map((x) => 2 * x), matrices[i], 1e-11));
});

const OPTIONS: Record<string, Gpt2Options> = {
  "a policy": { valueHead: true },
  "an adapter": { lora: { rank: 4, alpha: 5, targets: "all-linear" } },
  "a reference": { frozen: true },
};

for (const [name, options] of Object.entries(OPTIONS)) {
  testOnDevices(`${name} with long sums: the plan is the peak of use`, async (device) => {
    const card = noting(device, [], { card: true });
    const reserve = (model: Gpt2): void => {
      reserveGeneration(model, { prompts: 9, promptTokens: 60, maxNewTokens: 4 });
      model.reserve({ B: 9, T: 64, R: 567 });
    };
    const counting = new CountingDevice(card), onProcessor = new CountingDevice(device);
    for (const on of [counting, onProcessor]) {
      using model = Gpt2.empty(on, CONFIG, options);
      reserve(model);
    }
    assert.ok(counting.memory.peak > onProcessor.memory.peak, "parts take memory");
    using model = Gpt2.empty(card, CONFIG, options);
    await generate(model, TEXTS.map((text) => text.subarray(0, 60)), {
      ...{ maxNewTokens: 4, eos: null },
    });
    const rows = languageModelRows(TEXTS);
    await model.evaluate(rows);
    if (model.optimizer) model.backward({ dlogprob: new Float64Array(rows.index.length) });
    await card.read(); // a device that is given back must be idle
    assert.ok(card.memory.peak <= counting.memory.peak);
    reserve(model);
    assert.equal(card.memory.peak, counting.memory.peak);
  });
}

Deno.test("scratch of long sums is as large as the products ask, and none for decoding", () => {
  const card = noting(new CpuDevice(), [], { card: true });
  const sizes = { N: 576, inFeatures: 2052, outFeatures: 16 };
  assert.equal(linearScratch(card, sizes), 2 * 576 * 16);
  assert.equal(linearScratch(card, { ...sizes, rank: 64 }), 2 * 576 * 64);
  assert.equal(linearScratch(card, { ...sizes, role: "decode" }), 0);
  assert.equal(linearScratch(card, { ...sizes, inFeatures: 2047 }), 0);
  using scope = new Scope(new CountingDevice(card));
  const head = { N: 90, R: 90, C: 16, V: 8200, chunk: 64, temperature: 1, value: false, eps: 1e-5 };
  assert.equal(headGradients(scope, head).partial.length, 8 * 64 * 16); // 64 rows at a time
});
