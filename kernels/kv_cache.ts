/** Cache of keys and values for decoding: the CPU definition and the launchers. @module */
import { windowWithin } from "./attention.ts";
import type { Device, FloatArray, Tensor } from "./device.ts";
import { attendCode } from "./attend_kv_text.ts";
import { packed, packSize } from "./fragments/pack.ts";
import code from "./kv_cache.wgsl" with { type: "text" };
import { hasShuffles } from "./tuning.ts";

/** Keys and values of one layer: (B, H, S, D) each, S slots a row; those of a head lie side by side. */
export interface KvCache {
  k: Tensor;
  v: Tensor;
}

interface Arrays {
  qkv: FloatArray;
  position: Uint32Array;
  k: FloatArray;
  v: FloatArray;
  out: FloatArray;
}
interface Dims {
  B: number;
  H: number;
  D: number;
  S: number;
  window: number;
  scale: number;
}

/** The definition of `storeKv`. */
export function storeKvTwin(
  { qkv, position, source, k, v }: Arrays & { source: Uint32Array },
  { B, T, H, D, S }: Record<"B" | "T" | "H" | "D" | "S", number>,
): void {
  const C = H * D;
  for (let row = 0; row < B * T; row++) {
    const b = Math.floor(row / T), owner = source[b] * T + row % T;
    const slot = position[owner], from = owner * 3 * C + C;
    if (slot >= S) continue;
    for (let c = 0; c < C; c++) {
      const to = ((b * H + Math.floor(c / D)) * S + slot) * D + c % D;
      k[to] = qkv[from + c];
      v[to] = qkv[from + C + c];
    }
  }
}

/** The definition of `attendKv`. */
export function attendKvTwin({ qkv, position, k, v, out }: Arrays, dims: Dims): void {
  const { B, H, D, S, window } = dims, C = H * D, scale = dims.scale || 1 / Math.sqrt(D);
  const score = new Float64Array(S), sumV = new Float64Array(D);
  for (let b = 0; b < B; b++) {
    const end = Math.min(position[b] + 1, S), begin = Math.max(0, end - window);
    for (let h = 0; h < H; h++) {
      const q = b * 3 * C + h * D, first = (b * H + h) * S * D, o = b * C + h * D;
      let high = -Infinity, sum = 0;
      for (let j = begin; j < end; j++) {
        const row = first + j * D;
        let dot = 0;
        for (let d = 0; d < D; d++) dot += qkv[q + d] * k[row + d];
        score[j] = dot * scale;
        if (score[j] > high) high = score[j];
      }
      sumV.fill(0);
      for (let j = begin; j < end; j++) {
        const row = first + j * D, p = Math.exp(score[j] - high);
        sum += p;
        for (let d = 0; d < D; d++) sumV[d] += p * v[row + d];
      }
      for (let d = 0; d < D; d++) out[o + d] = sumV[d] / sum;
    }
  }
}

// Few, as a decode step has few slots and dimensions a head; a software adapter steps through 8 at once.
const lanesOf = (device: Device): number => device.software ? 8 : 64;

/**
 * Enqueues copying the k and v parts of qkv (U * T, 3C) into the slots that `position` u32 (U * T)
 * names: row b of the cache gets those of sequence `source` u32 (B), which is below U. Slots from S on
 * are skipped. U is B where it is left out.
 * @throws {RangeError} when a buffer is too small
 */
export function storeKv(
  device: Device,
  x: KvCache & { qkv: Tensor; position: Tensor; source: Tensor },
  { B, U = B, T, H, D, S }: Record<"B" | "T" | "H" | "D" | "S", number> & { U?: number },
): void {
  const C = H * D, { PACK, text } = packed(code, D), lanes = lanesOf(device);
  device.launch({
    kernel: {
      label: "kv_cache.store",
      entryPoint: "store",
      ...text,
      twin: storeKvTwin,
      workgroup: lanes,
    },
    dims: { B, T, H, D, S },
    groups: [Math.ceil(C / PACK / lanes), Math.min(B * T, 65535)],
    bind: {
      qkv: [x.qkv, U * T * 3 * C],
      position: [x.position, U * T],
      source: [x.source, B],
      k: [x.k, B * S * C],
      v: [x.v, B * S * C],
    },
  });
}

/**
 * Enqueues attention of one new row each, the q part of qkv (B, 3C), over slots 0 to `position` u32
 * (B), inclusive, or the last `window` of them: `storeKv` comes first. `out` (B, C) is overwritten.
 * `scale` multiplies the scores; 0, the default, is 1 / sqrt(D).
 * @throws {RangeError} when a buffer is too small, or the window not positive
 */
export function attendKv(
  device: Device,
  x: KvCache & { qkv: Tensor; position: Tensor; out: Tensor },
  { B, S, H, D, window, scale = 0 }:
    & Record<"B" | "S" | "H" | "D", number>
    & { window?: number; scale?: number },
): void {
  const C = H * D, shuffles = hasShuffles(device);
  const lanes = shuffles ? 8 : lanesOf(device);
  const { text } = packed(attendCode({ packs: D / packSize(D), lanes, shuffles }), D);
  device.launch({
    kernel: {
      label: "attend_kv.attend",
      entryPoint: "attend",
      code: text.code,
      variant: `${text.variant}${shuffles ? ", shuffles" : ""}`,
      twin: attendKvTwin,
      workgroup: lanes,
      constants: { SCALE: scale },
    },
    dims: { B, H, D, S, window: windowWithin(S, window), scale },
    groups: [H, B],
    bind: {
      qkv: [x.qkv, B * 3 * C],
      position: [x.position, B],
      k: [x.k, B * S * C],
      v: [x.v, B * S * C],
      out: [x.out, B * C],
    },
  });
}
