/** Tunes the adapter that `--device webgpu` takes. @module */
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import type { Measured } from "../commands/tune.ts";
import { FULL, groupsOf, QUICK } from "./trials.ts";
import { tune, type TuneOptions } from "./tune.ts";
import { mayStart, timeVectors, vectorBits, type VectorWidth } from "./vectors.ts";

/** Seconds of kernels and of each process that times vectors. The rest is compiling, and the last trial. */
const EFFORT = {
  quick: { sizes: QUICK, samples: 6, target: 0.03, budget: 60, vectors: 1 },
  full: { sizes: FULL, samples: 5, target: 0.06, budget: 170, vectors: 3 },
};

/** @throws {Error} when no adapter gives a device; the signal's reason where it is aborted */
export async function measureHere(
  quick: boolean,
  { report, signal }: Pick<TuneOptions, "report" | "signal">,
): Promise<Measured> {
  const { sizes, vectors: seconds, ...effort } = quick ? EFFORT.quick : EFFORT.full;
  using device = await WebGpuDevice.open();
  const { name, kind, software } = device;
  const result = await tune(device, { groups: groupsOf(sizes), ...effort, report, signal });
  return {
    ...{ ...result, device: { name, kind, software } },
    ...await vectorsOf(name, { seconds, signal }),
  };
}

async function vectorsOf(
  adapter: string,
  options: { seconds: number; signal?: AbortSignal },
): Promise<{ vectors?: VectorWidth[]; noVectors?: string }> {
  if (vectorBits(adapter) === undefined) return {};
  if (!mayStart()) return { noVectors: "no deno on the path, or it may not be started" };
  try {
    return { vectors: await timeVectors(adapter, options) };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    return { noVectors: (error as Error).message };
  }
}
