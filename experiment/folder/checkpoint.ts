/**
 * What a run saves to continue exactly: a folder in Hugging Face's or, of an adapter, PEFT's form, the
 * optimizer, and the trainer's state.
 * @module
 */
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { faultOfFiles, type Manifest, readManifest } from "./manifest.ts";
import { savePolicy } from "./policy_state.ts";
import { faultOf, trainingStateSchema } from "./schemas.ts";
import type { TrainerState } from "../../rl/trainer.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import type { Evaluated } from "../best.ts";
import type { Players, SplitResult } from "../observer.ts";

/** All that a run remembers beside weights and optimizer; plain JSON. */
export interface TrainingState {
  trainer: TrainerState;
  /** What the run started from; absent in checkpoints that are older than this field. */
  source?: ModelSource;
  /** Greedy answers before training. */
  before: Record<"train" | "heldout", SplitResult>;
  /** What players that learn nothing earn; absent as in a summary. */
  players?: Players;
  /** Of evaluations on the way; absent where there were none. */
  evaluated?: Evaluated;
  /** Prompt and response tokens trained on so far. */
  tokens: number;
  /** Spent in steps so far. */
  trainingSeconds: number;
  /** Wall-clock so far, of all processes that had the run. */
  seconds: number;
}

/** Folder of the reference in a checkpoint, where that moves. */
const REFERENCE = "reference";

/**
 * Writes a checkpoint into the empty folder `to`; tokenizer and config come from the model at `from`. A
 * `reference` that moves is a part of it.
 */
export async function saveCheckpoint(
  to: string,
  { model, reference, from, state }: {
    model: Gpt2;
    reference?: Gpt2;
    from: string;
    state: TrainingState;
  },
): Promise<void> {
  await savePolicy(to, { model, from });
  if (reference) await saveGpt2(reference, `${to}/${REFERENCE}`);
  await Deno.writeTextFile(`${to}/trainer.json`, JSON.stringify(state, null, 2) + "\n");
}

/** What `trainer.json` may hold: earlier versions called the trainer's state by its algorithm. */
type Saved = Partial<TrainingState> & { ppo?: unknown };

/** A checkpoint that a run may continue from. */
export interface LoadedCheckpoint {
  state: TrainingState;
  /** Undefined in checkpoints of earlier versions, of which nothing can be checked. */
  manifest: Manifest | undefined;
  /** Folder of its reference; absent where that is the start of the run. */
  reference?: string;
}

/**
 * Reads the state of a checkpoint, every file of which is compared with its manifest.
 * @throws {CheckpointError} when it is missing or damaged, or lies beyond the run's end
 */
export async function loadCheckpoint(folder: string, steps: number): Promise<LoadedCheckpoint> {
  const manifest = await readManifest(folder).catch((error) => {
    throw new CheckpointError(folder, (error as Error).message, { cause: error });
  });
  const fault = manifest && await faultOfFiles(folder, manifest);
  if (fault !== undefined) throw new CheckpointError(folder, fault);
  const state = await loadTrainingState(folder);
  if (manifest && manifest.step !== state.trainer.step) {
    throw new CheckpointError(folder, `its trainer.json is of step ${state.trainer.step}`);
  }
  if (state.trainer.step > steps) {
    throw new RangeError(
      `Cannot resume from ${folder} as the run ends at step ${steps}: it is at ${state.trainer.step}; ` +
        "name an earlier checkpoint, or ask for more steps",
    );
  }
  const moved = manifest && Object.hasOwn(manifest.files, `${REFERENCE}/model.safetensors`);
  return { state, manifest, ...(moved && { reference: `${folder}/${REFERENCE}` }) };
}

/** Reads the state of a checkpoint. @throws {CheckpointError} when it is missing or not one */
export async function loadTrainingState(folder: string): Promise<TrainingState> {
  let saved: Saved | null;
  try {
    saved = JSON.parse(await Deno.readTextFile(`${folder}/trainer.json`));
  } catch (error) {
    const why = `a checkpoint holds a readable trainer.json: ${(error as Error).message}`;
    throw new CheckpointError(folder, why, { cause: error });
  }
  if (typeof saved !== "object" || saved === null || Array.isArray(saved)) {
    const found = JSON.stringify(saved)?.slice(0, 40);
    throw new CheckpointError(folder, `its trainer.json must hold an object: it holds ${found}`);
  }
  const { ppo, ...rest } = saved;
  const state = { ...rest, trainer: saved.trainer ?? ppo };
  const fault = faultOf(trainingStateSchema, state);
  if (fault !== undefined) {
    throw new CheckpointError(folder, `in its trainer.json ${fault}`);
  }
  return trainingStateSchema.parse(state) as unknown as TrainingState;
}

/** A checkpoint that cannot be continued from, or whose weights cannot be used. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
  constructor(
    folder: string,
    why: string,
    {
      action = "resume from",
      cure = "Name another checkpoint of the run; train --resume RUN takes the newest good one",
      cause,
    }: {
      action?: string;
      cure?: string;
      cause?: unknown;
    } = {},
  ) {
    super(`Cannot ${action} ${folder} as ${why}. ${cure}`, { cause });
  }
}
