/** Every reward by name, opened for a task. @module */
import type { Device } from "../kernels/device.ts";
import type { EncoderOptions } from "../model/encoder/encoder.ts";
import type { SentenceEmbedder } from "../model/encoder/sentence.ts";
import { loadSentenceEmbedder } from "../model/files/encoder_folder.ts";
import type { MatrixDtype } from "../model/layout.ts";
import { combine, type CombinedReward } from "../rewards/combine.ts";
import { loadWordVectors } from "../rewards/embeddings/word_vectors.ts";
import { exact } from "../rewards/exact.ts";
import { parseRewards } from "../rewards/parse.ts";
import type { Parent, Reward, TextEmbedder } from "../rewards/reward.ts";
import { semantic, type SemanticOptions } from "../rewards/semantic.ts";
import type { Task } from "../tasks/task.ts";
import { modelFolder } from "./models.ts";

/** The word vectors that ship with the project. */
export const WORD_VECTORS = new URL("../assets/words/glove-50d.bin", import.meta.url);

/** Choices for `openRewards`. */
export type RewardOptions = Omit<SemanticOptions, "parent" | "embedder"> & {
  /** Default: the task's. */
  parent?: Parent;
  /**
   * Where the semantic reward looks for nearness: an embedder of your own, "words" for `WORD_VECTORS`
   * (the default), or a sentence encoder, by folder or as a model of the hub, which then stays on
   * `device` as long as that.
   */
  embedder?: TextEmbedder | string;
  /** Where a sentence encoder runs. */
  device?: Device;
  /** How a sentence encoder's matrices are stored. Default "f32". */
  matrixDtype?: MatrixDtype;
};

interface RewardEntry {
  summary: string;
  open(task: Task, options: RewardOptions): Reward | Promise<Reward>;
}

const REWARDS: Readonly<Record<string, RewardEntry>> = {
  exact: {
    summary: "1 where the completion equals the answer but for case and outer spaces, else 0",
    open: () => exact(),
  },
  semantic: {
    summary: "PGSRM: nearness of completion and parent's answer in an embedding space, 0 to 1",
    open: async (task, options) =>
      semantic({
        ...options,
        parent: options.parent ?? task.parent,
        embedder: await openEmbedder(options),
      }),
  },
};

async function openEmbedder(
  { embedder = "words", device, matrixDtype }: RewardOptions,
): Promise<TextEmbedder> {
  if (typeof embedder !== "string") return embedder;
  if (embedder === "words") return loadWordVectors(WORD_VECTORS);
  if (device) return await openEncoder(device, embedder, { matrixDtype });
  throw new TypeError(
    `Cannot embed with ${embedder} as a sentence encoder needs a device: give one beside it`,
  );
}

/** The sentence encoder of that folder, or of the hub. @throws what `modelFolder` and `load` throw */
export async function openEncoder(
  device: Device,
  encoder: string,
  options: EncoderOptions,
): Promise<SentenceEmbedder> {
  const folder = await modelFolder(encoder).catch((error: Error) => {
    throw new Error(`Cannot embed with the sentence encoder ${encoder}: ${error.message}`, {
      cause: error,
    });
  });
  return await loadSentenceEmbedder(device, folder, options);
}

/** All rewards, in the order of `--list`. */
export function listRewards(): { name: string; summary: string }[] {
  return Object.entries(REWARDS).map(([name, { summary }]) => ({ name, summary }));
}

/**
 * The weighted sum that `text` asks for (`NAME[:weight],…`), or the task's default.
 * @throws what `parseRewards`, `semantic`, `loadWordVectors` and `loadSentenceEmbedder` throw.
 */
export async function openRewards(
  task: Task,
  text: string = task.defaultRewards,
  options: RewardOptions = {},
): Promise<CombinedReward> {
  const terms = parseRewards(text, Object.keys(REWARDS));
  const open = async ({ name, weight }: typeof terms[number]) => ({
    reward: await REWARDS[name].open(task, options),
    weight,
  });
  return combine(await Promise.all(terms.map(open)));
}
