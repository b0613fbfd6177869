/** Times works side by side, and kernels over several sets of buffers so that no cache holds them. @module */
import type { Tensor } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import type { KernelCase } from "../_case.ts";
import { Batch, median, recorded, type Work } from "../_measure.ts";
import type { GpuContext } from "./context.ts";
import type { Line } from "./rows.ts";

/** Buffers of a kernel are repeated until they exceed this: twice the cache of a large card. */
const UNCACHED = 2 ** 27;
const MAX_COPIES = 8;

/** A work and what its line says besides the time. */
export interface Timed {
  readonly line: Omit<Line, "seconds" | "deviceSeconds" | "spread">;
  readonly work: Work;
}

/**
 * Samples the works in turn, so that a change of the clock rate falls on all alike: first the wall
 * time, then once the device's own.
 */
export async function timeTogether(
  { device, clock, sampling: { samples, ...options } }: GpuContext,
  works: readonly Timed[],
): Promise<Line[]> {
  const batches: Batch[] = [];
  for (const { work } of works) batches.push(await Batch.prepare(device, work, options));
  for (let i = 0; i < samples; i++) {
    for (const batch of batches) await batch.sample();
  }
  const lines: Line[] = [];
  for (const [i, { line }] of works.entries()) {
    const batch = batches[i], { seconds, spread } = batch.result();
    const stamped: number[] = [];
    for (let n = 0; clock && n < 3; n++) {
      const all = await clock.time(() => batch.sample());
      if (all !== undefined) stamped.push(all / batch.runs);
    }
    lines.push({
      ...line,
      seconds,
      spread,
      ...(stamped.length > 0 && { deviceSeconds: median(stamped) }),
    });
  }
  return lines;
}

/** Uploads as many copies of a case's data as no cache holds, and launches on them in turn. */
export function uncachedWork(scope: Scope, { data, half = [], launch }: KernelCase): Work {
  const { device } = scope;
  const arrays = Object.entries(data());
  const bytes = arrays.reduce((sum, [, values]) => sum + values.byteLength, 0);
  const count = Math.min(MAX_COPIES, Math.max(1, Math.ceil(UNCACHED / bytes)));
  const copies = Array.from({ length: count }, (_, copy) => {
    const buffers: Record<string, Tensor> = {};
    for (const [name, values] of arrays) {
      const dtype = values instanceof Uint32Array ? "u32" : half.includes(name) ? "f16" : "f32";
      buffers[name] = scope.alloc(values.length, `${name} ${copy}`, dtype);
      device.write(buffers[name], values);
    }
    return buffers;
  });
  let next = 0;
  return recorded(device, () => launch(device, copies[next++ % count]));
}

/** Times cases side by side. */
export async function timeCases(
  context: GpuContext,
  cases: readonly KernelCase[],
): Promise<Line[]> {
  const { device } = context;
  using scope = new Scope(device);
  using owned = new DisposableStack();
  const works = cases.filter(({ feature }) => !feature || device.features.has(feature))
    .map((kernel): Timed => {
      const { name, size, flop, bytes } = kernel;
      const line = { name, size, ...(flop && { flop }), bytes };
      return { line, work: owned.use(uncachedWork(scope, kernel)) };
    });
  return await timeTogether(context, works);
}
