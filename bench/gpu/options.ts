/** What may follow `deno task bench:gpu`. @module */
import { parseArgs } from "node:util";

/** A run of the measurements. */
export interface GpuBenchOptions {
  /** Fewer rows, and a budget of three minutes instead of eight. */
  readonly short: boolean;
  /** Takes the software adapter, at sizes that it gets through. */
  readonly software: boolean;
  /** Folder that gets `results.json` and `table.md`. */
  readonly out: string;
  /** Seconds in all, from `since` on. */
  readonly budget: number;
  /** Seconds since 1970 at which the clock of the budget started: unpacking counts as well. */
  readonly since: number;
  /** Goes on from the `results.json` of a process that crashed. */
  readonly resume: boolean;
  /** Rows whose name contains this; all when absent. */
  readonly only?: string;
}

/** Seconds that a run may take. */
export const BUDGET = { full: 460, short: 170 } as const;

/**
 * Reads `--short`, `--software`, `--out FOLDER`, `--budget SECONDS`, `--since SECONDS`, `--resume` and
 * `--only TEXT`. `now` is in seconds since 1970.
 * @throws {TypeError} for any other argument
 * @throws {RangeError} when a number of seconds is not positive
 */
export function gpuBenchOptions(args: readonly string[], now = Date.now() / 1e3): GpuBenchOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      short: { type: "boolean", default: false },
      software: { type: "boolean", default: false },
      resume: { type: "boolean", default: false },
      out: { type: "string", default: "runs/bench-gpu" },
      budget: { type: "string" },
      since: { type: "string" },
      only: { type: "string" },
    },
  });
  const { short, software, resume, out, only } = values;
  const budget = secondsOf("budget", values.budget, short ? BUDGET.short : BUDGET.full);
  const since = secondsOf("since", values.since, now);
  return { short, software, resume, out, budget, since, ...(only && { only }) };
}

function secondsOf(name: string, text: string | undefined, standard: number): number {
  const seconds = text === undefined ? standard : Number(text);
  if (seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new RangeError(
    `Cannot bench as --${name} must be a positive number of seconds: it is "${text}"`,
  );
}
