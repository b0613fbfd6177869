/**
 * What the host does in a step of `train colors --reward exact`, and how much of the step that takes:
 * `deno run --allow-read bench/host_share.ts`.
 * @module
 */
import { type TrainRequest, trainTask } from "../experiment/train.ts";
import { WebGpuDevice } from "../kernels/devices/webgpu.ts";
import { type Calls, watchCalls } from "./_calls.ts";
import { median } from "./_measure.ts";
import { formatTable } from "./_table.ts";

/** A step of a run. */
export interface HostStep extends Calls {
  /** Seconds of the whole step. */
  seconds: number;
}

/** Steps whose shapes are not all known yet: programs are recorded, kernels compiled. */
const WARM_UP = 2;

/** Takes the steps of a short run, those of the warm-up left out. */
export async function hostSteps(
  device: WebGpuDevice,
  { steps, ...request }: { steps: number } & Pick<TrainRequest, "algorithm" | "model">,
): Promise<HostStep[]> {
  const calls = watchCalls(device), taken: HostStep[] = [];
  let from = 0;
  const nothing = () => {};
  const next = () => {
    calls.take();
    from = performance.now();
  };
  await trainTask({ task: "colors", reward: "exact", steps: steps + WARM_UP, ...request }, {
    ...{ start: nothing, evaluation: nothing, end: nothing },
    checkpoint: () => Promise.resolve(next()),
    step: () => {
      taken.push({ ...calls.take(), seconds: (performance.now() - from) / 1000 });
      next();
    },
  }, { device });
  return taken.slice(WARM_UP);
}

/** The medians as a table. */
export function hostTable(rows: readonly [name: string, steps: readonly HostStep[]][]): string {
  const columns = ["step", "ms", "host ms", "host %", "launches", "submissions", "writes", "KB"];
  return formatTable(
    [...columns, "reads", "buffers", "bind groups"],
    rows.map(([name, steps]) => {
      const of = (what: (step: HostStep) => number) => median(steps.map(what));
      const host = ({ seconds, waited }: HostStep) => seconds - waited;
      return [
        name,
        of(({ seconds }) => seconds * 1e3),
        of((step) => host(step) * 1e3),
        of((step) => 100 * host(step) / step.seconds),
        of(({ launches }) => launches),
        of(({ submissions }) => submissions),
        of(({ writes }) => writes),
        of(({ written }) => written / 1e3),
        of(({ reads }) => reads),
        of(({ buffers }) => buffers),
        of(({ bindGroups }) => bindGroups),
      ];
    }),
  );
}

if (import.meta.main) {
  const rows: [string, HostStep[]][] = [];
  for (const algorithm of ["ppo", "grpo"]) {
    using device = await WebGpuDevice.open();
    rows.push([algorithm, await hostSteps(device, { algorithm, steps: 8 })]);
    console.error(`${algorithm}: ${device.name}`);
  }
  console.log(hostTable(rows));
}
