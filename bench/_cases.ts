/** Every kernel as the benches run it: data, launches, outputs, and what the work amounts to. @module */
import { adamw, hyperOf } from "../kernels/adamw.ts";
import { add } from "../kernels/add.ts";
import { attention, attentionBackward } from "../kernels/attention.ts";
import { columnSum, columnSumScratch } from "../kernels/column_sum.ts";
import { align } from "../kernels/tensor.ts";
import { embedding, embeddingBackward } from "../kernels/embedding.ts";
import { tokenIndex } from "../kernels/token_index.ts";
import { gelu, geluBackward } from "../kernels/gelu.ts";
import { globalNorm, globalNormScratch } from "../kernels/global_norm.ts";
import { attendKv, storeKv } from "../kernels/kv_cache.ts";
import { layernorm, layernormBackward, layernormScratch } from "../kernels/layernorm.ts";
import { filter, filterControl } from "../kernels/filter.ts";
import { gatherRows, scatterRows } from "../kernels/rows.ts";
import { sample, sampleControl } from "../kernels/sample.ts";
import { softmax, softmaxBackward } from "../kernels/softmax.ts";
import { tokenLogprob, tokenLogprobBackward } from "../kernels/token_logprob.ts";
import { valueHead, valueHeadBackward, valueHeadScratch } from "../kernels/value_head.ts";
import { ids, type KernelCase, noise } from "./_case.ts";
import { encoderCases } from "./_encoder_cases.ts";
import { products } from "./_products.ts";
import type { Shape } from "./_shapes.ts";

const zeros = (n: number): Float32Array<ArrayBuffer> => new Float32Array(n);
const filled = (n: number, value: number): Float32Array<ArrayBuffer> => zeros(n).fill(value);

/** All cases of a shape. Gradients that are added to are counted as read and written. */
export function kernelCases(shape: Shape): KernelCase[] {
  return [
    ...products(shape),
    ...attentionCases(shape),
    ...decodingCases(shape),
    ...rowCases(shape),
    ...vocabularyCases(shape),
    ...optimizerCases(shape),
    ...encoderCases(shape),
  ];
}

function attentionCases({ B, T, H, C }: Shape): KernelCase[] {
  const D = C / H, N = B * T, pairs = B * H * T * (T + 1) / 2;
  const size = `B ${B} T ${T} H ${H} D ${D}`;
  const input = () => ({
    qkv: noise(N * 3 * C),
    length: new Uint32Array(B).fill(T),
    out: zeros(N * C),
    lse: filled(B * H * T, 4), // where forward did not run: above every score
  });
  return [false, true].flatMap((naive): KernelCase[] => [{
    name: `attention${naive ? ", naive" : ""}`,
    size,
    flop: pairs * 4 * D, // q k' and p v
    bytes: 4 * (4 * N * C + B * H * T),
    data: input,
    outputs: ["out", "lse"],
    launch: (device, x) => attention(device, x, { B, T, H, D, naive }),
    onlyWebgpu: naive,
  }, {
    name: `attention backward${naive ? ", naive" : ""}`,
    size,
    flop: pairs * 14 * D, // scores and dout v' twice; dq, dk, dv
    bytes: 4 * (8 * N * C + 2 * B * H * T),
    data: () => ({
      ...input(),
      out: noise(N * C),
      dout: noise(N * C, 0.1),
      delta: zeros(B * H * T),
      dqkv: zeros(N * 3 * C),
    }),
    outputs: ["delta", "dqkv"],
    launch: (device, x) => attentionBackward(device, x, { B, T, H, D, naive }),
    onlyWebgpu: naive,
  }]);
}

function decodingCases({ B, T, H, C, P, V }: Shape): KernelCase[] {
  const D = C / H, S = P;
  const cache = () => ({
    qkv: noise(B * 3 * C),
    position: new Uint32Array(B).fill(T - 1),
    k: noise(B * S * C),
    v: noise(B * S * C),
  });
  // More places than runs, so that no run finds its rows full.
  const places = 8192, ld = align(V);
  return [{
    name: "store_kv",
    size: `B ${B} C ${C} S ${S}`,
    flop: 0,
    bytes: 4 * 4 * B * C,
    data: cache,
    outputs: ["k", "v"],
    launch: (device, x) => storeKv(device, x, { B, T: 1, C, S }),
  }, {
    name: "attend_kv",
    size: `B ${B} slots ${T} C ${C}`,
    flop: B * T * C * 4,
    bytes: 4 * (2 * B * T * C + 2 * B * C),
    data: () => ({ ...cache(), out: zeros(B * C) }),
    outputs: ["out"],
    launch: (device, x) => attendKv(device, x, { B, S, H, D }),
  }, {
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

function rowCases({ B, T, C, I, V, P }: Shape): KernelCase[] {
  const N = B * T, size = `N ${N} C ${C}`, wide = N * I;
  const token = () => ids(N, V);
  const norm = () => ({
    x: noise(N * C),
    weight: noise(C),
    bias: noise(C),
    mean: zeros(N),
    rstd: filled(N, 1),
  });
  const lookup: KernelCase = {
    name: "embedding",
    size,
    flop: 0,
    bytes: 4 * 3 * N * C,
    data: () => ({
      token: token(),
      position: Uint32Array.from({ length: N }, (_, n) => n % T),
      wte: noise(V * C),
      wpe: noise(P * C),
      out: zeros(N * C),
    }),
    outputs: ["out"],
    launch: (device, x) => embedding(device, x, { N, C, V, P }),
  };
  return [lookup, {
    ...lookup,
    name: "embedding, f16",
    bytes: (2 * 2 + 4) * N * C,
    half: ["wte", "wpe"],
  }, {
    name: "embedding backward",
    size,
    flop: 0,
    bytes: 4 * 5 * N * C,
    data: () => ({
      dout: noise(N * C),
      dwte: zeros(V * C),
      dwpe: zeros(P * C),
      ...tokenIndex(token()),
    }),
    outputs: ["dwte", "dwpe"],
    launch: (device, x) => embeddingBackward(device, x, { B, T, C, V, P }),
  }, {
    name: "layernorm",
    size,
    flop: 0,
    bytes: 4 * 2 * N * C,
    data: () => ({ ...norm(), out: zeros(N * C) }),
    outputs: ["out", "mean", "rstd"],
    launch: (device, x) => layernorm(device, x, { N, C, eps: 1e-5 }),
  }, {
    name: "layernorm backward",
    size,
    flop: 0,
    bytes: 4 * 6 * N * C, // x and dout twice, dx in and out
    data: () => ({
      ...norm(),
      dout: noise(N * C),
      dx: zeros(N * C),
      dweight: zeros(C),
      dbias: zeros(C),
      scratch: zeros(layernormScratch({ N, C })),
    }),
    outputs: ["dx", "dweight", "dbias"],
    launch: (device, x) => layernormBackward(device, x, { N, C }),
  }, {
    name: "column_sum",
    size: `N ${N} C ${I}`,
    flop: 0,
    bytes: 4 * wide,
    data: () => ({
      x: noise(wide),
      out: zeros(I),
      scratch: zeros(columnSumScratch({ N, C: I })),
    }),
    outputs: ["out"],
    launch: (device, x) => columnSum(device, x, { N, C: I }),
  }, {
    name: "gelu",
    size: `N ${wide}`,
    flop: 0,
    bytes: 4 * 2 * wide,
    data: () => ({ x: noise(wide, 3), out: zeros(wide) }),
    outputs: ["out"],
    launch: (device, x) => gelu(device, x, { N: wide }),
  }, {
    name: "gelu backward",
    size: `N ${wide}`,
    flop: 0,
    bytes: 4 * 3 * wide,
    data: () => ({ x: noise(wide, 3), dout: noise(wide), dx: zeros(wide) }),
    outputs: ["dx"],
    launch: (device, x) => geluBackward(device, x, { N: wide }),
  }, {
    name: "add",
    size: `N ${N * C}`,
    flop: 0,
    bytes: 4 * 3 * N * C,
    data: () => ({ a: noise(N * C), b: noise(N * C, 2), out: zeros(N * C) }),
    outputs: ["out"],
    launch: (device, x) => add(device, x, { N: N * C }),
  }];
}

function vocabularyCases({ B, T, C, V, R }: Shape): KernelCase[] {
  const N = B * T, ld = align(V), size = `N ${R} V ${V}`;
  const logits = () => ({
    logits: noise(R * ld, 3),
    token: ids(R, V),
    logprob: zeros(R),
    entropy: filled(R, 5),
    lse: filled(R, 9),
  });
  const rows = () => Uint32Array.from({ length: R }, (_, r) => Math.floor(r * N / R));
  return [{
    name: "softmax",
    size,
    flop: 0,
    bytes: 4 * 2 * R * V,
    data: () => ({ x: noise(R * V, 3), out: zeros(R * V) }),
    outputs: ["out"],
    launch: (device, x) => softmax(device, x, { N: R, V }),
  }, {
    name: "softmax backward",
    size,
    flop: 0,
    bytes: 4 * 3 * R * V,
    data: () => ({ out: noise(R * V), dout: noise(R * V), dx: zeros(R * V) }),
    outputs: ["dx"],
    launch: (device, x) => softmaxBackward(device, x, { N: R, V }),
  }, {
    name: "token_logprob",
    size,
    flop: 0,
    bytes: 4 * R * V,
    data: logits,
    outputs: ["logprob", "entropy", "lse"],
    launch: (device, x) => tokenLogprob(device, x, { N: R, V, ld, temperature: 1 }),
  }, {
    name: "token_logprob backward",
    size,
    flop: 0,
    bytes: 4 * 2 * R * V,
    data: () => ({ ...logits(), dlogprob: noise(R), dentropy: noise(R, 0.1) }),
    outputs: ["logits"],
    launch: (device, x) => tokenLogprobBackward(device, x, { N: R, V, ld, temperature: 1 }),
  }, {
    name: "value_head",
    size: `N ${R} C ${C}`,
    flop: 0,
    bytes: 4 * R * C,
    data: () => ({ x: noise(R * C), weight: noise(C), bias: noise(1), value: zeros(R) }),
    outputs: ["value"],
    launch: (device, x) => valueHead(device, x, { N: R, C }),
  }, {
    name: "value_head backward",
    size: `N ${R} C ${C}`,
    flop: 0,
    bytes: 4 * 3 * R * C,
    data: () => ({
      x: noise(R * C),
      weight: noise(C),
      dvalue: noise(R),
      dx: zeros(R * C),
      dweight: zeros(C),
      dbias: zeros(1),
      scratch: zeros(valueHeadScratch({ N: R, C })),
    }),
    outputs: ["dx", "dweight", "dbias"],
    launch: (device, x) => valueHeadBackward(device, x, { N: R, C }),
  }, {
    name: "gather_rows",
    size: `N ${R} of ${N} C ${C}`,
    flop: 0,
    bytes: 4 * 2 * R * C,
    data: () => ({ x: noise(N * C), index: rows(), out: zeros(R * C) }),
    outputs: ["out"],
    launch: (device, x) => gatherRows(device, x, { N: R, R: N, C }),
  }, {
    name: "scatter_rows",
    size: `N ${R} of ${N} C ${C}`,
    flop: 0,
    bytes: 4 * 3 * R * C,
    data: () => ({ dout: noise(R * C), index: rows(), dx: zeros(N * C) }),
    outputs: ["dx"],
    launch: (device, x) => scatterRows(device, x, { N: R, R: N, C }),
  }];
}

function optimizerCases({ parameters: N }: Shape): KernelCase[] {
  return [{
    name: "global_norm",
    size: `N ${N}`,
    flop: 0,
    bytes: 4 * N,
    data: () => ({
      grad: noise(N),
      scratch: zeros(globalNormScratch([{ length: N }])),
      norm: zeros(2),
    }),
    outputs: ["norm"],
    launch: (device, { grad, scratch, norm }) =>
      globalNorm(device, { grads: [grad], scratch, norm }, { maxNorm: 1 }),
  }, {
    name: "adamw",
    size: `N ${N}`,
    flop: 0,
    bytes: 4 * 8 * N, // weight, grad and both moments, in and out
    data: () => ({
      weight: noise(N),
      grad: noise(N),
      m: zeros(N),
      v: zeros(N),
      // Slow averages: moments that fade for hundreds of runs must not become denormal, which is slow.
      hyper: Float32Array.from(hyperOf({ lr: 1e-3, beta1: 0.999, weightDecay: 0.1 }, 1)),
      norm: Float32Array.of(1, 1),
    }),
    outputs: ["weight", "grad", "m", "v"],
    launch: (device, x) => adamw(device, x, { N, decay: 1 }),
  }];
}
