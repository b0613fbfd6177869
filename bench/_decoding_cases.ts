/** Kernels of decoding, as the benches run them. @module */
import { align } from "../kernels/tensor.ts";
import { attendKv, storeKv } from "../kernels/kv_cache.ts";
import { filter, filterControl } from "../kernels/filter.ts";
import { transpose } from "../kernels/transpose.ts";
import { sample, sampleControl } from "../kernels/sample.ts";
import { type KernelCase, noise, zeros } from "./_case.ts";
import type { Shape } from "./_shapes.ts";

/** The cache of keys and values, drawing a token, and copies of weights. */
export function decodingCases(shape: Shape): KernelCase[] {
  return [...cacheCases(shape), ...drawingCases(shape), copyCase(shape)];
}

/** A weight, as decoding reads it fastest on some adapters. */
function copyCase({ C, I }: Shape): KernelCase {
  const [R, columns] = [align(C), align(I)];
  return {
    name: "transpose",
    size: `R ${R} C ${columns}`,
    flop: 0,
    bytes: 4 * 2 * R * columns,
    data: () => ({ x: noise(R * columns), out: zeros(R * columns) }),
    outputs: ["out"],
    launch: (device, x) => transpose(device, x, { R, C: columns }),
  };
}

function cacheCases({ B, T, H, C, P }: Shape): KernelCase[] {
  const D = C / H, S = P;
  const cache = () => ({
    qkv: noise(B * 3 * C),
    position: new Uint32Array(B).fill(T - 1),
    source: Uint32Array.from({ length: B }, (_, b) => b),
    k: noise(B * S * C),
    v: noise(B * S * C),
  });
  return [{
    name: "store_kv",
    size: `B ${B} C ${C} S ${S}`,
    flop: 0,
    bytes: 4 * 4 * B * C,
    data: cache,
    outputs: ["k", "v"],
    launch: (device, x) => storeKv(device, x, { B, T: 1, H, D, S }),
  }, {
    name: "attend_kv",
    size: `B ${B} slots ${T} C ${C}`,
    flop: B * T * C * 4,
    bytes: 4 * (2 * B * T * C + 2 * B * C),
    data: () => ({ ...cache(), out: zeros(B * C) }),
    outputs: ["out"],
    launch: (device, x) => attendKv(device, x, { B, S, H, D }),
  }];
}

function drawingCases({ B, V }: Shape): KernelCase[] {
  // More places than runs, so that no run finds its rows full.
  const places = 8192, ld = align(V);
  return [{
    name: "sample",
    size: `B ${B} V ${V}`,
    flop: 0,
    bytes: 4 * B * V,
    data: () => ({
      // Few tokens share the probability, so that the last bit of a sum decides no draw.
      logits: noise(B * ld, 12),
      control: sampleControl({ seed: 1, stream: 1, temperature: 1 }),
      position: new Uint32Array(B),
      finished: new Uint32Array(B),
      drawn: new Uint32Array(B),
      token: new Uint32Array(B),
      tokens: new Uint32Array(B * places),
      logprobs: zeros(B * places),
    }),
    outputs: ["position", "drawn", "token", "tokens", "logprobs"],
    launch: (device, x) => sample(device, x, { B, V, ld, S: places }),
  }, {
    name: "filter, top-k 40 and top-p 0.9",
    size: `B ${B} V ${V}`,
    flop: 0,
    bytes: 4 * 2 * B * V,
    data: () => ({
      logits: noise(B * ld, 12),
      control: Uint32Array.from([
        ...sampleControl({ seed: 1, stream: 1, temperature: 1 }),
        ...filterControl({ topK: 40, topP: 0.9 }),
      ]),
      position: new Uint32Array(B),
      finished: new Uint32Array(B),
      tokens: new Uint32Array(B * places),
      filtered: zeros(B * ld),
      norm: zeros(B * 2),
      place: new Uint32Array(B),
    }),
    outputs: ["norm", "place"],
    launch: (device, x) => filter(device, x, { B, V, ld, S: places }),
  }];
}
