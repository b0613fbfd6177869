/**
 * A GRPO step on colors in groups of 8, each way in turn:
 * `deno run --allow-read bench/group_step.ts --device webgpu [--samples N]`.
 * @module
 */
import { groupStep } from "./_groups.ts";
import { benchOptions, openDevice } from "./_options.ts";
import { DEFAULT_SIZES } from "./_sizes.ts";
import { StepReport } from "./_step_report.ts";

/** Six prompts of 19 tokens, eight completions of two tokens each: the batch of `train colors`. */
const COLORS = { B: 48, T: 19, G: 8, tokens: 2 };

if (import.meta.main) {
  const { devices, samples = 9 } = benchOptions(Deno.args, { model: "default" });
  const report = new StepReport();
  for (const kind of devices) {
    using device = await openDevice(kind);
    using work = await groupStep(device, DEFAULT_SIZES, COLORS);
    await work.sample(); // compiles
    for (let i = 0; i < samples; i++) {
      const tokensOf = () => COLORS.B * (COLORS.T + COLORS.tokens);
      report.add("GRPO, G 8", { device, tokensOf, phases: await work.sample() });
    }
  }
  console.log(report.toString());
}
