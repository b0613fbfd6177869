/** Counts what a program asks of a WebGPU device, and how long the calls take that wait for it. @module */
import type { WebGpuDevice } from "../kernels/devices/webgpu.ts";

/** What was asked for. */
export interface Calls {
  /** Launches and zeros. */
  launches: number;
  submissions: number;
  writes: number;
  /** Bytes of the writes. */
  written: number;
  reads: number;
  buffers: number;
  bindGroups: number;
  /**
   * Seconds in submissions and reads: a software adapter works, and a driver waits, inside these calls. What
   * is left of a step is the host's own.
   */
  waited: number;
}

const NOTHING: Readonly<Calls> = Object.freeze({
  ...{ launches: 0, submissions: 0, writes: 0, written: 0, reads: 0 },
  ...{ buffers: 0, bindGroups: 0, waited: 0 },
});

/** Watches the device from now on; `take` gives what was asked for since the last time. */
export function watchCalls(watched: WebGpuDevice): { take(): Calls } {
  let calls = { ...NOTHING };
  const { device } = watched, { queue } = device;
  before(queue, "submit", () => calls.submissions++, (seconds) => calls.waited += seconds);
  before(queue, "writeBuffer", (_buffer, _at, data) => {
    calls.writes++;
    calls.written += data.byteLength;
  });
  before(device, "createBuffer", () => calls.buffers++);
  before(device, "createBindGroup", () => calls.bindGroups++);
  const read = watched.read.bind(watched);
  watched.read = async (...tensors) => {
    calls.reads++;
    const from = performance.now(), submitted = calls.waited;
    const data = await read(...tensors);
    calls.waited = submitted + (performance.now() - from) / 1000; // its own submission is in it
    return data;
  };
  const encoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const commands = encoder(descriptor);
    before(commands, "clearBuffer", () => calls.launches++);
    const begin = commands.beginComputePass.bind(commands);
    commands.beginComputePass = (descriptor) => {
      const pass = begin(descriptor);
      before(pass, "dispatchWorkgroups", () => calls.launches++);
      return pass;
    };
    return commands;
  };
  return {
    take: () => {
      const taken = calls;
      calls = { ...NOTHING };
      return taken;
    },
  };
}

/** Notes every call of a method before it is made, and the seconds that it took. */
function before(
  owner: object,
  name: string,
  // deno-lint-ignore no-explicit-any -- whatever the method takes
  note: (...args: any[]) => void,
  took: (seconds: number) => void = () => {},
): void {
  // deno-lint-ignore no-explicit-any -- a method of any class of WebGPU
  const methods = owner as any, method = methods[name].bind(owner);
  methods[name] = (...args: unknown[]) => {
    note(...args);
    const from = performance.now();
    const result = method(...args);
    took((performance.now() - from) / 1000);
    return result;
  };
}
