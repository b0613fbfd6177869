/** jax-js (https://jax-js.com) as a peer, on WebGPU. @module */
import { loadPackage, packageName } from "./packages.ts";
import type { Orientation } from "../../kernels/matmul.ts";
import type { Peer } from "./peer.ts";

/** What is used of an array of jax-js. Passing one to a function gives it away; `ref` keeps it. */
interface JaxArray {
  readonly ref: JaxArray;
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}
type Multiply = (a: JaxArray, b: JaxArray) => JaxArray;

/** Opens it. @throws {Error} when the package or an adapter cannot be had */
export async function jaxPeer(): Promise<Peer> {
  const jax = await loadJax();
  const { numpy: np } = jax;
  const array = (values: Float32Array, shape: number[]): JaxArray => np.array(values, { shape });
  // One kernel each: jit fuses the transposition into the product.
  const products: Record<Orientation, Multiply> = {
    NN: jax.jit((a: JaxArray, b: JaxArray) => np.matmul(a, b)),
    NT: jax.jit((a: JaxArray, b: JaxArray) => np.matmul(a, np.transpose(b))),
    TN: jax.jit((a: JaxArray, b: JaxArray) => np.matmul(np.transpose(a), b)),
  };
  const one = array(new Float32Array(1), [1, 1]);
  return {
    name: packageName("jax"),
    async open({ orientation, M, K, N }, a, b) {
      const left = array(a, orientation === "TN" ? [K, M] : [M, K]);
      const right = array(b, orientation === "NT" ? [N, K] : [K, N]);
      await jax.blockUntilReady([left, right]);
      const multiply = () => products[orientation](left.ref, right.ref);
      return {
        async run(runs) {
          const all = Array.from({ length: runs }, multiply);
          await jax.blockUntilReady(all);
          for (const out of all) out.dispose();
        },
        read: () => multiply().data(),
        [Symbol.dispose]() {
          left.dispose();
          right.dispose();
        },
      };
    },
    async wait() {
      const out = products.NN(one.ref, one.ref);
      await jax.blockUntilReady(out);
      out.dispose();
    },
    [Symbol.dispose]: () => one.dispose(),
  };
}

/** The library, with WebGPU as its device. @throws {Error} when either cannot be had */
// deno-lint-ignore no-explicit-any -- see loadPackage
export async function loadJax(): Promise<any> {
  const jax = await loadPackage("jax");
  const devices: string[] = await jax.init();
  if (!devices.includes("webgpu")) {
    throw new Error("Cannot run jax-js as it found no WebGPU adapter");
  }
  jax.defaultDevice("webgpu");
  return jax;
}
