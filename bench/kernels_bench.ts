/**
 * Every kernel, forward and backward, at the sizes of the default model and of GPT-2 124M, on the GPU
 * adapter and as twins: `deno task bench -- --device webgpu --model default`. Deno's own column is
 * one sample: a batch of runs and one wait. The table at the end is for one run, without the wait.
 * @module
 */
import { kernelCases } from "./_cases.ts";
import { benchOptions, Devices } from "./_options.ts";
import { KernelReport } from "./_kernel_report.ts";
import { SHAPES } from "./_shapes.ts";

const { devices, models, samples } = benchOptions(Deno.args, { model: "both" });
const open = new Devices();
const report = new KernelReport(open, { cpu: { target: 0.01 }, webgpu: { target: 0.03 } });

const shapes = SHAPES.filter(({ model }) => models.some((name) => name === model));
for (const shape of shapes) {
  for (const kernel of kernelCases(shape)) {
    const entry = report.entry(shape, kernel);
    for (const kind of devices) {
      if (kind === "cpu" && kernel.onlyWebgpu) continue;
      // Twins are timed at the first shape alone where both devices are asked for: half of the time
      // would go into them. At the others one run of each is what the kernel is compared with.
      if (kind === "cpu" && devices.length > 1 && shape !== shapes[0]) continue;
      // Deno adds two calls. A run of more than 2e8 operations takes long on a software adapter, and
      // several times that as a twin.
      const isSlow = kernel.flop > 2e8;
      Deno.bench({
        name: `${kind} ${kernel.name} ${shape.model} ${shape.batch}`,
        n: samples ?? (kind === "cpu" ? 2 : 5) - (isSlow ? kind === "cpu" ? 1 : 2 : 0),
        warmup: 1,
        // Deno takes only functions that are written as async to be so.
        fn: async (context) => await entry.sample(kind, context),
      });
    }
  }
}

globalThis.addEventListener("unload", () => {
  report.end();
  console.log(report.toString());
  open[Symbol.dispose]();
});
