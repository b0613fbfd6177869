/** What kernels with one workgroup a row of logits have in common: their sizes, and the grid of rows. @module */
import type { Launch } from "./device.ts";

/** N rows, V vocabulary, `ld` elements from one row of logits to the next. */
export interface LogitsDims {
  N: number;
  V: number;
  /** At least V; columns from V on are padding and are not read. */
  ld: number;
  /** Divides the logits; > 0. */
  temperature: number;
}

const LINE = 32768; // workgroups in a line of the grid; WebGPU allows 65,535 a side

/**
 * The sizes that such a launch hands to the WGSL, and a workgroup for each row.
 * @throws {RangeError} that `name` cannot run, when temperature is not positive or ld is below V
 */
export function logitsRows(
  name: string,
  { N, V, ld, temperature }: LogitsDims,
): Pick<Launch, "dims" | "groups"> {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(
      `Cannot run ${name} as the temperature must be positive: it is ${temperature}; ` +
        "for the most probable token sample greedily",
    );
  }
  if (ld < V) {
    throw new RangeError(`Cannot run ${name} as rows hold V = ${V} logits: ld is ${ld}`);
  }
  return { dims: { N, V, ld, temperature }, groups: [Math.min(N, LINE), Math.ceil(N / LINE)] };
}
