/** Weights that a network is filled from, wherever they are kept. @module */

/** A name and a shape. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Named tensors that can be read, one at a time. */
export interface TensorSource extends Disposable {
  /** What errors name. */
  readonly path: string;
  readonly entries: ReadonlyMap<string, TensorSpec>;
  /** Numbers of one tensor, as f32. */
  read(name: string): Promise<Float32Array<ArrayBuffer>>;
  /**
   * Checks that there are exactly `wanted`, and returns the name that each has here. `alias` turns a name
   * of here into a wanted one, or undefined for a tensor to pass over.
   * @throws {Error} listing what is missing, extra or of another shape
   */
  expect(
    wanted: readonly TensorSpec[],
    alias?: (name: string) => string | undefined,
  ): Map<string, string>;
}
