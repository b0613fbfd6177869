/** Writes a model as a folder that transformers loads: weights, tokenizer, sampling, card. @module */
import { CpuDevice } from "../kernels/devices/cpu.ts";
import { sourceOf } from "../model/files/deno_folder.ts";
import { replaceFile } from "../model/files/disk.ts";
import { MissingFileError, readJson } from "../model/files/folder_source.ts";
import { saveGpt2 } from "../model/files/gpt2_save.ts";
import { openSafetensors } from "../model/files/safetensors.ts";
import { describeModel, hubFolder, loadModel, loadTokenizer } from "../model/hub/load.ts";
import { type Ends, endsOf } from "../model/ends.ts";
import type { LoraOptions } from "../model/lora/lora.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { namedModel } from "./folder/named_model.ts";
import { requireWhole } from "./folder/sound_checkpoint.ts";
import { findModel, type ModelSource } from "../model/hub/find_model.ts";
import { checkModel } from "./memory_plan.ts";

/** What to write, and where. */
export interface ExportRequest {
  /** Name of a model as `modelFolder` takes it, or a run, which stands for its last checkpoint. */
  model: string;
  /** Folder to write, new or empty. What a failure leaves in it is no model. */
  to: string;
  /** Element type of the weights. F16 halves the file and rounds to 11 bits. Default F32. */
  dtype?: "F32" | "F16";
  /** Keep the value head, under TRL's names. Default false: transformers has no use for it. */
  valueHead?: boolean;
  /** How the model was sampled in training; transformers then draws from the same distribution. */
  sampling?: { maxNewTokens: number; temperature: number };
  /** Text of README.md; absent: none is written. */
  card?: (facts: ExportFacts) => string;
}

/** What was written. */
export interface ExportFacts {
  /** What was read. */
  source: ModelSource;
  /** `model_type` of config.json, such as "gpt2". */
  modelType: string;
  /** Weights, without a value head. */
  parameters: number;
  /** Longest sequence, in tokens. */
  positions: number;
  dtype: "F32" | "F16";
  valueHead: boolean;
  /** Of the adapter that was added to the weights of its base; absent where the folder had none. */
  adapter?: LoraOptions;
  /** False where the model's folder has none. */
  tokenizer: boolean;
}

/**
 * Writes the folder. The same model gives the same bytes.
 * @throws {RangeError} when a weight is not finite in `dtype`, or there is no value head to keep
 * @throws {Error} when the model cannot be found or read
 */
export async function exportModel(request: ExportRequest): Promise<ExportFacts> {
  const { to, dtype = "F32", valueHead = false, sampling, card } = request;
  const { folder, source } = await findModel((await namedModel(request.model)).model);
  await requireWhole(folder, "export");
  const { config: planned, lora: adapter } = await describeModel(folder);
  using device = new CpuDevice(); // copies numbers; every machine has it
  const options = { frozen: true, valueHead };
  checkModel(device, "export", { config: planned, options: { ...options, lora: adapter } });
  using model = await loadModel(device, folder, { ...options, merge: true });
  const { config, dims } = model;
  const tokenizer = await loadTokenizer(folder, { modelVocab: dims.V })
    .catch((error: unknown) => {
      if (error instanceof MissingFileError) return undefined;
      throw error;
    });
  const files = tokenizer ? { tokenizer: hubFolder(folder) } : {};
  await saveGpt2(model, to, { dtype, ...files }).catch((error: unknown) => {
    if (dtype === "F16" && error instanceof RangeError) error.message += ". Export it as f32";
    throw error;
  });
  if (tokenizer) await completeTokenizer(to, tokenizer, endsOf(config.eos_token_id));
  const ids = { bos: config.bos_token_id, eos: config.eos_token_id ?? null };
  const settings = sampling ? sampled(sampling, ids) : await inherited(folder, ids);
  await replaceFile(`${to}/generation_config.json`, json(settings).replace(FLOATS, "$1.0"));
  const facts: ExportFacts = {
    source,
    modelType: config.model_type,
    parameters: await inspect(to, valueHead, folder),
    positions: dims.P,
    dtype,
    valueHead,
    ...(adapter && { adapter }),
    tokenizer: tokenizer !== undefined,
  };
  if (card) await replaceFile(`${to}/README.md`, card(facts));
  return facts;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2) + "\n";

/** JSON.stringify writes 2.0 as 2, which transformers refuses where it wants a float. */
const FLOATS = /("(?:temperature|\w+_p|\w*_?penalty|\w+_cutoff)": \d+)(?=,?\n)/g;

interface TokenIds {
  bos: number | null;
  eos: Ends;
}

/** What `generate` of transformers does by itself: draw as the run drew. */
function sampled(
  { maxNewTokens, temperature }: { maxNewTokens: number; temperature: number },
  { bos, eos }: TokenIds,
): Record<string, unknown> {
  return {
    ...withoutNull({ bos_token_id: bos, eos_token_id: eos, pad_token_id: endsOf(eos)[0] ?? null }),
    do_sample: true,
    temperature,
    top_k: 0, // transformers' own default of 50 would cut the distribution
    max_new_tokens: maxNewTokens,
  };
}

/** The settings that the model came with. Without a padding id transformers says so at every call. */
async function inherited(
  folder: string,
  { bos, eos }: TokenIds,
): Promise<Record<string, unknown>> {
  const {
    // Both would say that another program wrote the file.
    _from_model_config: _made,
    transformers_version: _version,
    ...given
  } = await readObject(folder, "generation_config.json") ?? {};
  const pad = withoutNull({ pad_token_id: endsOf(eos)[0] ?? null, bos_token_id: bos });
  return { ...pad, ...withoutNull(given), ...withoutNull({ eos_token_id: eos }) };
}

const withoutNull = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

/**
 * Adds to `tokenizer_config.json` what transformers would guess or warn about. Where there is none, the
 * generic class reads tokenizer.json as it is: a class chosen by the model's type may add tokens to it.
 */
async function completeTokenizer(
  to: string,
  tokenizer: Tokenizer,
  ends: readonly number[],
): Promise<void> {
  const name = "tokenizer_config.json";
  const given = await readObject(to, name);
  const id = ends.find((id) => tokenizer.isAdded(id));
  const end = id === undefined
    ? {}
    : Object.fromEntries(["bos_token", "eos_token", "unk_token"].map((name) => [
      name,
      tokenizer.tokenOf(id),
    ]));
  const made = {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_input_names: ["input_ids", "attention_mask"], // token types would change the embeddings
    ...end,
  };
  if (given && "clean_up_tokenization_spaces" in given) return;
  // Decoded without cleaning, a text is what rewards saw.
  await replaceFile(
    `${to}/${name}`,
    json({ ...(given ?? made), clean_up_tokenization_spaces: false }),
  );
}

/** A JSON file; undefined where there is none. */
async function readObject(
  folder: string,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const value = await readJson(sourceOf(folder), name);
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TypeError(`Cannot use ${folder}/${name} as it must be a JSON object`);
}

/** Reads back what was written: gives the number of weights. */
async function inspect(to: string, valueHead: boolean, folder: string): Promise<number> {
  using file = await openSafetensors(`${to}/model.safetensors`);
  const weights = [...file.entries.values()].filter(({ name }) => !name.startsWith("v_head."));
  if (valueHead && (await file.read("v_head.summary.weight")).every((x) => x === 0)) {
    throw new RangeError(
      `Cannot keep the value head of ${folder} as it has none, or one that never learned: ` +
        "leave out --value-head",
    );
  }
  const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
  return weights.reduce((sum, { shape }) => sum + size(shape), 0);
}
