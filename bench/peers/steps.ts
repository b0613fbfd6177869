/** A training step of GPT-2 here and by jax-js, from the same weights: equal losses, then times in turn. @module */
import type { Device } from "../../kernels/device.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { median } from "../_measure.ts";
import { formatTable } from "../_table.ts";
import { jaxTraining, type Weights } from "./jax_gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { DEFAULT_SIZES } from "../_sizes.ts";
import { promptsOf } from "../_steps.ts";
import { packageName } from "./packages.ts";

/** Losses of f32 sums of another order. */
const TOLERANCE = 1e-4;

/** A step of one side; gives the loss before it. */
type Step = () => Promise<number>;

/**
 * Two steps of each whose losses must agree, then `samples` of each in turn; median seconds.
 * @throws {Error} when the losses differ
 */
export async function compareStep(
  ours: Step,
  theirs: Step,
  { samples }: { samples: number },
): Promise<{ ours: number; theirs: number; difference: number }> {
  let difference = 0;
  for (let i = 0; i < 2; i++) {
    const [own, other] = [await ours(), await theirs()];
    difference = Math.max(difference, Math.abs(own - other) / Math.max(own, other));
    if (!(difference <= TOLERANCE)) {
      throw new Error(
        `Cannot compare a step as losses must agree within ${TOLERANCE}: ${own} here, ${other} there`,
      );
    }
  }
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let i = 0; i < samples; i++) {
    for (const [side, step] of [["ours", ours], ["theirs", theirs]] as const) {
      const start = performance.now();
      await step();
      times[side].push((performance.now() - start) / 1e3);
    }
  }
  return { ours: median(times.ours), theirs: median(times.theirs), difference };
}

/** The default model, 48 x 24 tokens. GPT-2's token embedding is larger than one binding of llvmpipe. */
export async function compareSteps(
  device: Device,
  { only, samples }: { only: string; samples: number },
  say: (text: string) => void,
): Promise<void> {
  const [B, T] = [48, 24], name = `training step, default model, ${B} x ${T}`;
  if (!name.includes(only)) return;
  using model = await loadGpt2(device, "assets/tiny");
  const batch = promptsOf({ B, T: T + 1 }, DEFAULT_SIZES.vocab_size)
    .map((row) => Array.from(row));
  const learningRate = 1e-4;
  try {
    const peer = await jaxTraining(DEFAULT_SIZES, await weightsOf(model), {
      batch,
      learningRate,
    });
    const found = await compareStep(ourStep(model, { batch, learningRate }), () => peer.step(), {
      samples,
    });
    say(`\nWaits included, losses agree within ${found.difference.toExponential(0)}\n`);
    const row = [name, found.theirs * 1e3, found.ours * 1e3, found.theirs / found.ours];
    say(formatTable(["work", `${packageName("jax")} ms`, "ours ms", "times as fast"], [row]));
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

function ourStep(
  model: Gpt2,
  { batch, learningRate }: { batch: number[][]; learningRate: number },
): Step {
  const rows = languageModelRows(batch);
  return async () => {
    model.languageModel(rows);
    model.step(learningRate);
    return await model.readLoss();
  };
}

/** All weights as arrays, by name. */
export async function weightsOf(model: Gpt2): Promise<Weights> {
  const all: Weights = {};
  for await (const [{ name, shape }, data] of model.weights.read()) {
    all[name] = { shape, data: Float32Array.from(data) };
  }
  return all;
}
