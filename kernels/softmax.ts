/** Softmax over rows: the CPU definition and the launchers. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import code from "./softmax.wgsl" with { type: "text" };

interface Dims {
  /** Rows. */
  N: number;
  /** Elements of a row. */
  V: number;
}

/** The definition of the forward pass. */
export function softmaxTwin({ x, out }: Record<"x" | "out", FloatArray>, { N, V }: Dims): void {
  for (let row = 0; row < N * V; row += V) {
    let top = -Infinity, sum = 0;
    for (let v = 0; v < V; v++) if (x[row + v] > top) top = x[row + v];
    for (let v = 0; v < V; v++) sum += Math.exp(x[row + v] - top);
    for (let v = 0; v < V; v++) out[row + v] = Math.exp(x[row + v] - top) / sum;
  }
}

/** The definition of the backward pass. */
export function softmaxBackwardTwin(
  { out, dout, dx }: Record<"out" | "dout" | "dx", FloatArray>,
  { N, V }: Dims,
): void {
  for (let row = 0; row < N * V; row += V) {
    let sum = 0;
    for (let v = 0; v < V; v++) sum += out[row + v] * dout[row + v];
    for (let v = 0; v < V; v++) dx[row + v] = out[row + v] * (dout[row + v] - sum);
  }
}

const GRID = 32768; // workgroups in a line of the grid; WebGPU allows 65,535 a side

const gridOf = (N: number): [number, number] => [Math.min(N, GRID), Math.ceil(N / GRID)];

/**
 * Enqueues softmax of each row of x (N, V) into out (N, V), overwritten.
 * @throws {RangeError} when a buffer is too small
 */
export function softmax(device: Device, x: { x: Tensor; out: Tensor }, { N, V }: Dims): void {
  device.launch({
    kernel: { label: "softmax.forward", entryPoint: "forward", code, twin: softmaxTwin },
    dims: { N, V },
    groups: gridOf(N),
    bind: { x: [x.x, N * V], out: [x.out, N * V] },
  });
}

/**
 * Enqueues the backward pass: `out` of forward and dout (N, V) give dx (N, V), overwritten.
 * @throws {RangeError} when a buffer is too small
 */
export function softmaxBackward(
  device: Device,
  x: { out: Tensor; dout: Tensor; dx: Tensor },
  { N, V }: Dims,
): void {
  device.launch({
    kernel: { label: "softmax.backward", entryPoint: "backward", code, twin: softmaxBackwardTwin },
    dims: { N, V },
    groups: gridOf(N),
    bind: { out: [x.out, N * V], dout: [x.dout, N * V], dx: [x.dx, N * V] },
  });
}
