/** Token plus position embedding, and its gradient without atomics. @module */
import type { Device, Dtype, Kernel, Tensor } from "./device.ts";
import { rowRanges, view } from "./tensor.ts";
import code from "./embedding.wgsl" with { type: "text" };
import {
  type EmbeddingDims as Dims,
  embeddingPositionsTwin,
  embeddingTokensTwin,
  embeddingTwin,
} from "./embedding_cpu.ts";
import { type Packed, packed, packSize } from "./fragments/pack.ts";
import { declareTables, halfTables } from "./fragments/table.ts";

const LANES = 32; // packs of one row in one workgroup: all of C = 128

const texts = new Map<string, Packed>();

/** The text for rows of C channels and tables of these types, the same object each time. */
function textFor(C: number, [wte, wpe]: readonly [wte: Dtype, wpe: Dtype]): Packed {
  const key = `${packSize(C)} ${wte} ${wpe}`;
  let found = texts.get(key);
  if (!found) {
    const tables = { wte: { binding: 3, dtype: wte }, wpe: { binding: 4, dtype: wpe } };
    const { text, PACK } = packed(`${declareTables(tables, packSize(C))}${code}`, C);
    const variant = [text.variant, halfTables(tables)].filter(Boolean).join(", ");
    texts.set(key, found = { text: { ...text, variant }, PACK });
  }
  return found;
}

/** A launch of one invocation a Pack of channels, and one workgroup row for each of `rows`. */
function launch(
  device: Device,
  kernel: Pick<Kernel, "label" | "entryPoint" | "twin">,
  { bind, dims, rows, tables = ["f32", "f32"] }: {
    bind: Record<string, readonly [Tensor, number]>;
    dims: Dims;
    rows: number;
    /** What wte and wpe hold, where they are bound. */
    tables?: readonly [wte: Dtype, wpe: Dtype];
  },
): void {
  const { text, PACK } = textFor(dims.C, tables);
  device.launch({
    kernel: { ...kernel, ...text, workgroup: LANES },
    dims,
    bind,
    groups: [Math.ceil(dims.C / PACK / LANES), Math.min(rows, 65535)],
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
    launch(device, { label: "embedding.forward", entryPoint: "forward", twin: embeddingTwin }, {
      dims: { N, B: 0, T: 0, C, ...range },
      bind: {
        token: [x.token, N],
        position: [x.position, N],
        wte,
        wpe: [x.wpe, P * C],
        out: [x.out, N * C],
      },
      rows: N,
      tables: [x.wte.dtype, x.wpe.dtype],
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
    launch(device, { label: "embedding.tokens", entryPoint: "tokens", twin: embeddingTokensTwin }, {
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
  launch(device, {
    label: "embedding.positions",
    entryPoint: "positions",
    twin: embeddingPositionsTwin,
  }, {
    dims: { N, B, T, C, V, first: 0 },
    bind: { dout, dwpe: [x.dwpe, P * C] },
    rows: T,
  });
}
