/** Which files of a repository make a model, or an adapter that PEFT saved. @module */
import * as z from "npm:zod@4.6.7";
import { denoFolder, kindOf } from "../files/deno_folder.ts";
import { readJson } from "../files/folder_source.ts";
import { TOKENIZER_FILES } from "../files/tokenizer_file.ts";
import { HubError } from "./errors.ts";
import { hubName } from "./names.ts";

const SHARD = /^[\w-][\w.-]*\.safetensors$/;
/** A model's weights: one file, or the list of its shards. */
export const WEIGHTS = "model.safetensors", INDEX = `${WEIGHTS}.index.json`;
/** What PEFT saves in place of config and weights. */
export const ADAPTER = "adapter_config.json", ADAPTER_WEIGHTS = "adapter_model.safetensors";
const PICKLED = /^(?:pytorch_model.*\.bin|.*\.(?:bin|pt|pth|ckpt|h5|msgpack))$/;
const TOKENIZERS = [["tokenizer.json"], ["vocab.json", "merges.txt"], ["vocab.txt"]];
const EXTRAS = [
  "generation_config.json",
  ...TOKENIZER_FILES.filter((name) => !TOKENIZERS.flat().includes(name)),
  // How a sentence encoder makes one vector of many, and of how many tokens at most.
  "1_Pooling/config.json",
  "sentence_bert_config.json",
];

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string().regex(SHARD)) });
const adapterSchema = z.looseObject({
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(), // of the base
});

/** Whether `folder` holds all of a model: config, weights and tokenizer. */
export async function isModel(folder: string): Promise<boolean> {
  const weights = await hasAll(folder, [WEIGHTS]) ||
    await hasAll(folder, [INDEX]) && await hasAll(folder, await shardsOf(folder));
  const tokenizer = await Promise.all(TOKENIZERS.map((files) => hasAll(folder, files)));
  return weights && tokenizer.includes(true) && await hasAll(folder, ["config.json"]);
}

/** Whether all of these files are in `folder`. */
export const hasAll = async (folder: string, names: readonly string[]): Promise<boolean> =>
  (await Promise.all(
    names.map((name) => kindOf(`${folder}/${name}`)),
  )).every((kind) => kind === "file");

/**
 * Which of the files `names` make `model`: those that come first, and the tokenizer. `adapter` is the
 * name of the adapter whose base it is.
 * @throws {HubError} when they do not make one
 */
export function wanted(
  names: ReadonlySet<string>,
  model: string,
  adapter?: string,
): { now: string[]; tokenizer: string[] } {
  const cannot = (what: string): HubError =>
    new HubError("unsupported", `Cannot use ${model} as it has ${what}`);
  const extras = EXTRAS.filter((name) => names.has(name));
  const tokenizer = TOKENIZERS.find((files) => files.every((name) => names.has(name)));
  const weights = [WEIGHTS, INDEX].find((name) => names.has(name));
  if (!weights && names.has(ADAPTER)) {
    if (adapter) {
      throw new HubError(
        "unsupported",
        `Cannot use ${adapter} as its base ${model} is an adapter itself: merge that one first`,
      );
    }
    if (!names.has(ADAPTER_WEIGHTS)) {
      throw cannot(
        names.has("adapter_model.bin") ? pickled(model, "an adapter") : `no ${ADAPTER_WEIGHTS}`,
      );
    }
    return { now: [ADAPTER, ...extras], tokenizer: tokenizer ?? [] };
  }
  if (!names.has("config.json")) throw cannot("no config.json: it is no model for transformers");
  if (!weights) {
    const isPickled = [...names].some((name) => PICKLED.test(name));
    throw cannot(isPickled ? pickled(model, "a model") : `no ${WEIGHTS}, and no weights`);
  }
  if (!tokenizer) throw cannot("no tokenizer.json, vocab.json with merges.txt, or vocab.txt");
  const now = ["config.json", ...extras];
  return { now: weights === INDEX ? [...now, INDEX] : now, tokenizer };
}

/** What is wrong with weights that are code, and the way to others. */
function pickled(model: string, kind: "a model" | "an adapter"): string {
  const { id, revision } = hubName(model)!;
  const [file, from] = kind === "a model"
    ? [WEIGHTS, "transformers import AutoModelForCausalLM as M, AutoTokenizer as T"]
    : [ADAPTER_WEIGHTS, "peft import AutoPeftModelForCausalLM as M"];
  const tokenizer = kind === "a model"
    ? "; T.from_pretrained(**a).save_pretrained('converted')"
    : "";
  return `no ${file}, only pickled weights, which could run code. Convert it once, where you trust ` +
    `it: python -c "from ${from}; ` +
    `a = dict(pretrained_model_name_or_path='${id}', revision='${revision}'); ` +
    `M.from_pretrained(**a).save_pretrained('converted')${tokenizer}", then use the folder converted`;
}

/**
 * The name of the model that the adapter `model`, which lies in `folder`, is for.
 * @throws {HubError} when that names no model of the hub
 */
export async function baseOf(folder: string, model: string): Promise<string> {
  const json = await readJson(denoFolder(folder), ADAPTER).catch(() => undefined); // said below
  const { base_model_name_or_path: name, revision } = adapterSchema.safeParse(json).data ?? {};
  const base = name && revision ? `${name}@${revision}` : name;
  if (base && hubName(base)) return base;
  throw new HubError(
    "unsupported",
    `Cannot use ${model} as its ${ADAPTER} must name the model of the hub that it is for: ` +
      `base_model_name_or_path is ${JSON.stringify(name) ?? "missing"}`,
  );
}

/** The files that the index in `folder` names, each once. @throws {HubError} when it is no index */
export async function shardsOf(folder: string): Promise<string[]> {
  const json = await readJson(denoFolder(folder), INDEX).catch(() => undefined); // said below
  const parsed = indexSchema.safeParse(json);
  if (parsed.success) return [...new Set(Object.values(parsed.data.weight_map))].sort();
  throw new HubError(
    "unsupported",
    `Cannot use ${folder}/${INDEX} as its weight_map must give each tensor the name of a .safetensors file beside it`,
  );
}
