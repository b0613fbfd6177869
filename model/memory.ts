/**
 * What a model's device memory is for. A plan is a model made on a `CountingDevice`, by the code that
 * makes a real one:
 *
 * ```ts
 * const counting = new CountingDevice(device);
 * using model = Gpt2.empty(counting, config, { valueHead: true });
 * model.reserve({ B: 4, T: 64, R: 128 });
 * console.log(memoryByKind(counting).activations);
 * ```
 * @module
 */
import type { CountingDevice } from "../kernels/devices/counting.ts";
import { MEMORY_KINDS, type MemoryKind } from "../kernels/memory.ts";

/** Bytes by kind. */
export type MemoryByKind = Readonly<Record<MemoryKind, number>>;

/** Bytes by kind at the moment of `device.memory.peak`, which they add up to. */
export function memoryByKind({ peakByKind }: Pick<CountingDevice, "peakByKind">): MemoryByKind {
  const entries = MEMORY_KINDS.map((kind) => [kind, peakByKind.get(kind) ?? 0]);
  return Object.fromEntries(entries) as MemoryByKind;
}

/** Bytes of all kinds together. */
export const sumOfKinds = (bytes: MemoryByKind): number =>
  MEMORY_KINDS.reduce((sum, kind) => sum + bytes[kind], 0);
