/** Euclidean norm of all gradients and the clipping factor (Pascanu et al. 2013, arXiv:1211.5063). @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { rowRanges, view } from "./tensor.ts";
import code from "./global_norm.wgsl" with { type: "text" };
import { totalled } from "./fragments/total.ts";

const CHUNK = 4096; // elements of one partial sum: a multiple of ALIGN, so that chunks can be bound

type Arrays = Record<string, FloatArray>;
type Dims = Record<"N" | "first" | "G" | "maxNorm", number>;

function squares({ grad, partial }: Arrays, { N, first }: Dims): void {
  for (let g = 0; g * CHUNK < N; g++) {
    const end = Math.min(N, (g + 1) * CHUNK);
    let sum = 0;
    for (let i = g * CHUNK; i < end; i++) sum += grad[i] * grad[i];
    partial[first + g] = sum;
  }
}

function finish({ partials, norm }: Arrays, { G, maxNorm }: Dims): void {
  let sum = 0;
  for (let g = 0; g < G; g++) sum += partials[g];
  const length = Math.sqrt(sum);
  norm[0] = length;
  if (!Number.isFinite(length)) norm[1] = 0;
  else norm[1] = maxNorm > 0 && length > maxNorm ? maxNorm / length : 1;
}

function finishPart({ whole, ...arrays }: Arrays, dims: Dims): void {
  finish(arrays, dims);
  if (whole[1] === 0) arrays.norm[1] = 0;
}

/** Elements of `scratch` that `globalNorm` needs for these gradients. */
export function globalNormScratch(grads: readonly Pick<Tensor, "length">[]): number {
  return grads.reduce((sum, { length }) => sum + Math.ceil(length / CHUNK), 0);
}

/**
 * Enqueues norm (2): norm[0] = Euclidean norm of all elements of all `grads`; norm[1] = the factor that
 * brings it down to `maxNorm`: at most 1, exactly 1 when `maxNorm` is 0 (clipping off), and 0 when the
 * norm is not finite, which `adamw` takes as "skip this step". `scratch` is overwritten.
 *
 * Where `grads` are clipped apart from others, `whole` (2) is the norm of all of them, enqueued before: the
 * factor is 0 where that one's is, so that a step is skipped as a whole.
 * @throws {RangeError} when `maxNorm` is negative or not finite
 */
export function globalNorm(
  device: Device,
  { grads, scratch, norm, whole }: {
    grads: readonly Tensor[];
    scratch: Tensor;
    norm: Tensor;
    whole?: Tensor;
  },
  { maxNorm }: { maxNorm: number },
): void {
  if (!(maxNorm >= 0 && maxNorm < Infinity)) {
    throw new RangeError(
      `Cannot clip gradients as maxNorm is finite and not negative: it is ${maxNorm}; 0 turns clipping off`,
    );
  }
  const G = globalNormScratch(grads);
  let first = 0;
  for (const grad of grads) {
    const chunks = Math.ceil(grad.length / CHUNK);
    for (const [start, end] of rowRanges(device.limits, { R: chunks, C: CHUNK })) {
      const at = start * CHUNK, N = Math.min(grad.length, end * CHUNK) - at;
      device.launch({
        kernel: {
          label: "global_norm.squares",
          entryPoint: "squares",
          twin: squares,
          ...totalled(device, code, N),
          constants: { CHUNK },
        },
        dims: { N, first, G, maxNorm },
        bind: {
          grad: [N === grad.length ? grad : view(grad, at, N), N],
          partial: [scratch, G],
        },
        groups: [Math.min(end - start, 65535)],
      });
      first += end - start;
    }
  }
  device.launch({
    kernel: {
      ...(whole
        ? { label: "global_norm.finish_part", entryPoint: "finishPart", twin: finishPart }
        : { label: "global_norm.finish", entryPoint: "finish", twin: finish }),
      ...totalled(device, code, CHUNK), // reads no Pack
      constants: { CHUNK },
    },
    dims: { N: 0, first: 0, G, maxNorm },
    bind: { partials: [scratch, G], norm: [norm, 2], ...(whole && { whole: [whole, 2] as const }) },
    groups: [1],
  });
}
