/** A small model with random parameters of every kind, and what tests read of it. @module */
import type { Device, FloatArray } from "../../kernels/device.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import type { ParameterBuffers } from "../../model/params.ts";
import { fillNormal } from "../../model/random.ts";
import type { Rows } from "../../model/rows.ts";

/** Sizes chosen so that no two of them are equal. */
export const SMALL = {
  vocab_size: 11,
  n_positions: 9,
  n_embd: 6,
  n_layer: 2,
  n_head: 2,
  n_inner: 10,
};

/** The same as a GPT-Neo with one global and one local layer. */
export const SMALL_NEO = {
  model_type: "gpt_neo",
  vocab_size: 11,
  max_position_embeddings: 9,
  hidden_size: 6,
  num_layers: 2,
  num_heads: 2,
  intermediate_size: 10,
  attention_types: [[["local", "global"], 1]],
  window_size: 3,
};

/** As `Gpt2.create`, but with every bias, gain and value head random: zeros and ones hide mistakes. */
export function randomModel(
  device: Device,
  config: object = SMALL,
  options: Gpt2Options = {},
): Gpt2 {
  const model = Gpt2.create(device, config, { valueHead: true, ...options });
  model.weights.layout.parameters.forEach(({ name, length, shape }, parameter) => {
    const data = new Float32Array(length);
    fillNormal(data, { std: 0.4, seed: 5, parameter });
    if (shape.length === 1 && name.endsWith("weight")) data.forEach((x, i) => data[i] = 1 + x);
    device.write(model.weights.get(name), data);
  });
  return model;
}

/** A random model with an adapter whose A, B and value head are random too. */
export function adaptedModel(
  device: Device,
  config: object = SMALL,
  options: Gpt2Options = {},
): Gpt2 {
  const lora = { rank: 3, alpha: 5, targets: "all-linear", rslora: true };
  const model = randomModel(device, config, { lora, ...options });
  const { parameters: store } = model.adapter!;
  store.layout.parameters.forEach(({ name, length }, parameter) => {
    const data = new Float32Array(length);
    fillNormal(data, { std: 0.3, seed: 6, parameter });
    device.write(store.get(name), data);
  });
  return model;
}

/** What f16 makes of the matrices in `store`, written back as f32. */
export async function roundMatrices(store: ParameterBuffers): Promise<void> {
  for await (const [{ name, shape }, data] of store.read()) {
    if (shape.length < 2 || name === "v_head.weight") continue;
    store.device.write(store.get(name), new Float32Array(new Float16Array(data)));
  }
}

/** Every gradient, by parameter. */
export async function gradients(model: Gpt2): Promise<Map<string, FloatArray>> {
  const all = new Map<string, FloatArray>();
  for await (const [{ name }, data] of model.optimizer!.gradients.read()) {
    all.set(name, data.slice() as FloatArray);
  }
  return all;
}

/** A deterministic spread of numbers between -1 and 1. */
export const wave = (n: number, phase = 1): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(i * i + phase));

/** Takes `steps` steps along fixed gradients of what `evaluate` tells of `rows`. */
export async function trained(model: Gpt2, rows: Rows, steps = 3): Promise<Gpt2> {
  const R = rows.index.length;
  for (let step = 0; step < steps; step++) {
    await model.evaluate(rows);
    model.backward({ dlogprob: wave(R, 1), dentropy: wave(R, 2), dvalue: wave(R, 3) });
    model.step(0.1);
  }
  return model;
}

/** Counts the calls of `device.read` until it is disposed. */
export function countReads(device: Device): Disposable & { count: number } {
  const { read } = device;
  const counter = { count: 0, [Symbol.dispose]: () => void (device.read = read) };
  device.read = (...tensors) => {
    counter.count++;
    return read.apply(device, tensors);
  };
  return counter;
}
