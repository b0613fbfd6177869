/** Splits a training step into its launches, and times each kind of launch by itself. @module */
import type { Device, Launch, Program } from "../kernels/device.ts";
import { type BatchOptions, measure, recorded } from "./_measure.ts";
import type { Sizes } from "./_sizes.ts";
import { type BatchSize, trainingStep } from "./_steps.ts";
import { formatTable } from "./_table.ts";

/** All launches of a step that are alike. */
export interface ProfileLine {
  /** Label of the kernel, and where it matters the sizes. */
  kernel: string;
  /** Launches a step. */
  count: number;
  /** Seconds of one launch. */
  seconds: number;
  cpuSeconds: number;
}

/** A device that notes the launches that run, and passes everything on: of a recorded list at each run. */
export function listening(device: Device, heard: Launch[]): Device {
  let notes = heard; // of the list that is recorded, or of what runs
  const launch = (one: Launch): void => {
    device.launch(one);
    notes.push(one);
  };
  const record = (label: string, build: () => void): Program => {
    const list: Launch[] = [], outside = notes;
    notes = list;
    try {
      const program = device.record(label, build);
      return {
        ...{ label, length: program.length },
        run() {
          program.run();
          heard.push(...list);
        },
        [Symbol.dispose]: () => program[Symbol.dispose](),
      };
    } finally {
      notes = outside;
    }
  };
  return new Proxy(device, {
    get(target, key) {
      if (key === "launch") return launch;
      if (key === "record") return record;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const sizesOf = (launch: Launch): string =>
  Object.entries(launch.dims).filter(([name]) => /^[A-Z]$/.test(name) && launch.dims[name] > 0)
    .map(([name, value]) => `${name} ${value}`).join(" ");

/**
 * The launches of one training step, the costliest kind first. Timed alone, over and over: caches are
 * warmer than in a step, so the parts add up to a little less than the whole.
 */
export async function profileStep(
  device: Device,
  sizes: Sizes,
  batch: BatchSize,
  { samples = 5, target = 0.04, most = 64 }: BatchOptions & { samples?: number } = {},
): Promise<ProfileLine[]> {
  const heard: Launch[] = [];
  using work = trainingStep(listening(device, heard), sizes, batch);
  work.enqueue(1);
  const kinds = Map.groupBy(heard, (launch) => {
    const { TRANSPOSE_A = 0, TRANSPOSE_B = 0 } = launch.kernel.constants ?? {};
    const orientation = launch.kernel.label.startsWith("matmul")
      ? TRANSPOSE_A ? " TN" : TRANSPOSE_B ? " NT" : " NN"
      : "";
    return `${launch.kernel.label}${orientation} ${sizesOf(launch)}`;
  });
  const lines: ProfileLine[] = [];
  for (const [kernel, launches] of kinds) {
    const alone = recorded(device, () => device.launch(launches[0]));
    const { seconds, cpuSeconds } = await measure(device, alone, { samples, target, most });
    lines.push({ kernel, count: launches.length, seconds, cpuSeconds });
  }
  return lines.sort((a, b) => b.cpuSeconds * b.count - a.cpuSeconds * a.count);
}

/** The lines as a table, with the share of each in the sum. */
export function profileTable(lines: readonly ProfileLine[]): string {
  const total = lines.reduce((sum, { cpuSeconds, count }) => sum + cpuSeconds * count, 0);
  const rows = lines.map(({ kernel, count, seconds, cpuSeconds }) => [
    kernel,
    count,
    seconds * 1e3,
    cpuSeconds * 1e3,
    cpuSeconds * count * 1e3,
    100 * cpuSeconds * count / total,
  ]);
  const columns = ["launch", "times", "ms each", "cpu ms each", "cpu ms a step", "% of cpu"];
  return formatTable(columns, rows);
}
