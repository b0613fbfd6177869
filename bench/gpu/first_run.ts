/**
 * How long the pipelines of a training step take to compile in a process of its own. Prints one line of
 * JSON; `--software` takes the software adapter.
 * @module
 */
import { Scope } from "../../kernels/scope.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { trainingStep } from "../_steps.ts";
import { HARDWARE, SOFTWARE } from "./sizes.ts";

/** Seconds of the first steps of a process. */
export interface FirstRun {
  readonly pipelines: number;
  /** In all calls that create a pipeline. */
  readonly compileSeconds: number;
  readonly firstStepSeconds: number;
  readonly nextStepSeconds: number;
}

/** Takes two training steps of the default model and notes what creating pipelines took. */
export async function firstRun(software: boolean): Promise<FirstRun> {
  const { small, smallStep } = software ? SOFTWARE : HARDWARE;
  using device = await WebGpuDevice.open({ adapter: software ? "software" : "hardware" });
  let pipelines = 0, compiling = 0;
  const create = device.device.createComputePipeline.bind(device.device);
  device.device.createComputePipeline = (descriptor) => {
    const from = performance.now();
    const pipeline = create(descriptor);
    compiling += performance.now() - from;
    pipelines++;
    return pipeline;
  };
  using scope = new Scope(device);
  const probe = scope.alloc(1, "probe");
  device.zero(probe);
  await device.read(probe);
  using work = trainingStep(device, small, smallStep);
  const step = async () => {
    const from = performance.now();
    work.enqueue(1);
    await device.read(probe);
    return (performance.now() - from) / 1e3;
  };
  const firstStepSeconds = await step();
  return {
    pipelines,
    compileSeconds: compiling / 1e3,
    firstStepSeconds,
    nextStepSeconds: await step(),
  };
}

if (import.meta.main) console.log(JSON.stringify(await firstRun(Deno.args.includes("--software"))));
