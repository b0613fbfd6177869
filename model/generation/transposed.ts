/** Weights as decoding reads them fastest on some adapters: transposed. @module */
import type { Device, Program, Tensor } from "../../kernels/device.ts";
import { prefersTransposed } from "../../kernels/few_rows.ts";
import { Scope } from "../../kernels/scope.ts";
import { transpose } from "../../kernels/transpose.ts";
import type { Layout, Parameter } from "../layout.ts";
import type { ParameterBuffers } from "../params.ts";

/** Fewest tokens that are worth it: a copy of the weights costs what three or four decode steps gain. */
const LEAST_TOKENS = 8;

/** Bytes of copies, above which memory counts for more. */
const MOST_BYTES = 2 ** 31;

/** The linear weights of the blocks. */
const linears = ({ parameters }: Layout): Parameter[] =>
  parameters.filter(({ name, shape }) => name.startsWith("h.") && shape.length === 2);

/** Whether decoding `tokens` tokens a row gains by copies. No bit depends on it. */
export function worthTransposing(device: Device, layout: Layout, tokens: number): boolean {
  if (tokens < LEAST_TOKENS || !prefersTransposed(device)) return false;
  const copied = linears(layout), bytes = copied.map(({ length }) => 4 * length);
  return bytes.reduce((sum, n) => sum + n, 0) <= MOST_BYTES &&
    bytes.every((n) => n <= device.limits.maxBinding) &&
    copied.every(({ shape, dtype }) => dtype === "f32" && shape.every((n) => n % 4 === 0));
}

/** Transposed copies of the blocks' linear weights, which hold what those did at the last `update`. */
export class TransposedWeights implements Disposable {
  #scope: Scope;
  #copies = new Map<string, Tensor>();
  #copy: Program;
  #copied = -1; // writes to the weights so far

  constructor(readonly weights: ParameterBuffers) {
    const { device, layout } = weights, scope = this.#scope = new Scope(device);
    try {
      for (const { name, length } of linears(layout)) {
        this.#copies.set(name, scope.alloc(length, `transposed ${name}`, "f32", "weights"));
      }
      this.#copy = scope.record("transpose weights", () => {
        for (const { name, shape: [R, C] } of linears(layout)) {
          transpose(device, { x: weights.get(name), out: this.#copies.get(name)! }, { R, C });
        }
      });
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  /** (outFeatures, inFeatures) of a weight, by its name. */
  find(name: string): Tensor | undefined {
    return this.#copies.get(name);
  }

  /** Enqueues copying all weights, where any were written to since. */
  update(): void {
    const writes = this.weights.arenas.reduce((sum, { storage }) => sum + storage.writes, 0);
    if (writes === this.#copied) return;
    this.#copy.run();
    this.#copied = writes;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
