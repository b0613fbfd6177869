/** Adding rows into the rows of a table, many into one, without atomics. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { packed, packGrid } from "./fragments/pack.ts";
import code from "./add_rows.wgsl" with { type: "text" };
import type { RowGroups } from "./row_groups.ts";
import { tableRanges } from "./tensor.ts";

/** The definition, for rows [first, first + V) of the table. */
function twin(
  { dout, order, start, distinct, count, table }: RowGroups & Record<"dout" | "table", FloatArray>,
  { C, V, first }: Record<"C" | "V" | "first", number>,
): void {
  for (let k = 0; k < count[0]; k++) {
    const row = distinct[k] - first;
    if (row < 0 || row >= V) continue;
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = start[k]; i < start[k + 1]; i++) sum += dout[order[i] * C + c];
      table[row * C + c] += sum;
    }
  }
}

/**
 * Enqueues table (V, C) rows `key` += dout (N, C), where `groups` are what `groupRows` gives for the N
 * keys. A key of V or more, as `NO_ROW` is, adds nothing. Keys may repeat: their rows are summed in
 * ascending order, then added.
 */
export function addRows(
  device: Device,
  { dout, groups, table }: { dout: Tensor; groups: RowGroups<Tensor>; table: Tensor },
  { N, C, V }: Record<"N" | "C" | "V", number>,
): void {
  const { text } = packed(code, C), grid = packGrid(N, C);
  for (const [part, range] of tableRanges(device, table, { V, C })) {
    device.launch({
      kernel: {
        label: "add_rows.add",
        entryPoint: "add",
        twin,
        ...text,
        workgroup: grid.workgroup,
      },
      dims: { C, ...range },
      bind: {
        dout: [dout, N * C],
        order: [groups.order, N],
        start: [groups.start, N + 1],
        distinct: [groups.distinct, N],
        count: [groups.count, 1],
        table: part,
      },
      groups: grid.groups,
    });
  }
}
