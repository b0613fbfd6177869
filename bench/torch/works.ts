/** What is compared with PyTorch. @module */
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { DEFAULT_SIZES, GPT2_SIZES, type Sizes } from "../_sizes.ts";
import { promptsOf } from "../_steps.ts";
import type { Work } from "./compare.ts";

/** Where weights lie, and their sizes. */
export interface Weights {
  readonly folder: string;
  readonly sizes: Sizes;
}

/** The models of the comparison; random ones below `folder`, which is made on first use and kept. */
function weightsOf(folder: string): Record<"default" | "gpt2" | "two", Weights> {
  return {
    default: { folder: "assets/tiny", sizes: DEFAULT_SIZES },
    gpt2: { folder: `${folder}/gpt2`, sizes: GPT2_SIZES },
    two: { folder: `${folder}/gpt2-2-layers`, sizes: { ...GPT2_SIZES, n_layer: 2 } },
  };
}

/** Writes random weights where none are. */
export async function provide({ folder, sizes }: Weights): Promise<void> {
  if (await kindOf(`${folder}/model.safetensors`)) return; // the last file to be written
  using device = new CpuDevice();
  using model = Gpt2.create(device, sizes, { frozen: true, seed: 1 });
  await saveGpt2(model, folder);
}

/** B sequences of T tokens that differ. */
const sequences = (B: number, T: number, { vocab_size }: Sizes): number[][] =>
  promptsOf({ B, T }, vocab_size).map((row) => Array.from(row));

/** Training on B sequences of T tokens. */
export function training(name: string, weights: Weights, [B, T]: readonly [number, number]): Work {
  const { folder, sizes } = weights;
  const batch = sequences(B, T + 1, sizes);
  return { name: `${name}, ${B} x ${T}`, open: "training", folder, batch, learningRate: 1e-4 };
}

/** B prompts of T tokens, then `tokens` decode steps. */
export function decoding(
  name: string,
  { folder, sizes }: Weights,
  { B, T = 32, tokens = 16 }: { B: number; T?: number; tokens?: number },
): Work {
  const prompts = sequences(B, T, sizes);
  return { name: `${name}, ${B} x ${T}`, open: "decoding", folder, prompts, tokens };
}

/** All rows, with the weights that each wants. */
export function allWorks(folder: string): { weights: Weights; work: Work }[] {
  const { default: small, gpt2, two } = weightsOf(folder);
  return [
    { weights: small, work: training("training step, default model", small, [48, 24]) },
    { weights: gpt2, work: training("training step, GPT-2 124M", gpt2, [1, 64]) },
    ...[128, 256, 512, 1024].map((T) => ({
      weights: two,
      work: training("training step, GPT-2 of 2 layers", two, [1, T]),
    })),
    ...[1, 16].map((B) => ({ weights: gpt2, work: decoding("GPT-2 124M", gpt2, { B }) })),
  ];
}
