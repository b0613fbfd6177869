/** What is compared with this project's products in the same process, each on a device of its own. @module */

import type { MatmulDims } from "../../kernels/matmul.ts";

/** A product out = a b of M rows, N columns and K terms. NT: b lies as (N, K); TN: a as (K, M). */
export type Product = Readonly<Pick<MatmulDims, "orientation" | "M" | "K" | "N">>;

/** A product whose operands lie on a device. */
export interface OpenProduct extends Disposable {
  /** Enqueues `runs` products and waits once, for all of them. */
  run(runs: number): Promise<void>;
  /** The product, row-major (M, N). */
  read(): Promise<ArrayLike<number>>;
}

/** A library that multiplies. */
export interface Peer extends Disposable {
  /** Name and version. */
  readonly name: string;
  open(product: Product, a: Float32Array, b: Float32Array): Promise<OpenProduct>;
  /** Waits for a queue that holds nothing but one tiny product. */
  wait(): Promise<void>;
}
