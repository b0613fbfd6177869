/** Self-attention in both directions over ragged rows, forward only. @module */
import code from "./attend_all.wgsl" with { type: "text" };
import type { Device, FloatArray, Tensor } from "./device.ts";
import finite from "./fragments/finite.wgsl" with { type: "text" };
import { type Packed, packed, packSize } from "./fragments/pack.ts";

const LANES = 32; // query rows of one workgroup

type Arrays = Record<"qkv" | "out", FloatArray> & { length: Uint32Array };
/** B batch rows of T positions, H heads of D dimensions each; C = H * D. */
type Dims = Record<"B" | "T" | "H" | "D", number>;

/** The definition: out = softmax(q k' / sqrt(D)) v over positions j < length. */
export function attendAllTwin({ qkv, length, out }: Arrays, { B, T, H, D }: Dims): void {
  const C = H * D, scale = 1 / Math.sqrt(D);
  const score = new Float64Array(T), sumV = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    const end = Math.min(length[b], T);
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const q = (b * T + t) * 3 * C + h * D, o = (b * T + t) * C + h * D;
        sumV.fill(0);
        let top = -Infinity, sum = 1;
        if (t < end) {
          for (let j = 0; j < end; j++) {
            const k = (b * T + j) * 3 * C + C + h * D;
            let dot = 0;
            for (let d = 0; d < D; d++) dot += qkv[q + d] * qkv[k + d];
            score[j] = dot * scale;
            if (score[j] > top) top = score[j];
          }
          sum = 0;
          for (let j = 0; j < end; j++) {
            const p = Math.exp(score[j] - top), v = (b * T + j) * 3 * C + 2 * C + h * D;
            sum += p;
            for (let d = 0; d < D; d++) sumV[d] += p * qkv[v + d];
          }
        }
        for (let d = 0; d < D; d++) out[o + d] = sumV[d] / sum;
      }
    }
  }
}

const texts = new Map<number, Packed["text"]>(); // by D

/** The text for heads of D dimensions. */
function textFor(D: number): Packed["text"] {
  let text = texts.get(D);
  if (!text) {
    const lines = `${finite}const PACKS = ${D / packSize(D)}u;\n${code}`;
    texts.set(D, text = { ...packed(lines, D).text, variant: `D ${D}` });
  }
  return text;
}

/**
 * Enqueues out (B, T, C) for qkv (B, T, 3C), q | k | v of a row side by side, each as H heads of D;
 * `length` u32 (B) real rows come first. Padded rows give 0 and are attended by none.
 * @throws {RangeError} when D is not 1 to 128, or a buffer is too small
 */
export function attendAll(
  device: Device,
  { qkv, length, out }: Record<"qkv" | "length" | "out", Tensor>,
  { B, T, H, D }: Dims,
): void {
  if (!Number.isInteger(D) || D < 1 || D > 128) {
    throw new RangeError(
      `Cannot run attention as a head has 1 to 128 dimensions: D is ${D}; use more heads`,
    );
  }
  device.launch({
    kernel: {
      ...textFor(D),
      label: "attend_all.forward",
      entryPoint: "forward",
      twin: attendAllTwin,
      workgroup: LANES,
    },
    dims: { B, T, H, D },
    bind: { qkv: [qkv, B * T * 3 * H * D], length: [length, B], out: [out, B * T * H * D] },
    groups: [Math.ceil(T / LANES), H, B],
  });
}
