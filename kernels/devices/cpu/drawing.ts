/** How the kernels that draw tokens are cut: they count their rows by an array. @module */
import { filterTwin } from "../../filter_cpu.ts";
import { sampleTwin } from "../../sample_cpu.ts";
import { type Arrays, cut, type Dims, type Split, type SplitTwin } from "./split.ts";

const ROW0 = 3; // where `control` says which row of all prompts the first one is

/** Rows as many as the array `counted` has; `sums` over the vocabulary are taken in each. */
const byDrawn = (counted: string, sums: number): Split => ({
  lines: (_, arrays) => arrays[counted].length,
  work: ({ V }, lines) => lines * V * sums,
  part(arrays, dims, [start, end]) {
    const control = arrays.control.slice();
    control[ROW0] += start; // draws belong to the row's number
    return [{ ...cut(arrays, stridesOf(dims), [start, end]), control }, dims];
  },
});

const stridesOf = ({ ld, S }: Dims): Record<keyof Arrays, number> => ({
  ...{ control: 0, position: 1, finished: 1, drawn: 1, token: 1, place: 1, norm: 2 },
  ...{ logits: ld, filtered: ld, tokens: S, logprobs: S },
});

/** Drawing, with or without filters. */
export const splitDrawing: readonly SplitTwin[] = [
  { name: "sample", twin: sampleTwin, split: byDrawn("token", 40) },
  { name: "filter", twin: filterTwin, split: byDrawn("place", 100) },
];
