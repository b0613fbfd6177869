/**
 * Device memory of a training step as sequences grow: `deno run --allow-read bench/attention_memory.ts`.
 * Twice the tokens take twice the memory on top of what does not depend on them; a buffer of (T, T)
 * scores would show as more. A counting device allocates as the real one does and runs nothing.
 * @module
 */
import type { Device } from "../kernels/device.ts";
import { CountingDevice } from "../kernels/devices/counting.ts";
import { CpuDevice } from "../kernels/devices/cpu.ts";
import { Gpt2 } from "../model/gpt2.ts";
import { languageModelRows } from "../model/rows.ts";
import type { Sizes } from "./_sizes.ts";
import { formatTable } from "./_table.ts";

/** Most bytes held at T tokens. */
export interface MemoryLine {
  readonly T: number;
  readonly peak: number;
  /** Bytes for each token that this T has more than the one before. */
  readonly perToken: number;
}

/** GPT-2's width, two layers; few words, so that logits do not hide what attention takes. */
const SIZES: Sizes = { vocab_size: 64, n_positions: 2048, n_embd: 768, n_layer: 2, n_head: 12 };

/** Peaks of a training step of one sequence of each length, on a device of its own each. */
export function memoryLines(
  open: () => Device,
  lengths: readonly number[],
  sizes: Sizes = SIZES,
): MemoryLine[] {
  const lines: MemoryLine[] = [];
  for (const T of lengths) {
    using device = open();
    using model = Gpt2.empty(device, sizes);
    model.languageModel(languageModelRows([new Uint32Array(T + 1)]));
    model.step(1e-4);
    const { peak } = device.memory, before = lines.at(-1);
    const perToken = before ? (peak - before.peak) / (T - before.T) : NaN;
    lines.push({ T, peak, perToken });
  }
  return lines;
}

if (import.meta.main) {
  using like = new CpuDevice();
  const lines = memoryLines(() => new CountingDevice(like), [64, 128, 256, 512, 1024, 2048]);
  const rows = lines.map(({ T, peak, perToken }) => [T, peak / 2 ** 20, perToken / 1024]);
  console.log("One training step, 1 x T tokens, 2 layers of 768 channels, 12 heads\n");
  console.log(formatTable(["T", "peak MiB", "KiB a further token"], rows));
}
