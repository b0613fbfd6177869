/**
 * A training step, a decode step and a PPO update with its phases, with the device memory that each
 * held: `deno task bench -- --device webgpu`. GPT-2 124M only with `--model gpt2`.
 * @module
 */
import type { Device } from "../kernels/device.ts";
import { Batch } from "./_measure.ts";
import { groupStep } from "./_groups.ts";
import { colorsUpdate } from "./_prefixes.ts";
import { benchOptions, type DeviceKind } from "./_options.ts";
import { StepReport } from "./_step_report.ts";
import { DEFAULT_SIZES, GPT2_SIZES } from "./_sizes.ts";
import { decoding, type PhasedWork, ppoUpdate, trainingFlop, trainingStep } from "./_steps.ts";

const { devices, models, samples } = benchOptions(Deno.args, { model: "default" });
const report = new StepReport();

/** Registers one bench, whose first call prepares; each has a device of its own, so that peaks are. */
function bench(
  name: string,
  kind: DeviceKind,
  { n, prepare }: { n: number; prepare: (device: Device) => Promise<() => Promise<void>> },
): void {
  let sample: (() => Promise<void>) | undefined;
  Deno.bench({
    name: `${kind} ${name}`,
    n,
    warmup: 1,
    async fn(context) {
      sample ??= await prepare(await report.begin(kind));
      context.start();
      await sample();
      context.end();
    },
  });
}

for (const model of models) {
  const sizes = model === "gpt2" ? GPT2_SIZES : DEFAULT_SIZES;
  const batches = model === "gpt2" ? [{ B: 4, T: 64 }] : [{ B: 48, T: 24 }, { B: 8, T: 128 }];
  for (const kind of devices) {
    const n = samples ?? (kind === "cpu" || model === "gpt2" ? 1 : 3);
    // Beside an adapter the twins do one of each kind: they take seconds a run.
    const isBrief = kind === "cpu" && devices.length > 1;
    const lora = { rank: 8, targets: "all-linear" };
    const [first, ...others] = [...batches, { ...batches[0], lora }];
    for (const batch of isBrief ? [first] : [first, ...others]) {
      const label = `${model} ${batch.B}x${batch.T}${"lora" in batch ? " LoRA" : ""}`;
      bench(`training step ${label}`, kind, {
        n,
        async prepare(device) {
          const work = report.own(trainingStep(device, sizes, batch));
          const batched = await Batch.prepare(device, work, { target: 0.1, most: 4 });
          const row = { work: `training step ${label}`, tokens: batch.B * batch.T };
          const flop = "lora" in batch ? undefined : trainingFlop(sizes, batch);
          return async () => {
            await batched.sample();
            report.set({ ...row, flop }, device, batched.result());
          };
        },
      });
    }
    const phased = (
      name: string,
      [count, tokensOf]: [n: number, tokensOf: (phase: string) => number],
      make: (device: Device) => PhasedWork | Promise<PhasedWork>,
    ) =>
      bench(`${name} ${model}`, kind, {
        n: count,
        async prepare(device) {
          const work = report.own(await make(device));
          await work.sample(); // compiles
          return async () =>
            report.add(`${name} ${model}`, { device, tokensOf, phases: await work.sample() });
        },
      });
    const [{ B }] = batches;
    const T = model === "gpt2" ? 32 : 22;
    const drawn = (rows: number) => (phase: string) => phase === "prefill" ? rows * T : rows;
    phased(`generation ${B}x${T}`, [n, drawn(B)], (device) => decoding(device, sizes, { B, T }));
    phased(`generation 1x${T}`, [n, drawn(1)], (device) => decoding(device, sizes, { B: 1, T }));
    phased(
      `PPO update ${B}x${T}+2`,
      [n, () => B * (T + 2)],
      (device) => ppoUpdate(device, sizes, { B, T }),
    );
    const G = Math.min(8, B);
    const groups = model === "gpt2" ? [{ B, T }] : [{ B, T }, { B: 16, T: 120 }];
    for (const group of isBrief ? [] : groups) {
      phased(
        `GRPO step ${group.B}x${group.T}+2, groups of ${G}`,
        [n, () => group.B * (group.T + 2)],
        (device) => groupStep(device, sizes, { ...group, G }),
      );
    }
    if (model !== "default") continue;
    for (const task of [{ algorithm: "ppo" }, { algorithm: "grpo", groupSize: 8 }]) {
      phased(
        `colors, ${task.algorithm}`,
        [n, () => 48 * (19 + 2)],
        (device) => colorsUpdate(device, task),
      );
    }
  }
}

globalThis.addEventListener("unload", () => {
  report.end();
  console.log(report.toString());
});
