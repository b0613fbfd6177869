/** This project as one of the peers. @module */
import type { Device } from "../../kernels/device.ts";
import { matmul } from "../../kernels/matmul.ts";
import { Scope } from "../../kernels/scope.ts";
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
      const bind = {
        a: alloc(a, "a"),
        b: alloc(b, "b"),
        out: scope.alloc(product.M * product.N, "out"),
      };
      const work = recorded(device, () => matmul(device, bind, product));
      return {
        async run(runs) {
          work.enqueue(runs);
          await device.read(probe);
        },
        read: async () => (await device.read(bind.out))[0],
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
