/** A kernel to test devices with. @module */
import type { Device, Kernel, Launch, Tensor } from "../../../kernels/device.ts";
import { upload } from "../../../kernels/tensor.ts";

/** out[i] = scale * x[i] + out[i], for i below N. */
export const SCALE: Kernel = {
  label: "scale.main",
  entryPoint: "main",
  code: `
    override WORKGROUP: u32;
    struct Dims {
      N: u32, // comments between fields are no fields: a: b
      shift: i32, scale: f32, spare: u32, last: f32,
    }
    @group(0) @binding(0) var<uniform> dims: Dims;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(WORKGROUP)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= dims.N) { return; }
      out[id.x] += dims.scale * x[id.x] + f32(dims.shift) + dims.last;
    }`,
  twin({ x, out }, { N, scale, shift, last }): void {
    for (let i = 0; i < N; i++) out[i] += scale * x[i] + shift + last;
  },
};
/** A launch of it over the first N elements. */
export const launchOf = (x: Tensor, out: Tensor, scale: number, N = x.length): Launch => ({
  kernel: SCALE,
  dims: { N, shift: 0, scale, spare: 0, last: 0 },
  bind: { x: [x, N], out: [out, N] },
  threads: N,
});
/** A tensor with these numbers. */
export const floats = (device: Device, values: number[], label = "x"): Tensor =>
  upload(device, Float32Array.from(values), label);
/** What one tensor holds. */
export const read = async (
  device: Device,
  tensor: Tensor,
): Promise<number[]> => [...(await device.read(tensor))[0]];
