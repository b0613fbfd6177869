/** Completes a prompt with a model by name: what `deno task generate` runs. @module */
import { type DeviceChoice, openDevice } from "../kernels/devices/open.ts";
import { filters } from "../kernels/filter.ts";
import { generateText } from "../model/generation/text.ts";
import { describeModel, loadModel, loadTokenizer } from "../model/hub/load.ts";
import { checkGeneration } from "./memory_plan.ts";
import { modelFolder } from "../model/hub/find_model.ts";

/** What to complete. */
export interface CompletionRequest {
  prompt: string;
  /** "tiny", or a folder in Hugging Face form. */
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

/**
 * Gives `samples` completions, without the prompt and without end-of-text. `report` receives each new
 * piece of completion `row` as it is drawn; the pieces of a row together are its completion.
 * @throws {RangeError} when the prompt is empty or leaves no room for `tokens` in the model's context,
 * or the device has no memory for them
 * @throws {Error} when the model or the device cannot be opened
 */
export async function completeText(
  request: CompletionRequest,
  report?: (text: string, row: number) => void,
): Promise<string[]> {
  const { model: name, tokens, temperature, samples, stop, prompt } = request;
  const folder = await modelFolder(name);
  using device = await openDevice(request.device);
  const { config, lora } = await describeModel(folder);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  const batch = {
    prompts: samples,
    promptTokens: tokenizer.encode(prompt).length,
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
  return completions;
}
