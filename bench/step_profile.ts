/**
 * Which kernels take the time of a training step: of the default model, or with `--model gpt2` of GPT-2
 * 124M. `deno run --allow-read bench/step_profile.ts --device webgpu`.
 * @module
 */
import { benchOptions, openDevice } from "./_options.ts";
import { profileStep, profileTable } from "./_profile.ts";
import { DEFAULT_SIZES, GPT2_SIZES } from "./_sizes.ts";

const STEPS = {
  default: { sizes: DEFAULT_SIZES, batch: { B: 48, T: 24 } },
  gpt2: { sizes: GPT2_SIZES, batch: { B: 1, T: 64 } },
} as const;

if (import.meta.main) {
  const { devices, models, samples } = benchOptions(Deno.args, { model: "default" });
  for (const kind of devices) {
    using device = await openDevice(kind);
    for (const model of models) {
      const { sizes, batch } = STEPS[model];
      const lines = await profileStep(device, sizes, batch, { samples });
      const what = `${model}, one training step of ${batch.B}x${batch.T} tokens`;
      console.log(`\n${kind}: ${device.name}, ${what}\n\n${profileTable(lines)}`);
    }
  }
}
