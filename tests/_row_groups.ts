/** Rows grouped by a key, as the flat names that a kernel's cases have. @module */
import type { Tensor } from "../kernels/device.ts";
import { groupRows, type RowGroups } from "../kernels/row_groups.ts";

type Flat<Label extends string, Of> = {
  [Name in `${Label} ${keyof RowGroups & string}`]: Of;
};

/** The groups of `key`, each array under `label` and its name. */
export function flatGroups<const Label extends string>(
  label: Label,
  key: Uint32Array,
): Flat<Label, Uint32Array<ArrayBuffer>> {
  const entries = Object.entries(groupRows(key)).map(([name, data]) => [`${label} ${name}`, data]);
  return Object.fromEntries(entries) as Flat<Label, Uint32Array<ArrayBuffer>>;
}

/** The tensors of such names as `addRows` takes them. */
export function groupsIn(label: string, buffers: Record<string, Tensor>): RowGroups<Tensor> {
  const of = (name: keyof RowGroups): Tensor => buffers[`${label} ${name}`];
  return {
    order: of("order"),
    start: of("start"),
    distinct: of("distinct"),
    count: of("count"),
  };
}
