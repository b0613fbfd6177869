/** The twins of causal self-attention, forward and backward. @module */
import type { AttentionDims } from "./attention.ts";
import type { FloatArray } from "./device.ts";

interface Arrays {
  qkv: FloatArray;
  end: Uint32Array;
  position: Uint32Array;
  out: FloatArray;
  lse: FloatArray;
  dout: FloatArray;
  delta: FloatArray;
  dqkv: FloatArray;
}

const scaleOf = ({ D, scale }: Pick<AttentionDims, "D" | "scale">): number =>
  scale || 1 / Math.sqrt(D);

/**
 * The definition of what is seen: query t sees key j <= t of its batch row b where the text that j
 * is part of goes on as far as t, and j is within the window. A padded row, of end 0, sees none.
 */
function visibility(
  { end, position }: Pick<Arrays, "end" | "position">,
  { T, window = T }: AttentionDims,
): (b: number, t: number, j: number) => boolean {
  return (b, t, j) => t < end[b * T + j] && position[b * T + t] - position[b * T + j] < window;
}

/** The definition of the forward pass: out = softmax(scale q k') v over the keys that are seen. */
export function attentionTwin({ qkv, out, lse, ...rows }: Arrays, dims: AttentionDims): void {
  const { B, T, H, D } = dims,
    C = H * D,
    scale = scaleOf(dims),
    sees = visibility(rows, dims),
    score = new Float64Array(T),
    sumV = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
        const stat = (b * H + h) * T + t;
        sumV.fill(0);
        let top = -Infinity, sum = 1;
        if (sees(b, t, t)) {
          for (let j = 0; j <= t; j++) {
            if (!sees(b, t, j)) continue;
            const k = (b * T + j) * 3 * C + C + h * D;
            let dot = 0;
            for (let d = 0; d < D; d++) dot += qkv[q + d] * qkv[k + d];
            score[j] = dot * scale;
            if (score[j] > top) top = score[j];
          }
          lse[2 * stat] = top;
          top = lse[2 * stat]; // as it is stored: backward subtracts the same
          sum = 0;
          for (let j = 0; j <= t; j++) {
            if (!sees(b, t, j)) continue;
            const p = Math.exp(score[j] - top), v = (b * T + j) * 3 * C + 2 * C + h * D;
            sum += p;
            for (let d = 0; d < D; d++) sumV[d] += p * qkv[v + d];
          }
        } else lse[2 * stat] = 0;
        for (let d = 0; d < D; d++) out[o + d] = sumV[d] / sum;
        lse[2 * stat + 1] = Math.log(sum);
      }
    }
  }
}

/** The definition of dq and of delta = dout . out. */
export function attentionBackwardQueryTwin(
  { qkv, out, lse, dout, delta, dqkv, ...rows }: Arrays,
  dims: AttentionDims,
): void {
  const { B, T, H, D } = dims;
  const C = H * D, scale = scaleOf(dims), sees = visibility(rows, dims), dq = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
        const stat = (b * H + h) * T + t;
        dq.fill(0);
        let sum = 0;
        if (sees(b, t, t)) {
          for (let d = 0; d < D; d++) sum += dout[o + d] * out[o + d];
          for (let j = 0; j <= t; j++) {
            if (!sees(b, t, j)) continue;
            const k = (b * T + j) * 3 * C + C + h * D, v = k + C;
            let s = 0, dp = 0;
            for (let d = 0; d < D; d++) {
              s += qkv[q + d] * qkv[k + d];
              dp += dout[o + d] * qkv[v + d];
            }
            const ds = Math.exp(s * scale - lse[2 * stat] - lse[2 * stat + 1]) * (dp - sum) * scale;
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
  { qkv, lse, dout, delta, dqkv, ...rows }: Arrays,
  dims: AttentionDims,
): void {
  const { B, T, H, D } = dims;
  const C = H * D, scale = scaleOf(dims), sees = visibility(rows, dims);
  const dk = new Float64Array(D), dv = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let j = 0; j < T; j++) {
        const k = (b * T + j) * 3 * C + C + h * D, v = k + C;
        dk.fill(0);
        dv.fill(0);
        for (let t = j; t < T; t++) {
          if (!sees(b, t, j)) continue;
          const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
          const stat = (b * H + h) * T + t;
          let s = 0, dp = 0;
          for (let d = 0; d < D; d++) {
            s += qkv[q + d] * qkv[k + d];
            dp += dout[o + d] * qkv[v + d];
          }
          const p = Math.exp(s * scale - lse[2 * stat] - lse[2 * stat + 1]);
          const ds = p * (dp - delta[stat]) * scale;
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
