/**
 * Which tokens end the texts of a model folder. Its files may disagree: `generation_config.json` goes
 * before `config.json`, and that before the tokenizer's files. Everything else asks the config that
 * `readConfig` gives, in which the answer stands.
 * @module
 */
import * as z from "npm:zod@4.6.7";
import { shown } from "../../base/excerpt.ts";
import type { ModelConfig } from "../config.ts";
import { endsOf } from "../ends.ts";
import { type FolderSource, MissingFileError, pathIn, readJson } from "./folder_source.ts";
import { loadTokenizer } from "./tokenizer_file.ts";

const id = z.int().nonnegative();
const schema = z.looseObject({ eos_token_id: z.union([id, z.array(id).min(1)]).nullish() });

/** `eos_token_id` of transformers' `GPT2Config` and `GPTNeoConfig` where a file does not state it. */
const TRANSFORMERS_DEFAULT = 50_256;

/**
 * The ids that end a text of the model in `folder`; `config` is its parsed `config.json`. A text of a model
 * whose files name none ends at no token.
 * @throws {TypeError} when `generation_config.json` is not what its name says
 * @throws {RangeError} when it names an id that the model lacks
 */
export async function readEnds(
  folder: FolderSource,
  config: ModelConfig,
): Promise<readonly number[]> {
  const name = "generation_config.json";
  const json = await readJson(folder, name);
  if (json !== undefined) {
    const stated = statedBy(json, config.vocab_size, pathIn(folder, name));
    if (stated.length > 0) return stated;
  }
  const { eos_token_id: own, vocab_size } = config;
  if (own !== undefined && own !== null) return endsOf(own);
  // A default that the model has no row for is what nobody chose: a smaller vocabulary has its own end.
  if (own === undefined && TRANSFORMERS_DEFAULT < vocab_size) return [TRANSFORMERS_DEFAULT];
  const eosId = await tokenizerEnd(folder);
  return eosId !== null && eosId < vocab_size ? [eosId] : [];
}

function statedBy(json: unknown, vocabulary: number, from: string): readonly number[] {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new TypeError(
      `Cannot use ${from} as eos_token_id must be a token's id, or a list of them: it is ${
        shown((json as { eos_token_id?: unknown } | null)?.eos_token_id ?? json, 120)
      }`,
    );
  }
  const ids = [...new Set(endsOf(parsed.data.eos_token_id))];
  const absent = ids.find((id) => id >= vocabulary);
  if (absent === undefined) return ids;
  throw new RangeError(
    `Cannot use ${from} as eos_token_id must be below vocab_size ${vocabulary}: it is ${absent}`,
  );
}

/** The end that the tokenizer's files name; a model may come without them. */
async function tokenizerEnd(folder: FolderSource): Promise<number | null> {
  try {
    return (await loadTokenizer(folder)).eosId;
  } catch (error) {
    if (error instanceof MissingFileError) return null;
    throw error;
  }
}
