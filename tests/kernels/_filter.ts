/** Filtering and drawing as a test runs them. @module */
import assert from "node:assert/strict";
import type { Device, HostArray, Tensor } from "../../kernels/device.ts";
import {
  filter,
  type FilterBuffers,
  filterControl,
  type SampleFilter,
  unfilteredLogprob,
} from "../../kernels/filter.ts";
import { sample, type SampleBuffers, sampleControl } from "../../kernels/sample.ts";
import { upload } from "../../kernels/tensor.ts";
import { wavesOf } from "./_waves.ts";

/** Filters, and how to draw from what they leave. */
export interface Setting extends SampleFilter {
  temperature?: number;
  greedy?: boolean;
}

export const wave = wavesOf(0.37);

/** The buffers that are written. */
export const NAMES = ["filtered", "norm", "place", "position", "tokens", "logprobs"] as const;

/**
 * Filters and draws `steps` times from the same logits (B, V), which lie in rows one number wider.
 * Each row starts with its `history`; all state is one element too long.
 */
export async function run(
  device: Device,
  logits: Float32Array,
  { V, steps = 1, once = false, seed = 1, history, finished = [], setting }: {
    V: number;
    steps?: number;
    /** Filters only before the first step. */
    once?: boolean;
    seed?: number;
    history?: number[][];
    finished?: number[];
    setting: Setting;
  },
): Promise<Record<typeof NAMES[number], HostArray>> {
  const B = logits.length / V, ld = V + 1, before = history?.[0].length ?? 1, S = before + steps;
  const wide = new Float32Array(B * ld).fill(9e9); // a kernel that reads the padding is seen to
  for (let b = 0; b < B; b++) wide.set(logits.subarray(b * V, (b + 1) * V), b * ld);
  const tokens = new Uint32Array(B * S + 1);
  history?.forEach((row, b) => tokens.set(row, b * S));
  const control = controlOf(setting, seed);
  const x = buffersOf(device, { B, S, ld, before, wide, tokens, control });
  device.write(x.finished, finished);
  const dims = { B, V, ld, S };
  const draw = () => sample(device, { ...x, logits: x.filtered }, dims);
  const all = device.record("filter and draw", () => {
    filter(device, x, dims);
    draw();
    unfilteredLogprob(device, x, dims);
  });
  const again = once ? device.record("draw", draw) : all;
  for (let step = 0; step < steps; step++) (step === 0 ? all : again).run();
  const read = await device.read(...NAMES.map((name) => x[name]));
  return Object.fromEntries(NAMES.map((name, i) => {
    const canary = { filtered: 0.125, norm: 0.125, logprobs: 0.125, tokens: 0 }[name as "norm"];
    assert.equal(read[i].at(-1), canary ?? 0xabcdef, `wrote past the last element of ${name}`);
    if (name !== "filtered") return [name, read[i].subarray(0, -1)];
    const narrow = new Float32Array(B * V);
    for (let b = 0; b < B; b++) narrow.set(read[i].subarray(b * ld, b * ld + V), b * V);
    return [name, narrow];
  })) as Record<typeof NAMES[number], HostArray>;
}

function controlOf(setting: Setting, seed: number): Uint32Array<ArrayBuffer> {
  const { temperature = 1, greedy } = setting, control = new Uint32Array(16);
  control.set(sampleControl({ seed, stream: 0, temperature, greedy }));
  control.set(filterControl(setting), 8);
  return control;
}

type Name = keyof FilterBuffers | keyof SampleBuffers;

function buffersOf(
  device: Device,
  { B, S, ld, before, wide, tokens, control }: {
    B: number;
    S: number;
    ld: number;
    before: number;
    wide: Float32Array<ArrayBuffer>;
    tokens: Uint32Array<ArrayBuffer>;
    control: Uint32Array<ArrayBuffer>;
  },
): Record<Name, Tensor> {
  const words = (n: number, value = 0) => {
    const data = new Uint32Array(n + 1).fill(value);
    data[n] = 0xabcdef;
    return upload(device, data, "words");
  };
  const floats = (n: number) => upload(device, new Float32Array(n + 1).fill(0.125), "floats");
  return {
    logits: upload(device, wide, "logits"),
    control: upload(device, control, "control"),
    position: words(B, before - 1),
    finished: words(B),
    drawn: words(B),
    token: words(B),
    tokens: upload(device, tokens, "tokens"),
    logprobs: floats(B * S),
    filtered: floats(B * ld),
    norm: floats(B * 2),
    place: words(B, 77),
  };
}
