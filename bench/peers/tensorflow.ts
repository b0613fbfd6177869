/** TensorFlow.js (https://www.tensorflow.org/js) as a peer, by its WebGPU backend. @module */
import { loadPackage, packageName } from "./packages.ts";
import type { Peer } from "./peer.ts";

/** What is used of a tensor. */
interface Tensor {
  data(): Promise<ArrayLike<number>>;
  slice(begin: number[], size: number[]): Tensor;
  dispose(): void;
}

/** Opens it. @throws {Error} when a package or an adapter cannot be had */
export async function tensorflowPeer(): Promise<Peer> {
  const tf = await loadPackage("tf");
  await loadPackage("tfWebGpu"); // adds itself
  if (!await tf.setBackend("webgpu")) {
    throw new Error("Cannot run TensorFlow.js as its WebGPU backend did not start");
  }
  await tf.ready();
  const matrix = (values: Float32Array, rows: number, columns: number): Tensor =>
    tf.tensor2d(values, [rows, columns]);
  /** Reading one element waits for everything before it. */
  const settle = async (out: Tensor) => {
    const corner = out.slice([0, 0], [1, 1]);
    await corner.data();
    corner.dispose();
  };
  const one = matrix(new Float32Array(1), 1, 1);
  return {
    name: packageName("tfWebGpu"),
    // deno-lint-ignore require-await -- as the others are
    async open({ orientation, M, K, N }, a, b) {
      const [isTa, isTb] = [orientation === "TN", orientation === "NT"];
      const left = isTa ? matrix(a, K, M) : matrix(a, M, K);
      const right = isTb ? matrix(b, N, K) : matrix(b, K, N);
      const multiply = (): Tensor => tf.matMul(left, right, isTa, isTb);
      return {
        async run(runs) {
          const all = Array.from({ length: runs }, multiply);
          await settle(all[all.length - 1]);
          for (const out of all) out.dispose();
        },
        async read() {
          const out = multiply();
          const values = await out.data();
          out.dispose();
          return values;
        },
        [Symbol.dispose]() {
          left.dispose();
          right.dispose();
        },
      };
    },
    async wait() {
      const out: Tensor = tf.matMul(one, one);
      await settle(out);
      out.dispose();
    },
    [Symbol.dispose]: () => one.dispose(),
  };
}
