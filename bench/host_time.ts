/**
 * The host's own time in a training step of the default model:
 * `deno run --allow-read bench/host_time.ts --device webgpu [--samples STEPS]`.
 *
 * Steps run one after the other, each waited for by reading its loss. Host: processor time of the main
 * thread alone (`process.threadCpuUsage`: user and system), which encodes, submits and reads; while it
 * waits for the device it takes none, and a software adapter computes on other threads. It is summed
 * over all steps, as some systems count it in ticks of 10 ms. Wall: all steps together, less what
 * waiting for an empty queue costs a step.
 * @module
 */
import process from "node:process";
import type { Device } from "../kernels/device.ts";
import { Gpt2 } from "../model/gpt2.ts";
import { between, clock, emptyQueue } from "./_measure.ts";
import { benchOptions, openDevice } from "./_options.ts";
import { DEFAULT_SIZES, type Sizes } from "./_sizes.ts";
import { type BatchSize, trainingStep } from "./_steps.ts";

/** Seconds of one step. */
export interface HostTime {
  readonly host: number;
  readonly wall: number;
  /** Processor time of all threads. */
  readonly cpu: number;
}

/** Processor time of this thread, seconds. */
function threadSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** `steps` training steps on B sequences of T tokens, after three that compile and warm up. */
export async function hostTime(
  device: Device,
  sizes: Sizes,
  { B, T, steps }: BatchSize & { steps: number },
): Promise<HostTime> {
  using model = Gpt2.create(device, sizes);
  using work = trainingStep(device, sizes, { B, T, model });
  const step = async () => {
    work.enqueue(1);
    await model.readLoss();
  };
  for (let i = 0; i < 3; i++) await step();
  const { wait } = await emptyQueue(device);
  const [thread, from] = [threadSeconds(), clock()];
  for (let i = 0; i < steps; i++) await step();
  const host = threadSeconds() - thread, { wall, cpu } = between(from, clock());
  return {
    host: host / steps,
    wall: Math.max(1e-6, wall / steps - wait.wall),
    cpu: cpu / steps,
  };
}

if (import.meta.main) {
  const { devices, samples: steps = 60 } = benchOptions(Deno.args, { model: "default" });
  for (const kind of devices) {
    using device = await openDevice(kind);
    const { host, wall, cpu } = await hostTime(device, DEFAULT_SIZES, { B: 48, T: 24, steps });
    const [ms, all, threads] = [host, wall, cpu].map((seconds) => (1e3 * seconds).toFixed(1));
    console.log(
      `${device.name}: host ${ms} ms of a step's ${all} ms, ${(100 * host / wall).toFixed(1)} %; ` +
        `all threads ${threads} ms of processor time`,
    );
  }
}
