/** Causal self-attention over ragged rows and trees of texts: the launchers. @module */
import type { Device, Kernel, Launch, Tensor } from "./device.ts";
import {
  attentionBackwardKeyTwin,
  attentionBackwardQueryTwin,
  attentionTwin,
} from "./attention_cpu.ts";
import { formOf, lanesOf } from "./attention_form.ts";
import { attentionCode, type AttentionForm, lanesOfRow } from "./attention_text.ts";
import naiveCode from "./attention_naive.wgsl" with { type: "text" };

/** B batch rows of T positions, H heads of D dimensions each; C = H * D. */
export interface AttentionDims {
  B: number;
  T: number;
  H: number;
  /** Head size, 1 to 128; multiples of 4 take the fast kernel. */
  D: number;
  /** Each row attends this many positions at most, its own the last of them. Default: all before it. */
  window?: number;
  /** Multiplies the scores q k'. Default, and for 0: 1 / sqrt(D). */
  scale?: number;
  /** Take the scalar kernel even where the fast one applies. */
  naive?: boolean;
  /** How lanes come by rows, see `AttentionForm`. Default: what the adapter is best at. */
  form?: AttentionForm;
}

/** One of attention's kernels; {} is the adapter's own. */
export type AttentionKernel = Pick<AttentionDims, "naive" | "form">;

/** Buffers, named as in the WGSL file. `lse` is written by forward and read by backward. */
export interface AttentionBuffers {
  /** (B, T, 3C), q | k | v of a row side by side, each as H heads of D. */
  qkv: Tensor;
  /** u32 (B, T): the first row past all that continue this one; 0 in padded rows. See `plainEnds`. */
  end: Tensor;
  /** u32 (B, T): how many rows this one continues, at most one more than the row before it does. */
  position: Tensor;
  /** (B, T, C), overwritten; 0 in padded rows. */
  out: Tensor;
  /** (B, H, T, 2), overwritten: each query's largest score, and log sum exp of the scores less that one. */
  lse: Tensor;
}

/**
 * `end` of a plain batch, (B, T): each of its rows holds one text of that length and then padding.
 * For a tree of texts see attention.wgsl.
 */
export function plainEnds(
  lengths: ArrayLike<number>,
  { B, T }: Pick<AttentionDims, "B" | "T">,
): Uint32Array<ArrayBuffer> {
  const end = new Uint32Array(B * T);
  for (let b = 0; b < lengths.length; b++) end.fill(lengths[b], b * T, b * T + lengths[b]);
  return end;
}

/**
 * `window`, or all `rows` where that is fewer or none is given.
 * @throws {RangeError} when it is not a positive integer
 */
export function windowWithin(rows: number, window = rows): number {
  if (!(Number.isInteger(window) && window >= 1)) {
    throw new RangeError(`Cannot attend as each row attends itself at least: window is ${window}`);
  }
  return Math.min(window, rows);
}

function launch(
  device: Device,
  [entryPoint, twin]: [entryPoint: string, twin: Kernel["twin"]],
  bind: Launch["bind"],
  dims: AttentionDims,
): void {
  const { B, T, H, D, window, scale = 0 } = dims;
  if (!Number.isInteger(D) || D < 1 || D > 128) {
    throw new RangeError(
      `Cannot run attention as a head has 1 to 128 dimensions: D is ${D}; use more heads`,
    );
  }
  const fast = D % 4 === 0 && !dims.naive;
  const form = fast ? formOf(device, dims) : "alone";
  const file = fast ? `attention_d${D}` : "attention_naive", lanes = lanesOf(form, dims);
  const rows = lanes / lanesOfRow(form, D);
  device.launch({
    kernel: {
      label: `${file}.${entryPoint}`,
      entryPoint,
      code: fast ? attentionCode(D, form) : naiveCode,
      twin,
      workgroup: lanes,
      variant: fast ? form : undefined,
      constants: { SCALE: scale, ...(fast && { ROWS: rows }) },
    },
    dims: { B, T, H, D, window: windowWithin(T, window), scale },
    bind,
    groups: [Math.ceil(T / rows), H, B],
  });
}

/**
 * Enqueues the forward pass: each real row attends itself and those that it continues, as far as `window`.
 * @throws {RangeError} when D is not 1 to 128, the window not positive, or a buffer too small
 */
export function attention(device: Device, x: AttentionBuffers, dims: AttentionDims): void {
  const { B, T, H, D } = dims, N = B * T, C = H * D;
  launch(device, ["forward", attentionTwin], {
    qkv: [x.qkv, N * 3 * C],
    end: [x.end, N],
    position: [x.position, N],
    out: [x.out, N * C],
    lse: [x.lse, B * H * T * 2],
  }, dims);
}

/**
 * Enqueues the backward pass: dout (B, T, C) gives dqkv (B, T, 3C), overwritten, 0 in padded rows.
 * `delta` (B, H, T) is scratch. Needs `out` and `lse` from forward.
 * @throws {RangeError} when D is not 1 to 128, the window not positive, or a buffer too small
 */
export function attentionBackward(
  device: Device,
  x: AttentionBuffers & { dout: Tensor; delta: Tensor; dqkv: Tensor },
  dims: AttentionDims,
): void {
  const { B, T, H, D } = dims, N = B * T, C = H * D;
  const bind: Launch["bind"] = {
    qkv: [x.qkv, N * 3 * C],
    end: [x.end, N],
    position: [x.position, N],
    lse: [x.lse, B * H * T * 2],
    dout: [x.dout, N * C],
    delta: [x.delta, B * H * T],
    dqkv: [x.dqkv, N * 3 * C],
  };
  launch(device, ["backward_query", attentionBackwardQueryTwin], {
    ...bind,
    out: [x.out, N * C],
  }, dims);
  launch(device, ["backward_key", attentionBackwardKeyTwin], bind, dims);
}
