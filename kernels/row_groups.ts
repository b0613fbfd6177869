/** Rows grouped by a key, such as their token: how `addRows` adds many into one without atomics. @module */
import type { Device, Tensor } from "./device.ts";
import type { Scope } from "./scope.ts";

/** N rows grouped by key, as arrays or as the tensors that hold them. */
export interface RowGroups<Of = Uint32Array<ArrayBuffer>> {
  /** (N) row numbers, grouped by key, in ascending order within a group. */
  order: Of;
  /** (N + 1) where group k begins in `order`; N from the last group's end on. */
  start: Of;
  /** (N) the key of group k, ascending; 0 after the last group. */
  distinct: Of;
  /** (1) how many groups there are. */
  count: Of;
}

/** Groups N rows by their keys. Takes about a millisecond for 8,000 rows. */
export function groupRows(key: Uint32Array): RowGroups {
  const N = key.length;
  // One number carries key and row (below 2^53 for N < 2^21), so a plain sort keeps rows in order.
  const keys = Float64Array.from(key, (id, n) => id * N + n).sort();
  const order = new Uint32Array(N), distinct = new Uint32Array(N);
  const start = new Uint32Array(N + 1).fill(N);
  let count = 0;
  for (let i = 0; i < N; i++) {
    order[i] = keys[i] % N;
    const id = key[order[i]];
    if (i > 0 && id === distinct[count - 1]) continue;
    distinct[count] = id;
    start[count++] = i;
  }
  return { order, start, distinct, count: Uint32Array.of(count) };
}

/** Takes the memory of N rows' groups; labels begin with `label`. */
export function allocGroups(
  memory: Pick<Scope, "alloc">,
  N: number,
  label: string,
): RowGroups<Tensor> {
  const make = (name: string, length: number): Tensor =>
    memory.alloc(length, `${label} ${name}`, "u32", "other");
  return {
    order: make("order", N),
    start: make("start", N + 1),
    distinct: make("distinct", N),
    count: make("count", 1),
  };
}

/** Writes the groups of rows by `key` into memory that was taken for as many. */
export function writeGroups(
  device: Pick<Device, "write">,
  groups: RowGroups<Tensor>,
  key: Uint32Array,
): void {
  const { order, start, distinct, count } = groupRows(key);
  device.write(groups.order, order);
  device.write(groups.start, start);
  device.write(groups.distinct, distinct);
  device.write(groups.count, count);
}
