/**
 * Which kernels take the time of a training step of the default model:
 * `deno run --allow-read bench/step_profile.ts --device webgpu`.
 * @module
 */
import { benchOptions, openDevice } from "./_options.ts";
import { profileStep, profileTable } from "./_profile.ts";
import { DEFAULT_SIZES } from "./_sizes.ts";

if (import.meta.main) {
  const { devices } = benchOptions(Deno.args, { model: "default" });
  for (const kind of devices) {
    using device = await openDevice(kind);
    const batch = { B: 48, T: 24 };
    const lines = await profileStep(device, DEFAULT_SIZES, batch);
    console.log(`\n${kind}: ${device.name}, one training step of ${batch.B}x${batch.T} tokens\n`);
    console.log(profileTable(lines));
  }
}
