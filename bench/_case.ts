/** What a kernel bench needs to know of one operation at one size, and how it is run and checked. @module */
import type { Device, HostArray, Tensor } from "../kernels/device.ts";
import type { Scope } from "../kernels/scope.ts";
import { relativeError } from "../tests/_close.ts";
import { recorded, type Work } from "./_measure.ts";

/** One operation at one size. */
export interface KernelCase {
  /** Operation, and what distinguishes it. */
  readonly name: string;
  /** Sizes in letters, e.g. "N 1152 C 128". */
  readonly size: string;
  /** Multiplications and additions of one run; 0 where memory alone limits. */
  readonly flop: number;
  /** Bytes of one run if every input is read once and every output is written once. */
  readonly bytes: number;
  /** Buffers by name. Made only when the case runs, as some are large. */
  data(): Record<string, HostArray>;
  /** Buffers stored as f16; none by default. */
  readonly half?: readonly string[];
  /** Those that must agree with the twin's after one run. */
  readonly outputs: readonly string[];
  // deno-lint-ignore no-explicit-any -- each op names its own buffers; a missing one fails the launch
  readonly launch: (device: Device, x: any) => void;
  /** The twin and the sizes are another case's: only the kernel differs. */
  readonly onlyWebgpu?: boolean;
  /** Device feature without which the kernel cannot run. */
  readonly feature?: string;
}

/** `n` numbers in [-scale, scale) without a pattern; the same in every run. */
export function noise(n: number, scale = 1): Float32Array<ArrayBuffer> {
  const out = new Float32Array(n);
  let state = 0x9e3779b9 ^ n;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0; // Knuth's linear congruence
    out[i] = state * 2 ** -31 * scale;
  }
  return out;
}

/** `n` ids below `below`. */
export function ids(n: number, below: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(noise(n), (x) => Math.floor((x + 1) / 2 * below));
}

/** `n` zeros. */
export const zeros = (n: number): Float32Array<ArrayBuffer> => new Float32Array(n);

/** `n` times the same number. */
export const filled = (n: number, value: number): Float32Array<ArrayBuffer> => zeros(n).fill(value);

/** A case on a device, run once. */
export interface Prepared {
  readonly work: Work;
  /** What the outputs held after the first run. */
  readonly outputs: Record<string, HostArray>;
}

/** The buffers of a case, with its data. `scope` owns them. */
export function caseBuffers(
  scope: Scope,
  { data, half = [] }: Pick<KernelCase, "data" | "half">,
): Record<string, Tensor> {
  const buffers: Record<string, Tensor> = {};
  for (const [name, values] of Object.entries(data())) {
    const dtype = values instanceof Uint32Array ? "u32" : half.includes(name) ? "f16" : "f32";
    scope.device.write(buffers[name] = scope.alloc(values.length, name, dtype), values);
  }
  return buffers;
}

/** Uploads the data, runs the case once, and reads its outputs. `scope` owns the buffers. */
export async function prepareCase(
  scope: Scope,
  { outputs, launch, ...of }: KernelCase,
): Promise<Prepared> {
  const { device } = scope, buffers = caseBuffers(scope, of);
  const work = recorded(device, () => launch(device, buffers));
  work.enqueue(1);
  const read = await device.read(...outputs.map((name) => buffers[name]));
  return { work, outputs: Object.fromEntries(outputs.map((name, i) => [name, read[i]])) };
}

/**
 * The largest relative error (norm of the difference over norm) among the outputs.
 * @throws {Error} when one exceeds `rtol`: a wrong kernel is not worth timing
 */
export function checkOutputs(
  name: string,
  { got, want, rtol = 1e-4 }: {
    got: Record<string, HostArray>;
    want: Record<string, HostArray>;
    rtol?: number;
  },
): number {
  let worst = 0;
  for (const output of Object.keys(want)) {
    const error = relativeError(got[output], want[output]);
    if (!(error <= rtol)) {
      throw new Error(
        `Cannot time ${name} as its ${output} must agree with the twin's within ${rtol}: ` +
          `the relative error is ${error}`,
      );
    }
    worst = Math.max(worst, error);
  }
  return worst;
}
