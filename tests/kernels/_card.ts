/** A device that notes what it launches, and may pass for a graphics card. @module */
import type { Device, Launch } from "../../kernels/device.ts";

/** `device`, which notes each launch; with `card` it says that no processor does its work. */
export function noting<D extends Device>(
  device: D,
  launches: Launch[],
  { card = false, features = device.features }:
    & { card?: boolean }
    & Partial<
      Pick<Device, "features">
    > = {},
): D {
  return new Proxy(device, {
    get(target, name) {
      if (name === "launch") {
        return (launch: Launch) => {
          launches.push(launch);
          target.launch(launch);
        };
      }
      if (name === "features") return features;
      if (name === "software" && card) return false;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
