/** Held-out losses of a run of pretraining, and the weights that had the lowest. @module */
import type { Device } from "../../kernels/device.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { loadModel } from "../../model/hub/load.ts";
import { languageModelRows } from "../../model/rows.ts";
import { BEST, type PretrainState, writeHeldout } from "../folder/pretraining_folder.ts";

/** Mean next-token loss over the held-out text of a subject, nats per token. */
export interface HeldoutLoss {
  subject: string;
  loss: number;
  /** Tokens that were predicted. */
  tokens: number;
}

/** Held-out text by subject, in batches of documents. */
export type Unseen = readonly { subject: string; batches: readonly Uint32Array[][] }[];

/** Mean next-token loss by subject, nats per token. */
export async function measureAll(model: Gpt2, unseen: Unseen): Promise<HeldoutLoss[]> {
  const losses = [];
  for (const { subject, batches } of unseen) {
    let sum = 0, tokens = 0;
    for (const batch of batches) {
      for (const logprob of (await model.evaluate(languageModelRows(batch))).logprob) {
        sum -= logprob;
        tokens++;
      }
    }
    losses.push({ subject, loss: sum / tokens, tokens });
  }
  return losses;
}

/** All subjects together, where each token counts alike; nats per token. */
export function lossOfAll(losses: readonly HeldoutLoss[]): number {
  const tokens = losses.reduce((sum, { tokens }) => sum + tokens, 0);
  return losses.reduce((sum, { loss, tokens }) => sum + loss * tokens, 0) / tokens;
}

/** Measures the model as it is now, and keeps its weights where none were better so far. */
export async function measureBest(
  model: Gpt2,
  unseen: Unseen,
  { out, state, tokenizer }: { out: string; state: PretrainState; tokenizer: string },
): Promise<void> {
  const loss = lossOfAll(await measureAll(model, unseen));
  const isLowest = state.heldout.every((other) => loss < other.loss);
  state.heldout.push({ step: state.step, loss });
  await writeHeldout(out, state.heldout);
  if (isLowest) await saveGpt2(model, `${out}/${BEST}`, { dtype: "F16", tokenizer });
}

/** The update after which the held-out loss was lowest; the last one where it was never measured. */
export const bestUpdate = ({ step, heldout }: PretrainState): number =>
  heldout.reduce((a, b) => b.loss < a.loss ? b : a, { step, loss: Infinity }).step;

/**
 * Writes the weights with the lowest held-out loss as the run's model, F16; gives the losses of what is
 * written.
 */
export async function writeBest(
  model: Gpt2,
  unseen: Unseen,
  { device, out, state, tokenizer }: {
    device: Device;
    out: string;
    state: PretrainState;
    tokenizer: string;
  },
): Promise<HeldoutLoss[]> {
  const isLast = bestUpdate(state) === state.step;
  using best = isLast ? undefined : await loadModel(device, `${out}/${BEST}`);
  const losses = await measureAll(best ?? model, unseen);
  await saveGpt2(best ?? model, out, { dtype: "F16", tokenizer });
  return losses;
}
