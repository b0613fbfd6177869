/** Completes a prompt with a model by name: what `deno task generate` runs. @module */
import { asUsage } from "../base/usage.ts";
import { type DeviceChoice, openDevice } from "../kernels/devices/open.ts";
import { filters } from "../kernels/filter.ts";
import { generateText } from "../model/generation/text.ts";
import { describeModel, loadModel, loadTokenizer } from "../model/hub/load.ts";
import { namedModel } from "./folder/named_model.ts";
import { requireWhole } from "./folder/sound_checkpoint.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { checkGeneration } from "./memory_plan.ts";
import { checkLength } from "./model_limits.ts";
import { modelFolder } from "../model/hub/find_model.ts";

/** What to complete. */
export interface CompletionRequest {
  prompt: string;
  /** "tiny", "small", a run, which stands for its last checkpoint, or a folder in Hugging Face form. */
  model: string;
  /** Most tokens of a completion. */
  tokens: number;
  /** Divides the logits; 0 takes the most probable token. */
  temperature: number;
  /** As in `SampleFilter`, where each is described. */
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  /** Ends a completion, which is what precedes it. */
  stop?: string;
  /** Completions to draw. */
  samples: number;
  seed: number;
  device: DeviceChoice;
  /** Device memory that it may take, GiB. Default: what the machine has free, where that is known. */
  memory?: number;
}

/** What was drawn, by what, on what. */
export interface CompletedText {
  /** Without the prompt. */
  completions: string[];
  /** Folder that the weights were read from. */
  weights: string;
  device: { kind: string; name: string; software: boolean };
}

/**
 * Gives `samples` completions, without the prompt and without end-of-text. `report` receives each new
 * piece of completion `row` as it is drawn; the pieces of a row together are its completion.
 * @throws {RangeError} marked as usage, when the prompt is empty or leaves no room for `tokens` in the
 * model's positions
 * @throws {RangeError} when the device has no memory for them
 * @throws {Error} when the model or the device cannot be opened
 */
export async function completeText(
  request: CompletionRequest,
  report?: (text: string, row: number) => void,
): Promise<CompletedText> {
  const { model: name, tokens, temperature, samples, stop, prompt } = request;
  const folder = await modelFolder((await namedModel(name)).model);
  await requireWhole(folder, "complete with");
  using device = await openDevice(request.device);
  const { config, lora } = await describeModel(folder);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  const promptTokens = tokenizer.encode(prompt).length;
  if (promptTokens === 0) throw asUsage(emptyPrompt(tokenizer));
  checkLength(config, promptTokens, { of: "--tokens", tokens });
  const batch = {
    prompts: samples,
    promptTokens,
    maxNewTokens: tokens,
    filtered: filters(request),
  };
  checkGeneration(device, { config, lora, batch, memory: request.memory });
  using model = await loadModel(device, folder, { frozen: true });
  const { topK, topP, minP, repetitionPenalty, seed } = request;
  const prompts: string[] = Array(samples).fill(prompt),
    completions: string[] = prompts.map(() => "");
  const settings = {
    ...{ topK, topP, minP, repetitionPenalty, seed },
    maxNewTokens: tokens,
    temperature: temperature === 0 ? 1 : temperature,
    greedy: temperature === 0,
    stop: stop === undefined ? [] : [stop],
    every: report ? 4 : 16, // a read-back costs time: rarely, where nobody watches
  };
  for await (const updates of generateText({ model, tokenizer }, prompts, settings)) {
    for (const { row, text } of updates) {
      completions[row] += text;
      if (text !== "") report?.(text, row);
    }
  }
  const { kind, name: adapter, software } = device;
  return { completions, weights: folder, device: { kind, name: adapter, software } };
}

/** The text that ends others begins one from nothing. */
function emptyPrompt(tokenizer: Tokenizer): RangeError {
  const { eosId } = tokenizer;
  const begin = eosId === null ? "" : `, or "${tokenizer.decode([eosId], { special: true })}"`;
  return new RangeError(
    `Cannot complete a prompt without tokens as the first token needs one before it: give a word${begin}`,
  );
}
