/**
 * What a run saves to continue exactly: a folder in Hugging Face's or, of an adapter, PEFT's form, the
 * optimizer, and the trainer's state.
 * @module
 */
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { saveAdapter } from "../../model/files/lora_save.ts";
import { exportOptimizer } from "../../model/files/optimizer_file.ts";
import { hubFolder } from "../../model/hub/load.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import type { TrainerState } from "../../rl/trainer.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import type { SplitResult } from "../observer.ts";

/** All that a run remembers beside weights and optimizer; plain JSON. */
export interface TrainingState {
  trainer: TrainerState;
  /** What the run started from; absent in checkpoints that are older than this field. */
  source?: ModelSource;
  /** Greedy answers before training. */
  before: Record<"train" | "heldout", SplitResult>;
  /** Prompt and response tokens trained on so far. */
  tokens: number;
  /** Spent in steps so far. */
  trainingSeconds: number;
  /** Wall-clock so far, of all processes that had the run. */
  seconds: number;
}

/** Writes a checkpoint into the empty folder `to`; tokenizer and config come from the model at `from`. */
export async function saveCheckpoint(
  to: string,
  { model, from, state }: { model: Gpt2; from: string; state: TrainingState },
): Promise<void> {
  const options = { tokenizer: hubFolder(from) };
  await (model.adapter ? saveAdapter(model, to, options) : saveGpt2(model, to, options));
  await exportOptimizer(model, `${to}/optimizer.safetensors`);
  await Deno.writeTextFile(`${to}/trainer.json`, JSON.stringify(state, null, 2) + "\n");
}

/** What `trainer.json` may hold: earlier versions called the trainer's state by its algorithm. */
type Saved = Partial<TrainingState> & { ppo?: unknown };

/**
 * Reads the state of a checkpoint.
 * @throws {Error} when it is missing or broken, or lies beyond the run's end
 */
export async function loadTrainingState(folder: string, steps: number): Promise<TrainingState> {
  const path = `${folder}/trainer.json`;
  let saved: Saved;
  try {
    saved = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new Error(
      `Cannot resume from ${folder} as a checkpoint holds a readable trainer.json: ` +
        `${(error as Error).message}. Name another checkpoint of the run`,
      { cause: error },
    );
  }
  const { ppo, ...rest } = saved;
  const state = { ...rest, trainer: saved.trainer ?? ppo } as TrainingState;
  const numbers = [state.trainer?.step, state.tokens, state.trainingSeconds, state.seconds];
  for (const split of ["train", "heldout"] as const) {
    const result = state.before?.[split];
    if (result?.exact === null) result.exact = NaN; // as JSON writes the mean of no scores
    if (result?.reward === null) result.reward = NaN;
    numbers.push(result?.exact, result?.reward);
  }
  if (numbers.some((value) => typeof value !== "number")) {
    throw new Error(
      `Cannot resume from ${folder} as its trainer.json lacks fields: ${Object.keys(saved)}`,
    );
  }
  if (state.trainer.step > steps) {
    throw new RangeError(
      `Cannot resume from ${folder} as the run ends at step ${steps}: it is at ${state.trainer.step}; ` +
        "name an earlier checkpoint, or ask for more steps",
    );
  }
  return state;
}
