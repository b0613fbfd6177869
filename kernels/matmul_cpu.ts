/** The twin of the matrix product: blocked enough to train with. @module */
import type { FloatArray } from "./device.ts";
import type { HalfArray } from "./fragments/half.ts";

/** Arrays of a product, as matmul.wgsl names them. */
export interface Operands {
  a: FloatArray;
  b: FloatArray | HalfArray;
  out: FloatArray;
}

/** Dims of matmul.wgsl and the two transpositions. */
export interface ProductDims {
  M: number;
  N: number;
  K: number;
  ldA: number;
  ldB: number;
  ldOut: number;
  atA: number;
  atOut: number;
  accumulate: number;
  scale: number;
  transposeA: boolean;
  transposeB: boolean;
}

/** What remains to be done with one element: `i` its index in out, `n` its column. */
export type Store = (i: number, n: number, product: number) => void;

// Panels of four rows of a and four columns of b, interleaved over k, so that the inner loop reads
// both one after the other; doubles, so that V8 converts each number once and not once a use.
let panelA = new Float64Array(0);
let panelB = new Float64Array(0);

/**
 * The definition: for every m and n, sum over k of op(a)[m, k] op(b)[k, n], in double precision,
 * k ascending, times scale; then `store`. Sixteen sums at a time, which is what fits V8's registers.
 */
export function multiply({ a, b, out }: Operands, dims: ProductDims, store: Store): void {
  const { M, N, K, ldA, ldB, ldOut, atA, atOut, accumulate, scale } = dims;
  if (panelA.length < 4 * K) panelA = new Float64Array(4 * K);
  const widthB = Math.ceil(N / 4) * 4 * K;
  if (panelB.length < widthB) panelB = new Float64Array(widthB);
  const [strideAm, strideAk] = dims.transposeA ? [1, ldA] : [ldA, 1];
  const [strideBn, strideBk] = dims.transposeB ? [ldB, 1] : [1, ldB];
  for (let n = 0; n < N; n += 4) pack(b, n * strideBn, strideBn, strideBk, N - n, K, panelB, n * K);
  const tile = new Float64Array(16);
  for (let m = 0; m < M; m += 4) {
    pack(a, atA + m * strideAm, strideAm, strideAk, M - m, K, panelA, 0);
    const rows = Math.min(4, M - m);
    for (let n = 0; n < N; n += 4) {
      sixteen(panelA, panelB, n * K, K, tile);
      const columns = Math.min(4, N - n);
      for (let i = 0; i < rows; i++) {
        const at = (m + i) * ldOut + atOut + n;
        for (let j = 0; j < columns; j++) {
          const product = scale * tile[4 * i + j];
          store(at + j, n + j, accumulate ? out[at + j] + product : product);
        }
      }
    }
  }
}

/** Four lines of `from`, `line` apart, interleaved: into[4 k + i]; zeros where fewer are left. */
function pack(
  from: FloatArray | HalfArray,
  at: number,
  line: number,
  step: number,
  left: number,
  K: number,
  into: Float64Array,
  start: number,
): void {
  for (let i = 0; i < 4; i++) {
    if (i < left) {
      for (let k = 0, f = at + i * line, t = start + i; k < K; k++, f += step, t += 4) {
        into[t] = from[f];
      }
    } else for (let k = 0, t = start + i; k < K; k++, t += 4) into[t] = 0;
  }
}

function sixteen(
  A: Float64Array,
  B: Float64Array,
  atB: number,
  K: number,
  tile: Float64Array,
): void {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
  for (let i = 0, j = atB; i < 4 * K; i += 4, j += 4) {
    const a0 = A[i], a1 = A[i + 1], a2 = A[i + 2], a3 = A[i + 3];
    const b0 = B[j], b1 = B[j + 1], b2 = B[j + 2], b3 = B[j + 3];
    s00 += a0 * b0, s01 += a0 * b1, s02 += a0 * b2, s03 += a0 * b3;
    s10 += a1 * b0, s11 += a1 * b1, s12 += a1 * b2, s13 += a1 * b3;
    s20 += a2 * b0, s21 += a2 * b1, s22 += a2 * b2, s23 += a2 * b3;
    s30 += a3 * b0, s31 += a3 * b1, s32 += a3 * b2, s33 += a3 * b3;
  }
  tile[0] = s00, tile[1] = s01, tile[2] = s02, tile[3] = s03;
  tile[4] = s10, tile[5] = s11, tile[6] = s12, tile[7] = s13;
  tile[8] = s20, tile[9] = s21, tile[10] = s22, tile[11] = s23;
  tile[12] = s30, tile[13] = s31, tile[14] = s32, tile[15] = s33;
}
