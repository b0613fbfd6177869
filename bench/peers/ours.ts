/** This project as one of the peers. @module */
import type { Device } from "../../kernels/device.ts";
import { matmul } from "../../kernels/matmul.ts";
import { Scope } from "../../kernels/scope.ts";
import { align } from "../../kernels/tensor.ts";
import { recorded } from "../_measure.ts";
import type { Peer } from "./peer.ts";

/** Products on `device`, recorded as a model's passes are; the device stays the caller's. */
export function ourPeer(device: Device): Peer {
  const owned = new DisposableStack();
  const probe = owned.use(new Scope(device)).alloc(1, "probe");
  device.zero(probe);
  return {
    name: "PlainRL",
    // deno-lint-ignore require-await -- as the others are
    async open(product, a, b) {
      const scope = new Scope(device);
      const alloc = (values: Float32Array, name: string) => {
        const tensor = scope.alloc(values.length, name);
        device.write(tensor, values as Float32Array<ArrayBuffer>);
        return tensor;
      };
      const { M, N } = product, ldOut = align(N); // rows of logits are laid out so in a model
      const out = scope.alloc(M * ldOut, "out");
      const bind = { a: alloc(a, "a"), b: alloc(b, "b"), out };
      const work = recorded(device, () => matmul(device, bind, { ...product, ldOut }));
      return {
        async run(runs) {
          work.enqueue(runs);
          await device.read(probe);
        },
        async read() {
          work.enqueue(1);
          const [rows] = await device.read(out);
          const cut = new Float32Array(M * N);
          for (let m = 0; m < M; m++) cut.set(rows.subarray(m * ldOut, m * ldOut + N), m * N);
          return cut;
        },
        [Symbol.dispose]() {
          work[Symbol.dispose]();
          scope[Symbol.dispose]();
          device.trim();
        },
      };
    },
    wait: async () => void await device.read(probe),
    [Symbol.dispose]: () => owned.dispose(),
  };
}
