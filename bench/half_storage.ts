/**
 * Kernels by weights stored as f16 beside the same by f32, in turn, so that what else the machine does
 * falls on both alike: `deno run --allow-read bench/half_storage.ts --device webgpu --model both`.
 * @module
 */
import type { Device } from "../kernels/device.ts";
import { Scope } from "../kernels/scope.ts";
import { prepareCase } from "./_case.ts";
import { kernelCases } from "./_cases.ts";
import { Batch, type BatchOptions } from "./_measure.ts";
import { benchOptions, openDevice } from "./_options.ts";
import { type Shape, SHAPES } from "./_shapes.ts";
import { formatTable } from "./_table.ts";

/** One kernel: processor time of a run by either storage, milliseconds. */
export interface HalfLine {
  readonly name: string;
  readonly size: string;
  readonly f32: number;
  readonly f16: number;
}

/** Every kernel of `shape` that has a case for f16, `samples` times by each storage in turn. */
export async function halfLines(
  device: Device,
  shape: Shape,
  { samples = 9, ...batch }: BatchOptions & { samples?: number } = {},
): Promise<HalfLine[]> {
  const cases = kernelCases(shape);
  const lines: HalfLine[] = [];
  for (const half of cases.filter((kernel) => kernel.half)) {
    const name = half.name.replace(", f16", "");
    const full = cases.find((kernel) => kernel.name === name)!;
    using scope = new Scope(device);
    using works = new DisposableStack();
    const batches: Batch[] = [];
    for (const kernel of [full, half]) {
      const { work } = await prepareCase(scope, kernel);
      batches.push(await Batch.prepare(device, works.use(work), batch));
    }
    for (let i = 0; i < samples; i++) {
      for (const one of i % 2 === 0 ? batches : batches.toReversed()) await one.sample();
    }
    const [f32, f16] = batches.map((one) => one.result().cpuSeconds * 1e3);
    lines.push({ name, size: half.size, f32, f16 });
  }
  return lines;
}

if (import.meta.main) {
  const { devices, models, samples } = benchOptions(Deno.args, { model: "both" });
  for (const kind of devices) {
    using device = await openDevice(kind);
    for (const shape of SHAPES.filter(({ model }) => models.some((name) => name === model))) {
      const lines = await halfLines(device, shape, { samples });
      console.log(`\n${kind}: ${device.name}, ${shape.model} model, batch ${shape.batch}\n`);
      const rows = lines.map(({ name, size, f32, f16 }) => [name, size, f32, f16, f16 / f32]);
      console.log(formatTable(["kernel", "size", "cpu ms f32", "cpu ms f16", "f16 / f32"], rows));
    }
  }
}
