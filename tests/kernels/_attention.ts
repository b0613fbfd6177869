/** Rows that attention's tests share: plain ones, and trees of texts. @module */
import { type AttentionKernel, plainEnds } from "../../kernels/attention.ts";
import type { Device, Tensor } from "../../kernels/device.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { upload } from "../../kernels/tensor.ts";
import { testOnDevices, testOnWebGpu } from "../_devices.ts";

/** The kernels that there are; the first is the adapter's own, "shuffle" where lanes shuffle. */
const KERNELS: readonly AttentionKernel[] = [
  {},
  { form: "alone" },
  { form: "share" },
  { naive: true },
];

/** The kernels of a device; one twin defines them all. */
export const kernelsOf = ({ kind }: Device): readonly AttentionKernel[] =>
  kind === "cpu" ? KERNELS.slice(0, 1) : KERNELS;

/** Registers a test for each kernel of each device. */
export function testKernels(
  name: (kernel: AttentionKernel) => string,
  body: (device: Device, kernel: AttentionKernel) => Promise<void>,
): void {
  const [first, ...others] = KERNELS;
  testOnDevices(name(first), (device) => body(device, first));
  for (const kernel of others) {
    testOnWebGpu(name(kernel), async () => {
      using device = await WebGpuDevice.open();
      await body(device, kernel);
    });
  }
}

/** What attention takes of a batch besides its numbers, u32 (B, T) each. */
export interface Mask {
  end: Uint32Array<ArrayBuffer>;
  position: Uint32Array<ArrayBuffer>;
}

/** A batch of one text a row, padded behind. */
export function plainMask(lengths: ArrayLike<number>, T: number): Mask {
  const B = lengths.length;
  return {
    end: plainEnds(lengths, { B, T }),
    position: Uint32Array.from({ length: B * T }, (_, n) => n % T),
  };
}

/** A text of `rows` rows, and those that continue it. */
export interface Tree {
  rows: number;
  then?: readonly Tree[];
}

/** One row of T positions that holds the tree, depth first; and of each of its texts the rows, from the root on. */
export function treeMask(tree: Tree, T: number): Mask & { texts: number[][] } {
  const end = new Uint32Array(T), position = new Uint32Array(T), texts: number[][] = [];
  let next = 0;
  const place = ({ rows, then = [] }: Tree, before: readonly number[]): void => {
    const own = Array.from({ length: rows }, () => next++), path = [...before, ...own];
    own.forEach((row, i) => position[row] = before.length + i);
    then.forEach((child) => place(child, path));
    own.forEach((row) => end[row] = next);
    if (then.length === 0) texts.push(path);
  };
  place(tree, []);
  return { end, position, texts };
}

/** Both on the device. */
export function uploadMask(
  device: Device,
  { end, position }: Mask,
): { end: Tensor; position: Tensor } {
  return { end: upload(device, end, "end"), position: upload(device, position, "position") };
}

/** `plainMask` on the device. */
export function plainRows(
  device: Device,
  lengths: ArrayLike<number>,
  T: number,
): { end: Tensor; position: Tensor } {
  return uploadMask(device, plainMask(lengths, T));
}
