/** Reads what `tests/fixtures/*.py` wrote. @module */
import { openSafetensors } from "../model/files/safetensors.ts";
import { fileParts, unpackPart } from "../model/families/families.ts";
import { loadGpt2 } from "../model/files/gpt2_folder.ts";
import type { Device } from "../kernels/device.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { languageModelRows, type Rows, textRows } from "../model/rows.ts";
import { assertClose, relativeError } from "./_close.ts";

const FOLDER = `${import.meta.dirname}/fixtures`;

/** Path of a model folder among the fixtures. */
export const modelFolder = (name: string): string => `${FOLDER}/${name}`;

/** What transformers computes of a model. */
export interface Facts {
  lengths: number[];
  tokens: number[][];
  loss: number;
  adamw: {
    lr: number;
    betas: [number, number];
    eps: number;
    weightDecay: number;
    losses: number[];
  };
  greedy: {
    prompts: number[][];
    maxNewTokens: number;
    free: number[][];
    eos: number;
    stopped: number[][];
  };
}

/**
 * The fixture's batch with its own padding, which holds real token ids. `last` also asks about the
 * last token of each sequence, which has no target: for logits.
 */
export function rows({ tokens, lengths }: Pick<Facts, "tokens" | "lengths">, last = false): Rows {
  const [B, T] = [tokens.length, tokens[0].length];
  const index = lengths.flatMap((length, b) =>
    Array.from({ length: last ? length : length - 1 }, (_, t) => b * T + t)
  );
  const flat = Uint32Array.from(tokens.flat());
  return {
    B,
    T,
    tokens: flat,
    ...textRows(lengths, T),
    index: Uint32Array.from(index),
    target: Uint32Array.from(index, (row) => flat[row + 1]),
  };
}

/** The JSON of a fixture, and every tensor of the safetensors file beside it. */
export async function readFixture<Facts>(
  name: string,
): Promise<{ facts: Facts; tensors: ReadonlyMap<string, Float32Array> }> {
  const facts = JSON.parse(await Deno.readTextFile(`${FOLDER}/${name}.json`)) as Facts;
  using file = await openSafetensors(`${FOLDER}/${name}.safetensors`);
  const tensors = new Map<string, Float32Array>();
  for (const key of file.entries.keys()) tensors.set(key, await file.read(key));
  return { facts, tensors };
}

/**
 * Asserts that `model` has a gradient for every `grad.*` in `tensors` and no other, each within
 * `rtol` (norm of the difference over norm).
 */
export async function assertGradients(
  model: Gpt2,
  tensors: ReadonlyMap<string, Float32Array>,
  rtol = 1e-4,
): Promise<void> {
  const left = new Set([...tensors.keys()].filter((key) => key.startsWith("grad.")));
  const faults: string[] = [];
  for await (const [parameter, all] of model.optimizer!.gradients.read()) {
    for (const { name, module } of fileParts(model.config, parameter)) {
      const got = module ? unpackPart(all, { wide: parameter.shape[1], module }) : all;
      const key = `grad.${pythonName(name)}`;
      left.delete(key);
      const error = relativeError(got, tensors.get(key) ?? []);
      if (!(error <= rtol)) faults.push(`${name} ${error}`);
    }
  }
  if (left.size > 0) faults.push(`no gradient for ${[...left].join(", ")}`);
  if (faults.length > 0) {
    throw new Error(`gradients off by more than ${rtol}: ${faults.join("; ")}`);
  }
}

/** Trains the fixture's model, or its adapter, on its batch: the loss before each AdamW step is PyTorch's. */
export async function assertAdamwLosses(device: Device, name: string): Promise<void> {
  const { facts } = await readFixture<Facts>(name);
  const { lr, betas: [beta1, beta2], eps, weightDecay, losses } = facts.adamw;
  const adamw = { beta1, beta2, eps, weightDecay, maxGradNorm: 0 };
  using model = await loadGpt2(device, modelFolder(name), { adamw });
  // Sequences as training gives them, without padding; one of a single token has nothing to predict.
  const sequences = facts.tokens.map((row, b) => row.slice(0, facts.lengths[b]));
  const batch = languageModelRows(sequences.filter((sequence) => sequence.length > 1));
  const got: number[] = [];
  for (let step = 0; step < losses.length; step++) {
    model.languageModel(batch);
    got.push(await model.readLoss());
    model.step(lr);
  }
  assertClose(got, losses, "loss before each step", 1e-4);
}

/** The name that transformers, or for the value head TRL, gives a parameter. */
function pythonName(name: string): string {
  if (name === "lm_head.weight") return name;
  return name.startsWith("v_head.")
    ? name.replace("v_head.", "v_head.summary.")
    : `transformer.${name}`;
}
