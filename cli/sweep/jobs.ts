/** How many runs of a sweep go on at once. @module */
import { formatBytes } from "../../base/units.ts";
import type { PlannedRun } from "../../experiment/plan.ts";

/** A number of runs at once, and why it is that, for people. */
export interface Jobs {
  jobs: number;
  why: string;
}

/**
 * Bytes that a run takes beside its device's memory: engine, modules, tokenizer, what it has read. Measured:
 * 290 MiB for the first run of colors in a process, 180 for each further one.
 */
export const BESIDE = 300 * 2 ** 20;

/**
 * As many as there are cores, runs and memory for; at least one. Where a device's memory is not known, one:
 * `--jobs` and `--memory` say what it bears.
 * @param plans of every kind of run in the sweep: the largest counts
 */
export function jobsFor(
  plans: readonly Pick<PlannedRun, "device" | "total" | "available">[],
  { cells, cores, asked }: { cells: number; cores: number; asked?: number },
): Jobs {
  if (asked !== undefined) return { jobs: Math.min(asked, cells), why: "as asked" };
  const total = Math.max(...plans.map((plan) => plan.total));
  const [{ device: { software } }] = plans;
  const available = Math.min(...plans.map((plan) => plan.available ?? Infinity));
  const each = total + (software ? BESIDE : 0);
  if (available === Infinity && !software) {
    return { jobs: 1, why: "what the device has is not known: --jobs or --memory GIB states it" };
  }
  const room = Math.max(1, Math.floor(available / each)), jobs = Math.min(cells, cores, room);
  const memory = available === Infinity ? "" : ` of ${formatBytes(available)}`;
  return { jobs, why: `${cores} cores, about ${formatBytes(each)}${memory} each` };
}
