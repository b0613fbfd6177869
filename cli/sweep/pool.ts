/** Runs cells of a sweep at once, each in a worker of its own. @module */
import type { FromCell, ToCell } from "./cell.ts";

/** How a run ended: its exit code, and what went wrong. */
export interface CellEnd {
  code: number;
  message?: string;
}

/**
 * Runs `args` of the command line; stops, with what is done saved, when `signal` aborts. `follow` is told how
 * many of its steps are done: as it begins, and after each.
 */
export type RunCell = (
  args: string[],
  signal: AbortSignal,
  follow?: (step: number, steps: number) => void,
) => Promise<CellEnd>;

/** In a worker. What a worker throws beyond its run is an end with code 1. */
export const inWorker: RunCell = (args, signal, follow) =>
  new Promise((resolve) => {
    const worker = new Worker(new URL("./cell.ts", import.meta.url), { type: "module" });
    const tell = (message: ToCell) => worker.postMessage(message);
    const stop = () => tell({ stop: true });
    const end = (how: CellEnd) => {
      signal.removeEventListener("abort", stop);
      worker.terminate();
      resolve(how);
    };
    worker.onmessage = ({ data }: MessageEvent<FromCell>) => {
      if ("code" in data) end(data);
      else follow?.(data.step, data.steps);
    };
    worker.onerror = (event) => {
      event.preventDefault(); // it ends this run, not the sweep
      end({ code: 1, message: event.message });
    };
    tell({ args });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });

/**
 * Calls `run` for each item, `jobs` at once, in order; none is begun any more once `signal` aborts. Rejects
 * with what `run` throws, after those that were begun have ended.
 */
export async function eachAtOnce<T>(
  items: readonly T[],
  { jobs, signal }: { jobs: number; signal: AbortSignal },
  run: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const one = async () => {
    try {
      while (waiting.length > 0 && !signal.aborted) await run(waiting.shift()!);
    } catch (error) {
      waiting.length = 0; // begins no more
      throw error;
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(jobs, items.length) }, one),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
