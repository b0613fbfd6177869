/**
 * An encoder's forward pass (Devlin et al. 2018, arXiv:1810.04805): attention in both directions, and
 * the norm behind each sum, where GPT-2 has it before each branch.
 *
 *   x      = layernorm(token[id] + position[t])
 *   middle = layernorm(x + attention(x Wqkv' + b) Wo' + b)         of each block
 *   x      = layernorm(middle + gelu(middle Wfc' + b) Wproj' + b)
 *
 * Weights are (out, in), so that each product is with the transpose. N = B * T rows, C channels, H
 * heads of size D, I inner width.
 * @module
 */
import { attendAll } from "../../kernels/attend_all.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { embedding } from "../../kernels/embedding.ts";
import { geluErf } from "../../kernels/gelu_erf.ts";
import { layernorm } from "../../kernels/layernorm.ts";
import { matmul } from "../../kernels/matmul.ts";
import type { Allocator } from "../workspace.ts";
import type { EncoderDims } from "./config.ts";
import type { EncoderWeights, Linear, Norm } from "./weights.ts";

/** A rectangular batch (B, T) of texts, padded at the end. */
export interface TextBatch {
  readonly B: number;
  readonly T: number;
  /** (B, T) ids below V, in the padding too. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** (B) real tokens of each text, 1 to T. */
  readonly lengths: Uint32Array<ArrayBuffer>;
}

/** What the pass leaves on the device; the next pass writes over it. */
export interface Encoded {
  /** (B, T, C) last hidden state; padded rows are finite and mean nothing. */
  readonly hidden: Tensor;
  /** u32 (B) */
  readonly length: Tensor;
}

/** Enqueues out (M, outFeatures) = x (M, inFeatures) weight' + bias [+ residual]. */
export function linear(
  device: Device,
  { x, by, out, residual }: { x: Tensor; by: Linear; out: Tensor; residual?: Tensor },
  { M, inFeatures, outFeatures }: { M: number; inFeatures: number; outFeatures: number },
): void {
  matmul(device, { a: x, b: by.weight, bias: by.bias, out, residual }, {
    M,
    N: outFeatures,
    K: inFeatures,
    orientation: "NT",
  });
}

/** Enqueues the whole pass over `batch`, with activations from `memory`. */
export function encode(
  device: Device,
  { weights, dims, memory }: { weights: EncoderWeights; dims: EncoderDims; memory: Allocator },
  { B, T, tokens, lengths }: TextBatch,
): Encoded {
  const { V, P, C, H, D, I, eps } = dims, N = B * T;
  const make = (name: string, size: number): Tensor =>
    memory.alloc(size, `encoder ${name}`, "f32", "activations");
  const [x, sum, middle, attended] = ["x", "sum", "middle", "attended"]
    .map((name) => make(name, N * C));
  const [qkv, pre, act] = [make("qkv", N * 3 * C), make("pre", N * I), make("act", N * I)];
  const stats = { mean: make("mean", N), rstd: make("rstd", N) };
  const integers = (name: string, data: Uint32Array<ArrayBuffer>): Tensor => {
    const tensor = memory.alloc(data.length, `encoder ${name}`, "u32", "activations");
    device.write(tensor, data);
    return tensor;
  };
  const token = integers("token", tokens), length = integers("length", lengths);
  const position = integers("position", Uint32Array.from({ length: N }, (_, n) => n % T));
  const normalise = (from: Tensor, { weight, bias }: Norm, out: Tensor): void =>
    layernorm(device, { x: from, weight, bias, out, ...stats }, { N, C, eps });

  const { token: wte, position: wpe } = weights;
  embedding(device, { token, position, wte, wpe, out: sum }, { N, C, V, P });
  normalise(sum, weights.norm, x);
  for (const { qkv: wqkv, out, norm1, fc, proj, norm2 } of weights.layers) {
    linear(device, { x, by: wqkv, out: qkv }, { M: N, inFeatures: C, outFeatures: 3 * C });
    attendAll(device, { qkv, length, out: attended }, { B, T, H, D });
    linear(device, { x: attended, by: out, residual: x, out: sum }, {
      M: N,
      inFeatures: C,
      outFeatures: C,
    });
    normalise(sum, norm1, middle);
    linear(device, { x: middle, by: fc, out: pre }, { M: N, inFeatures: C, outFeatures: I });
    geluErf(device, { x: pre, out: act }, { N: N * I });
    linear(device, { x: act, by: proj, residual: middle, out: sum }, {
      M: N,
      inFeatures: I,
      outFeatures: C,
    });
    normalise(sum, norm2, x);
  }
  return { hidden: x, length };
}
