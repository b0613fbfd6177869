/**
 * Trains the default model's sizes for a moment, in a process of its own: a driver reads its environment
 * only when it is loaded. Prints one line of JSON, `VectorSpeed`.
 * @module
 */
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { between, clock, median } from "../measure.ts";

/** How fast a process with one width of vectors trains. */
export interface VectorSpeed {
  /** The adapter's name, which says the width. */
  readonly adapter: string;
  /** Tokens per second of processor time, all threads together. */
  readonly tokensPerSecond: number;
}

/** The sizes of the default model. */
const CONFIG = { vocab_size: 2048, n_positions: 128, n_embd: 128, n_layer: 3, n_head: 4 };
const B = 24, T = 24;

/** Trains for `seconds` and three steps at least. */
export async function trainingSpeed(seconds: number, config = CONFIG): Promise<VectorSpeed> {
  using device = await WebGpuDevice.open({ adapter: "software" });
  using model = Gpt2.create(device, config, { seed: 1 });
  const ids = (b: number) => Int32Array.from({ length: T }, (_, t) => (t * 31 + b * 7) % 1000);
  const rows = languageModelRows(Array.from({ length: B }, (_, b) => ids(b)));
  const step = async (): Promise<number> => {
    const from = clock();
    model.languageModel(rows);
    model.step(1e-4);
    await model.readLoss();
    return between(from, clock()).cpu;
  };
  await step(); // compiles
  const steps: number[] = [], started = performance.now();
  while (steps.length < 3 || (performance.now() - started) / 1000 < seconds) {
    steps.push(await step());
  }
  return { adapter: device.name, tokensPerSecond: B * T / median(steps) };
}

if (import.meta.main) console.log(JSON.stringify(await trainingSpeed(Number(Deno.args[0]))));
