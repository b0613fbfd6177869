/** Kernels and a training step to compare threads by. @module */
import { kernelCases } from "../../../../bench/_cases.ts";
import { caseBuffers, type KernelCase } from "../../../../bench/_case.ts";
import type { Shape } from "../../../../bench/_shapes.ts";
import type { Device, HostArray } from "../../../../kernels/device.ts";
import { Scope } from "../../../../kernels/scope.ts";
import { Gpt2 } from "../../../../model/gpt2.ts";
import { languageModelRows } from "../../../../model/rows.ts";

const EVEN: Shape = {
  ...{ model: "tiny", batch: "5x6", B: 5, T: 6, C: 16, H: 2, I: 64, V: 40, P: 8, R: 7 },
  ...{ parameters: 513, rowsOfPlain: 6 },
};
const ODD: Shape = {
  ...{ model: "tiny", batch: "7x5", B: 7, T: 5, C: 7, H: 1, I: 21, V: 41, P: 6, R: 3 },
  ...{ parameters: 71, rowsOfPlain: 3 },
};

/** Every kernel as the benches run it, at small sizes, even and odd. */
export const CASES: readonly KernelCase[] = [...kernelCases(EVEN), ...kernelCases(ODD)]
  .filter(({ onlyWebgpu }) => !onlyWebgpu);

/** What all of a case's buffers hold after it ran `runs` times, recorded as one program. */
export async function buffersOf(
  device: Device,
  { launch, ...of }: KernelCase,
  runs = 1,
): Promise<Record<string, HostArray>> {
  using scope = new Scope(device);
  const buffers = caseBuffers(scope, of);
  const program = scope.record("case", () => launch(device, buffers));
  for (let run = 0; run < runs; run++) program.run();
  const read = await device.read(...Object.values(buffers));
  return Object.fromEntries(Object.keys(buffers).map((name, i) => [name, read[i]]));
}

/** A small model after `steps` of training with AdamW: its losses and all its weights. */
export async function trained(device: Device, steps: number): Promise<HostArray[]> {
  const sizes = { vocab_size: 61, n_positions: 12, n_embd: 20, n_layer: 2, n_head: 2 };
  using model = Gpt2.create(device, sizes, { seed: 3 });
  const texts = Array.from(
    { length: 5 },
    (_, b) => Int32Array.from({ length: 4 + b }, (_, i) => (7 * i * i + 11 * b) % 61),
  );
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    model.languageModel(languageModelRows(texts));
    losses.push(await model.readLoss());
    model.step(0.01);
  }
  return [Float64Array.from(losses), ...await device.read(...model.weights.arenas)];
}
