/** A policy in the middle of a training loop of one's own, saved and continued. @module */
import type { Device } from "../../kernels/device.ts";
import { denoFolder } from "../../model/files/deno_folder.ts";
import { readJson } from "../../model/files/folder_source.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import type { LoadOptions } from "../../model/files/gpt2_folder.ts";
import { saveAdapter } from "../../model/files/lora_save.ts";
import { exportOptimizer, importOptimizer } from "../../model/files/optimizer_file.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { hubFolder, loadModel } from "../../model/hub/load.ts";
import { placeFolder, writeError } from "./files.ts";

const STATE = "state.json";

/**
 * Writes the folder `to`: weights (or adapter) and tokenizer as transformers and PEFT load them, the
 * optimizer's moments, and in state.json whatever your loop must remember, such as the step and
 * `trainer.state()`. It appears whole or not at all; a state of that name stays until then, and goes after it.
 * @throws {WriteError} when it cannot be written; what was there is there still
 */
export async function saveState(
  to: string,
  { model, from, state = {} }: {
    model: Gpt2;
    /** Folder that the model was loaded from: the tokenizer is copied from there. Default: none is. */
    from?: string;
    /** Plain JSON. */
    state?: unknown;
  },
): Promise<void> {
  await placeFolder(to, async (folder) => {
    await savePolicy(folder, { model, from });
    await Deno.writeTextFile(`${folder}/${STATE}`, JSON.stringify(state, null, 2) + "\n");
  }).catch((error) => {
    throw writeError(to, error);
  });
}

/**
 * Writes into the empty folder `to` the weights (or adapter), the tokenizer of the model at `from`, if any,
 * and the optimizer's moments.
 */
export async function savePolicy(
  to: string,
  { model, from }: { model: Gpt2; from?: string },
): Promise<void> {
  const options = from === undefined ? {} : { tokenizer: hubFolder(from) };
  await (model.adapter ? saveAdapter(model, to, options) : saveGpt2(model, to, options));
  await exportOptimizer(model, `${to}/optimizer.safetensors`);
}

/**
 * Opens what `saveState` wrote: the model with its moments, ready for the next step. The options are those
 * with which it was loaded at first; of an adapter, `base` names the folder of its base.
 * @throws {Error} where the folder is not such a state, or of another kind of model
 */
export async function loadState(
  device: Device,
  folder: string,
  options: LoadOptions = {},
): Promise<{ model: Gpt2; state: unknown }> {
  using owned = new DisposableStack();
  const state = await readJson(denoFolder(folder), STATE);
  if (state === undefined) {
    throw new Error(
      `Cannot continue from ${folder} as saveState writes a ${STATE}: there is none; loadModel ` +
        "opens a plain model",
    );
  }
  const model = owned.use(await loadModel(device, folder, options));
  await importOptimizer(model, `${folder}/optimizer.safetensors`);
  owned.move();
  return { model, state };
}
