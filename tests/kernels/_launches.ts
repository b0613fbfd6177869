/** Listens to the launches of a device. @module */
import type { Device, Launch } from "../../kernels/device.ts";

/** Launches in their order, until it is disposed of. */
export interface Heard extends Disposable {
  readonly launches: Launch[];
}

/** Listens to every launch of the device from now on. They run, unless `runs` is false. */
export function hearLaunches(device: Device, { runs = true } = {}): Heard {
  const { launch } = device, launches: Launch[] = [];
  device.launch = (one) => {
    launches.push(one);
    if (runs) launch.call(device, one);
  };
  return { launches, [Symbol.dispose]: () => void (device.launch = launch) };
}
