/** Kernels that work on rows of activations, as the benches run them. @module */
import { add } from "../kernels/add.ts";
import { columnSum, columnSumScratch } from "../kernels/column_sum.ts";
import { embedding, embeddingBackward } from "../kernels/embedding.ts";
import { gelu } from "../kernels/gelu.ts";
import { layernorm, layernormBackward, layernormScratch } from "../kernels/layernorm.ts";
import { mix } from "../kernels/mix.ts";
import { flatGroups, groupsIn } from "../tests/_row_groups.ts";
import { filled, ids, type KernelCase, noise, zeros } from "./_case.ts";
import type { Shape } from "./_shapes.ts";

/** Embedding, layer norm, column sums, GELU, addition and mixing. */
export function rowCases(shape: Shape): KernelCase[] {
  return [...embeddingCases(shape), ...normCases(shape), ...elementCases(shape)];
}

function embeddingCases({ B, T, C, V, P }: Shape): KernelCase[] {
  const N = B * T, size = `N ${N} C ${C}`;
  const token = () => ids(N, V), position = () => Uint32Array.from({ length: N }, (_, n) => n % T);
  const lookup: KernelCase = {
    name: "embedding",
    size,
    flop: 0,
    bytes: 4 * 3 * N * C,
    data: () => ({
      token: token(),
      position: position(),
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
      ...flatGroups("token", token()),
      ...flatGroups("position", position()),
    }),
    outputs: ["dwte", "dwpe"],
    launch: (device, x) => {
      const groups = { tokens: groupsIn("token", x), positions: groupsIn("position", x) };
      embeddingBackward(device, { ...x, ...groups }, { N, C, V, P });
    },
  }];
}

function normCases({ B, T, C, I }: Shape): KernelCase[] {
  const N = B * T, size = `N ${N} C ${C}`, wide = N * I;
  const norm = () => ({
    x: noise(N * C),
    weight: noise(C),
    bias: noise(C),
    mean: zeros(N),
    rstd: filled(N, 1),
  });
  return [{
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
  }];
}

function elementCases({ B, T, C, I }: Shape): KernelCase[] {
  const N = B * T, wide = N * I;
  return [{
    name: "gelu",
    size: `N ${wide}`,
    flop: 0,
    bytes: 4 * 2 * wide,
    data: () => ({ x: noise(wide, 3), out: zeros(wide) }),
    outputs: ["out"],
    launch: (device, x) => gelu(device, x, { N: wide }),
  }, {
    name: "add",
    size: `N ${N * C}`,
    flop: 0,
    bytes: 4 * 3 * N * C,
    data: () => ({ a: noise(N * C), b: noise(N * C, 2), out: zeros(N * C) }),
    outputs: ["out"],
    launch: (device, x) => add(device, x, { N: N * C }),
  }, {
    name: "mix",
    size: `N ${N * C}`,
    flop: 0,
    bytes: 4 * 3 * N * C,
    data: () => ({ x: noise(N * C), out: zeros(N * C) }),
    outputs: ["out"],
    launch: (device, x) => mix(device, x, { N: N * C, alpha: 0.6, beta: 0.4 }),
  }];
}
