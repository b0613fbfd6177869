/** The folder of a pretraining run: checkpoints, of which the newest one is kept, and the losses. @module */
import { disk, replaceFile } from "../../model/files/disk.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { exportOptimizer } from "../../model/files/optimizer_file.ts";
import { asUsage } from "../../base/usage.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { END_OF_TEXT, type TokenizerJson } from "../../model/tokenizer/bpe.ts";
import { flushTree, ignoreAbsent, listFolder, makeParents, writeError } from "./files.ts";
import { refuseLinks } from "./links.ts";
import { pretrainStateSchema, readChecked, RunFolderError } from "./schemas.ts";

/** What a checkpoint remembers beside weights and optimizer. */
export interface PretrainState {
  step: number;
  losses: number[];
  /** Tokens predicted so far. */
  tokens: number;
  /** Wall-clock so far, of all processes that had a part in it. */
  seconds: number;
  /** Held-out losses measured so far, nats per token. */
  heldout: { step: number; loss: number }[];
}

/** Folder of the weights with the lowest held-out loss so far. */
export const BEST = "best";

/**
 * Makes the folder, or on `resume` gives the newest checkpoint in it.
 * @throws {WriteError} when it cannot be made
 * @throws {Error} marked as usage, when something is there that a new model would overwrite, there is
 * nothing to resume, or a link leads out of where the folder lies
 */
export async function openFolder(out: string, resume: boolean): Promise<string | undefined> {
  await refuseLinks(out);
  if (resume) return await newestCheckpoint(out);
  const names = await listFolder(out).catch(() => []);
  if (names.length > 0) {
    const isCut = names.some((name) => CHECKPOINT.test(name));
    throw asUsage(
      new Error(
        `Cannot write ${out} as it is not empty. Choose another folder with --out, or ` +
          (isCut ? "continue with --resume" : "remove it"),
      ),
    );
  }
  try {
    await makeParents(out);
  } catch (error) {
    throw writeError(out, error);
  }
}

/** Saves a checkpoint and removes the ones before it. */
export async function saveCheckpoint(
  out: string,
  model: Gpt2,
  state: PretrainState,
): Promise<void> {
  const path = `${out}/checkpoint-${state.step}`;
  const temporary = `${out}/.checkpoint.tmp-${Deno.pid}`;
  await Deno.mkdir(temporary, { recursive: true });
  await saveGpt2(model, temporary);
  await exportOptimizer(model, `${temporary}/optimizer.safetensors`);
  await Deno.writeTextFile(`${temporary}/pretrain.json`, JSON.stringify(state) + "\n");
  await flushTree(temporary);
  await removeFolder(path);
  await Deno.rename(temporary, path);
  await disk.flush(out);
  await removeCheckpoints(out, state.step);
}

const CHECKPOINT = /^checkpoint-(\d+)$/;

async function checkpointSteps(out: string): Promise<number[]> {
  return (await listFolder(out)).flatMap((name) => CHECKPOINT.exec(name)?.[1] ?? []).map(Number)
    .sort((a, b) => a - b);
}

/** The folder of the newest checkpoint. @throws {Error} marked as usage, when there is none */
async function newestCheckpoint(out: string): Promise<string> {
  const newest = (await checkpointSteps(out)).at(-1);
  if (newest === undefined) {
    const isWhole = (await listFolder(out)).includes("model.safetensors");
    throw asUsage(
      new Error(
        isWhole
          ? `Cannot resume pretraining as ${out} is finished: it is a model, for --model ${out}`
          : `Cannot resume pretraining as ${out} holds no checkpoint: start without --resume`,
      ),
    );
  }
  return `${out}/checkpoint-${newest}`;
}

/** Removes every checkpoint but that of step `except`; without one, the best weights too. */
export async function removeCheckpoints(out: string, except?: number): Promise<void> {
  if (except === undefined) await removeFolder(`${out}/${BEST}`);
  for (const step of await checkpointSteps(out)) {
    if (step !== except) await removeFolder(`${out}/checkpoint-${step}`);
  }
}

const removeFolder = (path: string): Promise<void> =>
  Deno.remove(path, { recursive: true }).catch(ignoreAbsent);

/** State of the checkpoint at `from`. @throws {RunFolderError} when it is missing or not one */
export async function readState(from: string): Promise<PretrainState> {
  const state = await readChecked(from, "pretrain.json", pretrainStateSchema);
  if (state !== undefined) return state;
  throw new RunFolderError(`Cannot resume from ${from} as a checkpoint holds a pretrain.json`);
}

/** The tokenizer in a model's folder. @throws {Error} when there is none of this project's form */
export async function readTokenizer(folder: string): Promise<TokenizerJson> {
  const path = `${folder}/tokenizer.json`;
  const json = await Deno.readTextFile(path).then(JSON.parse).catch((cause) => {
    throw new Error(`Cannot continue from ${folder} as it must hold a tokenizer.json: ${path}`, {
      cause,
    });
  });
  if (Number.isInteger(json?.model?.vocab?.[END_OF_TEXT])) return json;
  throw new Error(
    `Cannot continue from ${folder} as its tokenizer must have ${END_OF_TEXT}: ${path} has none`,
  );
}

/** Writes the loss of every update. */
export const writeLosses = (out: string, losses: readonly number[]): Promise<void> =>
  replaceFile(
    `${out}/loss.csv`,
    "step,loss\n" + losses.map((loss, i) => `${i + 1},${loss.toFixed(4)}\n`).join(""),
  );

/** Writes the held-out losses. */
export const writeHeldout = (
  out: string,
  heldout: readonly { step: number; loss: number }[],
): Promise<void> =>
  replaceFile(
    `${out}/heldout.csv`,
    "step,loss\n" + heldout.map(({ step, loss }) => `${step},${loss.toFixed(4)}\n`).join(""),
  );
