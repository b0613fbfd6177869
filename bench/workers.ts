/**
 * A training step of the default model on the CPU by several numbers of workers, in turn, so that what
 * else the machine does falls on all alike: `deno run --allow-read bench/workers.ts`.
 * @module
 */
import { parseArgs } from "node:util";
import { CpuDevice } from "../kernels/devices/cpu.ts";
import { between, type Clock, clock, median } from "./_measure.ts";
import { countOf } from "./_options.ts";
import { DEFAULT_SIZES, type Sizes } from "./_sizes.ts";
import { type BatchSize, trainingStep } from "./_steps.ts";
import { formatTable } from "./_table.ts";

/** A step by one number of workers: seconds of the wall clock and of all threads together. */
export interface WorkersLine {
  readonly workers: number;
  /** The shortest step, and the one in the middle. */
  readonly least: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** `samples` steps by each number of workers in turn, after one that counts for none. */
export async function workersLines(
  sizes: Sizes,
  batch: BatchSize,
  { workers, samples = 7 }: { workers: readonly number[]; samples?: number },
): Promise<WorkersLine[]> {
  using owned = new DisposableStack();
  const works = workers.map((count) => {
    const device = owned.use(new CpuDevice({ workers: count }));
    return owned.use(trainingStep(device, sizes, batch));
  });
  const times = works.map(() => [] as Clock[]);
  for (let sample = 0; sample <= samples; sample++) {
    for (const [i, work] of works.entries()) {
      const from = clock();
      work.enqueue(1); // the CPU device returns when it is done
      const took = between(from, clock());
      if (sample > 0) times[i].push(took);
      await new Promise((resolve) => setTimeout(resolve)); // workers come and go meanwhile
    }
  }
  return workers.map((count, i) => ({
    workers: count,
    least: Math.min(...times[i].map(({ wall }) => wall)),
    seconds: median(times[i].map(({ wall }) => wall)),
    cpuSeconds: median(times[i].map(({ cpu }) => cpu)),
  }));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { workers: { type: "string", default: "1,2" }, samples: { type: "string" } },
  });
  const workers = values.workers.split(",").map(Number);
  const samples = values.samples === undefined ? undefined : countOf("samples", values.samples);
  const batch = { B: 48, T: 24 };
  const lines = await workersLines(DEFAULT_SIZES, batch, { workers, samples });
  console.log(`training step default ${batch.B}x${batch.T}, TypeScript twins\n`);
  const rows = lines.map(({ workers, least, seconds, cpuSeconds }) => [
    workers,
    least * 1e3,
    seconds * 1e3,
    cpuSeconds * 1e3,
    lines[0].seconds / seconds,
  ]);
  console.log(formatTable(["workers", "least ms", "median ms", "cpu ms", "times as fast"], rows));
}
