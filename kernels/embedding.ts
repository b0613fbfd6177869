/** Token plus position embedding, and its gradient without atomics. @module */
import { addRows } from "./add_rows.ts";
import type { Device, Dtype, Tensor } from "./device.ts";
import code from "./embedding.wgsl" with { type: "text" };
import { embeddingTwin } from "./embedding_cpu.ts";
import { type Packed, packed, packGrid, packSize } from "./fragments/pack.ts";
import { declareTables, halfTables } from "./fragments/table.ts";
import type { RowGroups } from "./row_groups.ts";
import { tableRanges } from "./tensor.ts";

const texts = new Map<string, Packed["text"]>();

/** The text for rows of C channels and tables of these types, the same object each time. */
function textFor(C: number, [wte, wpe]: readonly [wte: Dtype, wpe: Dtype]): Packed["text"] {
  const key = `${packSize(C)} ${wte} ${wpe}`;
  let found = texts.get(key);
  if (!found) {
    const tables = { wte: { binding: 3, dtype: wte }, wpe: { binding: 4, dtype: wpe } };
    const { text } = packed(`${declareTables(tables, packSize(C))}${code}`, C);
    const variant = [text.variant, halfTables(tables)].filter(Boolean).join(", ");
    texts.set(key, found = { ...text, variant });
  }
  return found;
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
  const text = textFor(C, [x.wte.dtype, x.wpe.dtype]), { workgroup, groups } = packGrid(N, C);
  for (const [wte, range] of tableRanges(device, x.wte, { V, C })) {
    device.launch({
      kernel: {
        ...{ label: "embedding.forward", entryPoint: "forward", twin: embeddingTwin },
        ...{ ...text, workgroup },
      },
      dims: { N, C, ...range },
      bind: {
        token: [x.token, N],
        position: [x.position, N],
        wte,
        wpe: [x.wpe, P * C],
        out: [x.out, N * C],
      },
      groups,
    });
  }
}

/**
 * Enqueues the backward pass for dout (N, C): `dwte` (V, C) and `dwpe` (P, C) are added to. `tokens` and
 * `positions` are the rows of the batch grouped by them, see `groupRows`.
 */
export function embeddingBackward(
  device: Device,
  { dout, dwte, dwpe, tokens, positions }:
    & Record<"dout" | "dwte" | "dwpe", Tensor>
    & Record<"tokens" | "positions", RowGroups<Tensor>>,
  { N, C, V, P }: { N: number; C: number; V: number; P: number },
): void {
  addRows(device, { dout, groups: tokens, table: dwte }, { N, C, V });
  addRows(device, { dout, groups: positions, table: dwpe }, { N, C, V: P });
}
