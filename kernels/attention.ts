/** Causal self-attention over ragged rows: the CPU definition and the launchers. @module */
import type { Device, FloatArray, Kernel, Launch, Tensor } from "./device.ts";
import code from "./attention.wgsl" with { type: "text" };
import naiveCode from "./attention_naive.wgsl" with { type: "text" };

/** B batch rows of T positions, H heads of D dimensions each; C = H * D. */
export interface AttentionDims {
  B: number;
  T: number;
  H: number;
  /** Head size, 1 to 128; multiples of 4 take the fast kernel. */
  D: number;
  /** Each row attends this many rows at most, itself the last of them. Default: all before it. */
  window?: number;
  /** Multiplies the scores q k'. Default, and for 0: 1 / sqrt(D). */
  scale?: number;
  /** Take the scalar kernel even where the fast one applies. */
  naive?: boolean;
}

/** Buffers, named as in the WGSL file. `lse` is written by forward and read by backward. */
export interface AttentionBuffers {
  /** (B, T, 3C), q | k | v of a row side by side, each as H heads of D. */
  qkv: Tensor;
  /** u32 (B): how many rows are real; they come first. */
  length: Tensor;
  /** (B, T, C), overwritten; 0 in padded rows. */
  out: Tensor;
  /** (B, H, T), overwritten. */
  lse: Tensor;
}

interface Arrays {
  qkv: FloatArray;
  length: Uint32Array;
  out: FloatArray;
  lse: FloatArray;
  dout: FloatArray;
  delta: FloatArray;
  dqkv: FloatArray;
}

const scaleOf = ({ D, scale }: AttentionDims): number => scale || 1 / Math.sqrt(D);

/** The definition of the forward pass: out = softmax(scale q k') v over positions t - window < j <= t. */
export function attentionTwin({ qkv, length, out, lse }: Arrays, dims: AttentionDims): void {
  const { B, T, H, D, window = T } = dims,
    C = H * D,
    scale = scaleOf(dims),
    score = new Float64Array(T),
    sumV = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
        const stat = (b * H + h) * T + t, first = Math.max(0, t + 1 - window);
        sumV.fill(0);
        let top = -Infinity, sum = 1;
        if (t < length[b]) {
          for (let j = first; j <= t; j++) {
            const k = (b * T + j) * 3 * C + C + h * D;
            let dot = 0;
            for (let d = 0; d < D; d++) dot += qkv[q + d] * qkv[k + d];
            score[j] = dot * scale;
            if (score[j] > top) top = score[j];
          }
          sum = 0;
          for (let j = first; j <= t; j++) {
            const p = Math.exp(score[j] - top), v = (b * T + j) * 3 * C + 2 * C + h * D;
            sum += p;
            for (let d = 0; d < D; d++) sumV[d] += p * qkv[v + d];
          }
        } else top = 0;
        for (let d = 0; d < D; d++) out[o + d] = sumV[d] / sum;
        lse[stat] = top + Math.log(sum);
      }
    }
  }
}

/** The definition of dq and of delta = dout . out. */
export function attentionBackwardQueryTwin(
  { qkv, length, out, lse, dout, delta, dqkv }: Arrays,
  dims: AttentionDims,
): void {
  const { B, T, H, D, window = T } = dims;
  const C = H * D, scale = scaleOf(dims), dq = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
        const stat = (b * H + h) * T + t;
        dq.fill(0);
        let sum = 0;
        if (t < length[b]) {
          for (let d = 0; d < D; d++) sum += dout[o + d] * out[o + d];
          for (let j = Math.max(0, t + 1 - window); j <= t; j++) {
            const k = (b * T + j) * 3 * C + C + h * D, v = k + C;
            let s = 0, dp = 0;
            for (let d = 0; d < D; d++) {
              s += qkv[q + d] * qkv[k + d];
              dp += dout[o + d] * qkv[v + d];
            }
            const ds = Math.exp(s * scale - lse[stat]) * (dp - sum) * scale;
            for (let d = 0; d < D; d++) dq[d] += ds * qkv[k + d];
          }
        }
        delta[stat] = sum;
        for (let d = 0; d < D; d++) dqkv[q + d] = dq[d];
      }
    }
  }
}

/** The definition of dk and dv; reads delta. */
export function attentionBackwardKeyTwin(
  { qkv, length, lse, dout, delta, dqkv }: Arrays,
  dims: AttentionDims,
): void {
  const { B, T, H, D, window = T } = dims;
  const C = H * D, scale = scaleOf(dims), dk = new Float64Array(D), dv = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let j = 0; j < T; j++) {
        const k = (b * T + j) * 3 * C + C + h * D, v = k + C;
        dk.fill(0);
        dv.fill(0);
        for (let t = j; t < Math.min(length[b], j + window); t++) {
          const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
          const stat = (b * H + h) * T + t;
          let s = 0, dp = 0;
          for (let d = 0; d < D; d++) {
            s += qkv[q + d] * qkv[k + d];
            dp += dout[o + d] * qkv[v + d];
          }
          const p = Math.exp(s * scale - lse[stat]), ds = p * (dp - delta[stat]) * scale;
          for (let d = 0; d < D; d++) {
            dv[d] += p * dout[o + d];
            dk[d] += ds * qkv[q + d];
          }
        }
        for (let d = 0; d < D; d++) {
          dqkv[k + d] = dk[d];
          dqkv[v + d] = dv[d];
        }
      }
    }
  }
}

/**
 * `window`, or all `rows` where that is fewer or none is given.
 * @throws {RangeError} when it is no positive integer
 */
export function windowWithin(rows: number, window = rows): number {
  if (!(Number.isInteger(window) && window >= 1)) {
    throw new RangeError(`Cannot attend as each row attends itself at least: window is ${window}`);
  }
  return Math.min(window, rows);
}

const LANES = 32; // rows a workgroup owns: short, so that causal rows near the start end early

function launch(
  device: Device,
  [entry, twin]: [entry: string, twin: Kernel["twin"]],
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
  const file = fast ? `attention_d${D}` : "attention_naive";
  device.launch({
    kernel: {
      label: `${file}.${entry}`,
      code: fast ? code.replace("const D4 = 8u;", `const D4 = ${D / 4}u;`) : naiveCode,
      twin,
      workgroup: LANES,
      constants: { SCALE: scale },
    },
    dims: { B, T, H, D, window: windowWithin(T, window), scale },
    bind,
    groups: [Math.ceil(T / LANES), H, B],
  });
}

/**
 * Enqueues the forward pass: each real row attends itself and the rows before it, as far as `window`.
 * @throws {RangeError} when D is not 1 to 128, the window not positive, or a buffer too small
 */
export function attention(device: Device, x: AttentionBuffers, dims: AttentionDims): void {
  const { B, T, H, D } = dims, N = B * T, C = H * D;
  launch(device, ["forward", attentionTwin], {
    qkv: [x.qkv, N * 3 * C],
    length: [x.length, B],
    out: [x.out, N * C],
    lse: [x.lse, B * H * T],
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
    length: [x.length, B],
    lse: [x.lse, B * H * T],
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
