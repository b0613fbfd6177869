/** Completes a prompt with a model by name: what `deno task generate` runs. @module */
import { type DeviceChoice, openDevice } from "../kernels/open.ts";
import { generate } from "../model/generate.ts";
import { Gpt2 } from "../model/gpt2.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { modelFolder } from "./models.ts";

/** What to complete. */
export interface CompletionRequest {
  prompt: string;
  /** "tiny", or a folder in Hugging Face form. */
  model: string;
  /** Most tokens of a completion. */
  tokens: number;
  /** Divides the logits; 0 takes the most probable token. */
  temperature: number;
  /** Completions to draw. */
  samples: number;
  seed: number;
  device: DeviceChoice;
}

/**
 * Gives `samples` completions, without the prompt and without end-of-text.
 * @throws {RangeError} when the prompt is empty or leaves no room for `tokens` in the model's context
 * @throws {Error} when the model or the device cannot be opened
 */
export async function completeText(request: CompletionRequest): Promise<string[]> {
  const { model: name, tokens: maxNewTokens, temperature, samples, seed } = request;
  const folder = await modelFolder(name);
  using device = await openDevice(request.device);
  using model = await Gpt2.load(device, folder, { frozen: true });
  const tokenizer = await Tokenizer.load(folder, { modelVocab: model.config.vocab_size });
  const ids = tokenizer.encode(request.prompt);
  const { responses } = await generate(model, Array.from({ length: samples }, () => ids), {
    maxNewTokens,
    temperature: temperature === 0 ? 1 : temperature,
    greedy: temperature === 0,
    seed,
    eos: tokenizer.eosId,
  });
  return responses.map((response) => tokenizer.decode(withoutEnd(response, tokenizer.eosId)));
}

/** A response up to its end token, if it has one. */
export function withoutEnd(response: Int32Array, eos: number | null): Int32Array {
  return response.at(-1) === eos ? response.subarray(0, -1) : response;
}
