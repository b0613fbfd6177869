/** Matrix products as a model runs them, and each kernel side by side. @module */
import { align } from "../kernels/tensor.ts";
import { matmul, type MatmulDims, type MatmulVariant } from "../kernels/matmul.ts";
import { partFor } from "../kernels/matmul_choice.ts";
import { partialScratch } from "../kernels/matmul_parts.ts";
import { type KernelCase, noise, zeros } from "./_case.ts";
import type { Shape } from "./_shapes.ts";

/** All products of one layer's kinds and of the head, and each kernel in each orientation. */
export function products(shape: Shape): KernelCase[] {
  const { B, T, C, I, V, R } = shape;
  const N = B * T, ld = align(V);
  return [
    product("qkv", { M: N, N: 3 * C, K: C, orientation: "NN" }, ["bias"]),
    product("attention's output", { M: N, N: C, K: C, orientation: "NN" }, ["bias", "residual"]),
    product("MLP in", { M: N, N: I, K: C, orientation: "NN", activation: "gelu" }, ["bias", "pre"]),
    product("MLP out", { M: N, N: C, K: I, orientation: "NN" }, ["bias", "residual"]),
    product("logits", { M: R, N: V, K: C, orientation: "NT", ldOut: ld }),
    product("MLP in, dx", { M: N, N: C, K: I, orientation: "NT" }),
    product("MLP out, dx", { M: N, N: I, K: C, orientation: "NT", activation: "dgelu" }, ["pre"]),
    product("logits, dx", { M: R, N: C, K: V, orientation: "NN", ldA: ld }),
    product("MLP in, dw", { M: C, N: I, K: N, orientation: "TN", accumulate: true }),
    product("MLP out, dw", { M: I, N: C, K: N, orientation: "TN", accumulate: true }),
    product("logits, dw", { M: V, N: C, K: R, orientation: "TN", ldA: ld, accumulate: true }),
    ...inParts(shape),
    ...decoding(shape),
    ...halved(shape),
    ...comparison(shape),
  ];
}

/** How long parts are is asked for, so that it does not matter where. */
const ANY = { features: new Set<string>(), software: true };

type Extra = "bias" | "residual" | "pre";

/** A product as a case; its name says the orientation and the kernel. */
export function product(name: string, dims: MatmulDims, extras: readonly Extra[] = []): KernelCase {
  const { M, N, K, orientation, variant, accumulate } = dims;
  const columns = dims.ldOut ?? N;
  const sizeA = dims.ldA ? (orientation === "TN" ? K : M) * dims.ldA : M * K;
  const wide = extras.filter((extra) => extra !== "bias").length;
  return {
    name: `matmul ${orientation} ${name}${variant ? `, ${variant}` : ""}`,
    size: `M ${M} N ${N} K ${K}`,
    flop: 2 * M * N * K,
    bytes: 4 * (M * K + K * N + M * N * (1 + wide + (accumulate ? 1 : 0))),
    data: () => ({
      a: noise(sizeA),
      b: noise(K * N, 0.1),
      out: new Float32Array(M * columns),
      ...(extras.includes("bias") && { bias: noise(N) }),
      ...(extras.includes("residual") && { residual: noise(M * N) }),
      ...(extras.includes("pre") && { pre: noise(M * N) }),
      ...(dims.part && { partial: zeros(Math.max(1, partialScratch(ANY, dims, dims.part))) }),
    }),
    outputs: extras.includes("pre") && dims.activation === "gelu" ? ["out", "pre"] : ["out"],
    launch: (device, x) => matmul(device, x, dims),
  };
}

/** Products whose sums are taken in parts. */
function inParts({ B, T, C, I, V, R }: Shape): KernelCase[] {
  const N = B * T, ldA = align(V);
  const dx = { M: R, N: C, K: V, orientation: "NN", ldA, part: partFor(V, 16) } as const;
  const out = { M: N, N: C, K: I, orientation: "NN", part: partFor(I, 4) } as const;
  const dw = { M: I, N: C, K: N, orientation: "TN", part: partFor(N, 4) } as const;
  return [
    product("logits, dx, in parts", dx),
    product("MLP out, in parts", out, ["bias", "residual"]),
    product("MLP in, dx, in parts", { ...out, orientation: "NT" }),
    product("MLP out, dw, in parts", { ...dw, accumulate: true }),
  ];
}

/** The products of a decode step that differ: one row a sequence, or one alone. */
function decoding({ B, C, I, V }: Shape): KernelCase[] {
  const role = "decode", rows = [...new Set([1, B])];
  return rows.flatMap((M) => [
    product("a token's MLP out", { M, N: C, K: I, orientation: "NN", role }, ["bias", "residual"]),
    product("a token's logits", { M, N: V, K: C, orientation: "NT", ldOut: align(V), role }),
  ]);
}

/** Products by weights stored as f16: forward in two orientations, and the way back. */
function halved({ B, T, C, I, V, R }: Shape): KernelCase[] {
  const N = B * T, ldOut = align(V);
  const gelu = { M: N, N: I, K: C, orientation: "NN", activation: "gelu" } as const;
  const cases = [
    product("MLP in, f16", gelu, ["bias", "pre"]),
    product("logits, f16", { M: R, N: V, K: C, orientation: "NT", ldOut }),
    product("MLP in, dx, f16", { M: N, N: C, K: I, orientation: "NT" }),
  ];
  const weights = [I * C, V * C, C * I];
  return cases.map((f32, i) => ({ ...f32, half: ["b"], bytes: f32.bytes - 2 * weights[i] }));
}

/** The same product by each kernel; where subgroups have no 8 lanes there is none that shuffles. */
function comparison({ rowsOfPlain: N, C, I }: Shape): KernelCase[] {
  const variants: MatmulVariant[] = ["plain", "tile", "workgroup", "shuffle"];
  const orientations = [
    { M: N, N: I, K: C, orientation: "NN" },
    { M: N, N: C, K: I, orientation: "NT" },
    { M: C, N: I, K: N, orientation: "TN" },
  ] as const;
  return orientations.flatMap((dims) =>
    variants.map((variant) => ({
      ...product("by", { ...dims, variant }),
      onlyWebgpu: true,
      ...(variant === "shuffle" && { feature: "subgroups-8" }),
    }))
  );
}
