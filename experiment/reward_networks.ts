/** The networks that rewards hold on the device, by name: opened, and planned without any weights. @module */
import { asUsage } from "../base/usage.ts";
import type { Device } from "../kernels/device.ts";
import type { EncoderOptions } from "../model/encoder/encoder.ts";
import type { SentenceEmbedder } from "../model/encoder/sentence.ts";
import type { SentimentModel } from "../model/encoder/sentiment.ts";
import { kindOf } from "../model/files/deno_folder.ts";
import { loadSentenceEmbedder, loadSentimentModel } from "../model/files/encoder_folder.ts";
import { Gpt2 } from "../model/gpt2.ts";
import type { Gpt2Options } from "../model/gpt2_options.ts";
import { modelFolder } from "../model/hub/find_model.ts";
import { describeModel, loadModel, loadTokenizer } from "../model/hub/load.ts";
import { isHubId } from "../model/hub/names.ts";
import { SHIPPED_LIST } from "../model/hub/shipped.ts";
import { ModelScorer, reserveScoring, type ScoringSizes } from "../model/text_scorer.ts";
import type { ChosenReward } from "./rewards.ts";

/** One network of a reward, see `RewardDefinition`. */
export interface RewardNetwork {
  kind: "encoder" | "classifier" | "scorer";
  /** What the settings call it. */
  name: string;
}

/** Whether a scorer's name means a model of the run. */
export const isOfTheRun = (scorer: string): boolean => ["policy", "reference"].includes(scorer);

/** The networks of these rewards with their settings. */
export const networksOf = (rewards: readonly ChosenReward[]): RewardNetwork[] =>
  rewards.flatMap((one) => {
    if (!("definition" in one)) return [];
    return (["encoder", "classifier", "scorer"] as const).flatMap((kind) => {
      const name = one.definition[kind]?.(one.settings);
      return name === undefined ? [] : [{ kind, name }];
    });
  });

/** The folder of a network; `action` is what errors say cannot be done. Marked as usage where it can be none. */
async function folderOf(name: string, action: string): Promise<string> {
  return await modelFolder(name).catch(async (error: Error) => {
    const said = new Error(`Cannot ${action} ${name}: ${error.message}`, { cause: error });
    if (isHubId(name) || await kindOf(name) === "folder") throw said;
    throw asUsage(said);
  });
}

/** As `folderOf`, where the models that ship with the project are no such networks. */
const encoderFolder = (name: string, action: string): Promise<string> =>
  folderOf(name, action).catch((error: Error) => {
    error.message = error.message.replace(SHIPPED_LIST, "");
    throw error;
  });

/**
 * The sentence encoder of that folder, or of the hub.
 * @throws what `modelFolder` and `load` throw; marked as usage where the name can be neither
 */
export async function openEncoder(
  device: Device,
  encoder: string,
  options: EncoderOptions,
): Promise<SentenceEmbedder> {
  const folder = await encoderFolder(encoder, "embed with the sentence encoder");
  return await loadSentenceEmbedder(device, folder, options);
}

/** The classifier of sentiment of that folder, or of the hub. @throws as `openEncoder` */
export async function openClassifier(
  device: Device,
  classifier: string,
  options: EncoderOptions,
): Promise<SentimentModel> {
  const folder = await encoderFolder(classifier, "score sentiment by the classifier");
  return await loadSentimentModel(device, folder, options);
}

const scoringOptions = ({ matrixDtype }: Pick<Gpt2Options, "matrixDtype">) => ({
  frozen: true,
  matrixDtype,
});

/** The language model of that folder, or of the hub, as it scores texts. @throws as `openEncoder` */
export async function openScorer(
  device: Device,
  name: string,
  { sizes, ...options }: Pick<Gpt2Options, "matrixDtype"> & { sizes?: ScoringSizes },
): Promise<ModelScorer> {
  const folder = await folderOf(name, "score perplexity by the model");
  const model = await loadModel(device, folder, { ...scoringOptions(options), merge: true });
  try {
    const tokenizer = await loadTokenizer(folder, { modelVocab: model.dims.V });
    if (sizes) reserveScoring(model, sizes);
    return new ModelScorer(name, model, tokenizer, { sizes });
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}

/** What `openScorer` would hold, on a device that counts; of the model only its config is read. */
export async function measureScorer(
  counted: Device,
  name: string,
  { sizes, ...options }: Pick<Gpt2Options, "matrixDtype"> & { sizes: ScoringSizes },
): Promise<Disposable> {
  const { config } = await describeModel(await folderOf(name, "score perplexity by the model"));
  const model = Gpt2.empty(counted, config, scoringOptions(options));
  reserveScoring(model, sizes);
  return model;
}
