/**
 * How long work takes on a device. Runs are enqueued together and waited for once; the wait for an
 * empty queue is taken off; the median of several such samples counts.
 * @module
 */
import process from "node:process";
import type { Device, Tensor } from "../kernels/device.ts";

/** Work that can be enqueued any number of times over. */
export interface Work extends Disposable {
  enqueue(runs: number): void;
}

/** How a batch is chosen. */
export interface BatchOptions {
  /** Seconds that one sample should take, the wait excluded. Default 0.06, five times the wait. */
  target?: number;
  /** Most runs of one sample. Default 256. */
  most?: number;
}

/** Times of one run, seconds. */
export interface Measurement {
  /** Median over the samples of wall time without the wait, divided by the runs of a sample. */
  seconds: number;
  /** As `seconds`, of processor time of this process, all threads together. */
  cpuSeconds: number;
  /** The least of each over the samples: what other programs disturbed least. */
  least: Clock;
  /** (largest - smallest) / median of the wall time. */
  spread: number;
  /** Runs enqueued for each wait. */
  runs: number;
  samples: number;
}

/** A sample shorter than this measures the jitter of the wait: it counts as this long. */
const SHORTEST = 1e-7;

/** The middle of `values`, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take a median as there are no values: 0");
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** A time, seconds. */
export interface Clock {
  wall: number;
  cpu: number;
}

/** Wall and processor time since some start, seconds. */
export function clock(): Clock {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1e3, cpu: (user + system) / 1e6 };
}

/** What passed from one time to another. */
export const between = (from: Clock, to: Clock): Clock => ({
  wall: to.wall - from.wall,
  cpu: to.cpu - from.cpu,
});

/** Waits until everything enqueued is done. */
async function settle(device: Device, probe: Tensor): Promise<void> {
  await device.read(probe);
}

const waits = new WeakMap<Device, { probe: Tensor; wait: Clock }>();

/** A tensor to wait on, and what waiting for an empty queue costs; measured once a device. */
export async function emptyQueue(device: Device): Promise<{ probe: Tensor; wait: Clock }> {
  const known = waits.get(device);
  if (known) return known;
  const probe = device.alloc(1, "probe");
  device.zero(probe);
  await settle(device, probe);
  const samples: Clock[] = [];
  for (let i = 0; i < 9; i++) {
    const from = clock();
    await settle(device, probe);
    samples.push(between(from, clock()));
  }
  // The shortest, not the median: on a busy machine the median waits for other processes as well,
  // and taking that off would leave nothing of a short sample.
  const wait = {
    wall: Math.min(...samples.map(({ wall }) => wall)),
    cpu: Math.min(...samples.map(({ cpu }) => cpu)),
  };
  const found = { probe, wait };
  waits.set(device, found);
  return found;
}

/** Seconds that reading back one element from an idle device takes. */
export async function emptyWait(device: Device): Promise<number> {
  return (await emptyQueue(device)).wait.wall;
}

/** Work prepared for sampling: compiled, warm, and with a number of runs that suits the clock. */
export class Batch {
  #samples: Clock[] = [];

  private constructor(
    readonly device: Device,
    readonly work: Work,
    readonly runs: number,
  ) {}

  /** Runs `work` in growing batches until one takes long enough to be timed; that warms it up, too. */
  static async prepare(
    device: Device,
    work: Work,
    { target = 0.06, most = 256 }: BatchOptions = {},
  ): Promise<Batch> {
    const first = new Batch(device, work, 1);
    await first.sample(); // compiles
    if (first.result().seconds > 5 * target) return first.#afresh();
    for (let runs = 1;; runs *= 4) {
      const trial = new Batch(device, work, Math.min(runs, most));
      await trial.sample();
      const { seconds } = trial.result();
      const enough = seconds * runs >= target / 4 || runs >= most;
      if (!enough) continue;
      const wanted = Math.min(most, Math.max(1, Math.round(target / seconds)));
      const batch = new Batch(device, work, wanted);
      if (wanted > trial.runs) await batch.sample();
      return batch.#afresh();
    }
  }

  #afresh(): Batch {
    this.#samples = [];
    return this;
  }

  /** Enqueues the runs, waits once, and notes the time. */
  async sample(): Promise<void> {
    const { probe, wait } = await emptyQueue(this.device);
    const from = clock();
    this.work.enqueue(this.runs);
    await settle(this.device, probe);
    const { wall, cpu } = between(from, clock());
    this.#samples.push({
      wall: Math.max(SHORTEST, wall - wait.wall) / this.runs,
      cpu: Math.max(SHORTEST, cpu - wait.cpu) / this.runs,
    });
  }

  /** What the samples say. @throws {RangeError} when there are none */
  result(): Measurement {
    const wall = this.#samples.map(({ wall }) => wall);
    const cpu = this.#samples.map(({ cpu }) => cpu), seconds = median(wall);
    return {
      seconds,
      cpuSeconds: median(cpu),
      least: { wall: Math.min(...wall), cpu: Math.min(...cpu) },
      spread: (Math.max(...wall) - Math.min(...wall)) / seconds,
      runs: this.runs,
      samples: wall.length,
    };
  }
}

/** Work that is recorded as one program, as a model's passes are: one submission for all runs. */
export function recorded(device: Device, launch: () => void): Work {
  let program = device.record("once", launch);
  let recordedRuns = 1;
  return {
    enqueue(runs) {
      if (runs !== recordedRuns) {
        program[Symbol.dispose]();
        program = device.record(`${runs} times`, () => {
          for (let i = 0; i < runs; i++) launch();
        });
        recordedRuns = runs;
      }
      program.run();
    },
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/** Prepares, samples and disposes of `work` in one call. */
export async function measure(
  device: Device,
  work: Work,
  { samples = 7, ...options }: BatchOptions & { samples?: number } = {},
): Promise<Measurement> {
  using owned = work;
  const batch = await Batch.prepare(device, owned, options);
  for (let i = 0; i < samples; i++) await batch.sample();
  return batch.result();
}
