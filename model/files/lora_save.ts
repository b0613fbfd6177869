/**
 * Writes adapters in PEFT's form: `adapter_config.json` and `adapter_model.safetensors`, and beside them
 * the value head in `value_head.safetensors`, which PEFT does not see.
 * @module
 */
import { basename, dirname, join } from "node:path";
import type { Gpt2 } from "../gpt2.ts";
import { isValueHead } from "../layout.ts";
import type { Adapter } from "../lora/lora.ts";
import { fullPath, makeFolders, replaceFile } from "./disk.ts";
import { VALUE_HEAD } from "./gpt2_folder.ts";
import type { SaveOptions } from "./gpt2_save.ts";
import { PREFIX, VALUES, WEIGHTS } from "./lora_folder.ts";
import { CONFIG } from "./peft_config.ts";
import { copyTokenizer } from "./tokenizer_copy.ts";
import { writeSafetensors } from "./safetensors_write.ts";

/** How an adapter is written. */
export interface AdapterSaveOptions extends Pick<SaveOptions, "tokenizer"> {
  /** What `base_model_name_or_path` shall say, in place of where the base came from. */
  base?: string;
}

/**
 * Writes a folder that PEFT loads: A and B in f32, and the settings; the value head and a tokenizer
 * beside them. `base` is a folder, or what else PEFT is to load the base by. Each file is replaced as
 * a whole, the weights last.
 * @throws {Error} when the model has no adapter, or the base no name
 * @throws {RangeError} when a number is not finite
 */
export async function saveAdapter(
  { adapter, base: from, config }: Gpt2,
  path: string,
  { base = from, tokenizer }: AdapterSaveOptions = {},
): Promise<void> {
  if (!adapter) throw new Error("Cannot save an adapter as this model has none");
  if (base === undefined) {
    throw new Error(
      "Cannot save an adapter as its base came from no folder: save the base without adapter, " +
        "and name its folder as base",
    );
  }
  const named = await baseName(base);
  await makeFolders(path);
  await writeConfig(path, adapter, named);
  if (tokenizer !== undefined) await copyTokenizer(path, tokenizer, config.eos_token_id ?? null);
  const { parameters } = adapter;
  const write = (
    file: string,
    pick: (name: string) => boolean,
    fileName: (name: string) => string,
  ) =>
    writeSafetensors(join(path, file), {
      tensors: parameters.order.filter(({ name }) => pick(name))
        .map(({ name, shape }) => ({ name: fileName(name), shape })),
      data: async function* () {
        for await (const [{ name }, data] of parameters.read()) if (pick(name)) yield data;
      },
      metadata: { format: "pt" },
    });
  if (parameters.find("v_head.weight")) {
    await write(VALUES, isValueHead, (name) => name.replace("v_head.", VALUE_HEAD));
  }
  await write(WEIGHTS, (name) => !isValueHead(name), (name) => `${PREFIX}${name}`);
}

/** A base as others can find it: id and commit where it lies in the hub's cache, else a full path. */
export async function baseName(base: string): Promise<{ name: string; revision: string | null }> {
  const path = await fullPath(base);
  if (path === undefined) return { name: base, revision: null };
  const [commit, snapshots, model] = [path, dirname(path), dirname(dirname(path))].map((part) =>
    basename(part)
  );
  const [, owner, name] = model.match(/^models--([\w.-]+?)--([\w.-]+)$/) ?? [];
  return owner && snapshots === "snapshots" && /^[0-9a-f]{40}$/.test(commit)
    ? { name: `${owner}/${name}`, revision: commit }
    : { name: path, revision: null };
}

/** Writes the config of `adapter`, as PEFT does. */
async function writeConfig(
  path: string,
  adapter: Adapter,
  base: { name: string; revision: string | null },
): Promise<void> {
  const { rank, alpha, rslora, targets, layers: only, exclude } = adapter.options;
  // PEFT before 0.14 knows no exclude_modules; and a text takes no layers.
  const named = exclude
    ? adapter.modules.map(({ name }) => `transformer.${name}`)
    : targets === "all-linear"
    ? [...new Set(adapter.modules.map(({ module }) => module.name))]
    : targets;
  const layers = exclude ? undefined : only;
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    auto_mapping: null,
    base_model_name_or_path: base.name,
    revision: base.revision,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: named,
    layers_to_transform: layers ?? null,
    layers_pattern: null,
    use_rslora: rslora,
    fan_in_fan_out: adapter.modules.every(({ module }) => !module.transposed),
    bias: "none",
    use_dora: false,
    modules_to_save: null,
    rank_pattern: {},
    alpha_pattern: {},
    init_lora_weights: true,
    inference_mode: true,
  };
  await replaceFile(join(path, CONFIG), JSON.stringify(config, null, 2) + "\n");
}
