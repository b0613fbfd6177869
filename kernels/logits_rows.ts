/** What kernels with one workgroup a row of logits have in common: their sizes, and their launch. @module */
import type { Device, Kernel, Launch } from "./device.ts";

/** N rows, V vocabulary, `ld` elements from one row of logits to the next. */
export interface LogitsDims {
  N: number;
  V: number;
  /** At least V; columns from V on are padding and are not read. */
  ld: number;
  /** Divides the logits; > 0. */
  temperature: number;
}

// Lanes of a row. A software adapter runs 8 at once; more of them only wait at barriers.
const lanes = (device: Device): number => device.software ? 8 : 256;

const LINE = 32768; // workgroups in a line of the grid; WebGPU allows 65,535 a side

/**
 * Enqueues such a kernel, a workgroup for each row. `name` is that of its file.
 * @throws {RangeError} when temperature is not positive, ld is below V, or a buffer is too small
 */
export function launchLogitsRows(
  device: Device,
  { name, ...kernel }: Pick<Kernel, "entryPoint" | "code" | "variant" | "twin"> & { name: string },
  { bind, dims: { N, V, ld, temperature } }: { bind: Launch["bind"]; dims: LogitsDims },
): void {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(
      `Cannot run ${name} as the temperature must be positive: it is ${temperature}; ` +
        "for the most probable token sample greedily",
    );
  }
  if (ld < V) {
    throw new RangeError(`Cannot run ${name} as rows hold V = ${V} logits: ld is ${ld}`);
  }
  device.launch({
    kernel: { label: `${name}.${kernel.entryPoint}`, ...kernel, workgroup: lanes(device) },
    dims: { N, V, ld, temperature },
    groups: [Math.min(N, LINE), Math.ceil(N / LINE)],
    bind,
  });
}
