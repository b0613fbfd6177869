/** Token plus position embedding, and its gradient without atomics. @module */
import {
  type Device,
  type FloatArray,
  type Kernel,
  rowRanges,
  type Tensor,
  view,
} from "./device.ts";
import code from "./embedding.wgsl" with { type: "text" };
import { type HalfArray, halved } from "./fragments/half.ts";
import { packing } from "./fragments/pack.ts";

const LANES = 32; // packs of one row in one workgroup: all of C = 128

type Floats<Name extends string> = Record<Name, FloatArray>;
type Ints<Name extends string> = Record<Name, Uint32Array>;
type Dims = Record<"N" | "B" | "T" | "C" | "V" | "first", number>;

function forward(
  { token, position, wte, wpe, out }:
    & Ints<"token" | "position">
    & Floats<"out">
    & Record<"wte" | "wpe", FloatArray | HalfArray>,
  { N, C, V, first }: Dims,
): void {
  for (let n = 0; n < N; n++) {
    const row = token[n] - first;
    if (row < 0 || row >= V) continue;
    const from = row * C, at = position[n] * C, to = n * C;
    for (let c = 0; c < C; c++) out[to + c] = wte[from + c] + wpe[at + c];
  }
}

function tokens(
  { dout, order, start, distinct, count, dwte }:
    & Ints<"order" | "start" | "distinct" | "count">
    & Floats<"dout" | "dwte">,
  { C, V, first }: Dims,
): void {
  for (let k = 0; k < count[0]; k++) {
    const row = distinct[k] - first;
    if (row < 0 || row >= V) continue;
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = start[k]; i < start[k + 1]; i++) sum += dout[order[i] * C + c];
      dwte[row * C + c] += sum;
    }
  }
}

function positions({ dout, dwpe }: Floats<"dout" | "dwpe">, { B, T, C }: Dims): void {
  for (let t = 0; t < T; t++) {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let b = 0; b < B; b++) sum += dout[(b * T + t) * C + c];
      dwpe[t * C + c] += sum;
    }
  }
}

/** The rows of a batch grouped by token, as `embeddingBackward` reads them. */
export interface TokenIndex {
  /** (N) row numbers, grouped by token, in ascending order within a group. */
  order: Uint32Array<ArrayBuffer>;
  /** (N + 1) where group k begins in `order`; N from the last group's end on. */
  start: Uint32Array<ArrayBuffer>;
  /** (N) the token of group k, ascending; 0 after the last group. */
  distinct: Uint32Array<ArrayBuffer>;
  /** (1) how many groups there are. */
  count: Uint32Array<ArrayBuffer>;
}

/** Groups the N rows of `token` by their token. Takes about a millisecond for 8,000 rows. */
export function tokenIndex(token: Uint32Array): TokenIndex {
  const N = token.length;
  // One number carries token and row (below 2^53 for N < 2^21), so a plain sort keeps rows in order.
  const keys = Float64Array.from(token, (id, n) => id * N + n).sort();
  const order = new Uint32Array(N), distinct = new Uint32Array(N);
  const start = new Uint32Array(N + 1).fill(N);
  let count = 0;
  for (let i = 0; i < N; i++) {
    order[i] = keys[i] % N;
    const id = token[order[i]];
    if (i > 0 && id === distinct[count - 1]) continue;
    distinct[count] = id;
    start[count++] = i;
  }
  return { order, start, distinct, count: Uint32Array.of(count) };
}

/** A launch of one invocation a Pack of channels, and one workgroup row for each of `rows`. */
function launch(
  device: Device,
  kernel: Pick<Kernel, "label" | "twin">,
  { bind, dims, rows, tables = {} }: {
    bind: Record<string, readonly [Tensor, number]>;
    dims: Dims;
    rows: number;
    /** Of the bindings, those that may hold f16. */
    tables?: Record<string, Tensor>;
  },
): void {
  const { code: whole, constants } = packing(code, dims.C);
  device.launch({
    kernel: { ...kernel, code: halved(whole, tables), constants, workgroup: LANES },
    dims,
    bind,
    groups: [Math.ceil(dims.C / constants.PACK / LANES), Math.min(rows, 65535)],
  });
}

/** Rows [start, end) of `table` (V, C), for each range that fits one binding. */
function ranges(device: Device, table: Tensor, { V, C }: { V: number; C: number }): [
  part: readonly [Tensor, number],
  range: { V: number; first: number },
][] {
  return rowRanges(device.limits, { R: V, C, dtype: table.dtype }).map(([start, end]) => {
    const size = (end - start) * C;
    return [[end - start === V ? table : view(table, start * C, size), size], {
      V: end - start,
      first: start,
    }];
  });
}

/**
 * Enqueues out (N, C) = wte (V, C)[token u32 (N)] + wpe (P, C)[position u32 (N)]. Every token must be
 * below V and every position below P: a row with another token keeps what `out` held. Either table may
 * hold f16.
 */
export function embedding(
  device: Device,
  x: Record<"token" | "position" | "wte" | "wpe" | "out", Tensor>,
  { N, C, V, P }: { N: number; C: number; V: number; P: number },
): void {
  for (const [wte, range] of ranges(device, x.wte, { V, C })) {
    launch(device, { label: "embedding.forward", twin: forward }, {
      dims: { N, B: 0, T: 0, C, ...range },
      bind: {
        token: [x.token, N],
        position: [x.position, N],
        wte,
        wpe: [x.wpe, P * C],
        out: [x.out, N * C],
      },
      rows: N,
      tables: { wte: x.wte, wpe: x.wpe },
    });
  }
}

/**
 * Enqueues the backward pass for dout (B * T, C): `dwte` (V, C) and `dwpe` (P, C) are added to.
 * `order`, `start`, `distinct`, `count` are what `tokenIndex` gives for the batch's tokens; row
 * (b, t) had position t.
 * @throws {RangeError} when T exceeds P
 */
export function embeddingBackward(
  device: Device,
  x: Record<"dout" | "dwte" | "dwpe" | "order" | "start" | "distinct" | "count", Tensor>,
  { B, T, C, V, P }: { B: number; T: number; C: number; V: number; P: number },
): void {
  if (T > P) {
    throw new RangeError(
      `Cannot launch embedding.positions as a row has at most ${P} positions: T is ${T}; ` +
        "shorten the rows",
    );
  }
  const N = B * T;
  const dout = [x.dout, N * C] as const;
  for (const [dwte, range] of ranges(device, x.dwte, { V, C })) {
    launch(device, { label: "embedding.tokens", twin: tokens }, {
      dims: { N, B, T, C, ...range },
      bind: {
        dout,
        order: [x.order, N],
        start: [x.start, N + 1],
        distinct: [x.distinct, N],
        count: [x.count, 1],
        dwte,
      },
      rows: N,
    });
  }
  launch(device, { label: "embedding.positions", twin: positions }, {
    dims: { N, B, T, C, V, first: 0 },
    bind: { dout, dwpe: [x.dwpe, P * C] },
    rows: T,
  });
}
