/** PEFT's `adapter_config.json`: what of it is computed here, and where the base of an adapter is. @module */
import * as z from "npm:zod@4.6.7";
import type { LoraOptions } from "../lora/lora.ts";
import { sourceOf } from "./deno_folder.ts";
import { type FolderSource, hasFile, pathIn, readJson } from "./folder_source.ts";

/** The file that makes a folder an adapter's. */
export const CONFIG = "adapter_config.json";

const count = z.int().nonnegative();
/** How PEFT says that something is not used. */
const none = z.union([
  z.null(),
  z.literal(false),
  z.array(z.unknown()).max(0),
  z.record(z.string(), z.never()),
]).optional();
// What changes the numbers must say what is computed here.
const schema = z.looseObject({
  peft_type: z.literal("LORA"),
  task_type: z.literal("CAUSAL_LM").nullish(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  base_model_name_or_path: z.string().min(1).nullish(),
  revision: z.string().nullish(),
  use_rslora: z.boolean().nullish(),
  bias: z.literal("none").nullish(),
  layers_to_transform: z.union([count, z.array(count).min(1)]).nullish(),
  layers_pattern: z.union([z.literal("h"), z.tuple([z.literal("h")]), none]),
  // Others begin with changed weights in the base, which is not what its folder holds.
  init_lora_weights: z.union([z.boolean(), z.enum(["gaussian", "eva", "orthogonal"])]).nullish(),
});
// Of these no value matters: dropout is not applied here, the rest is for training or bookkeeping.
const FREE = new Set([
  ...["lora_dropout", "fan_in_fan_out", "inference_mode", "auto_mapping", "peft_version"],
  ...["megatron_config", "megatron_core", "loftq_config", "eva_config", "corda_config"],
  ...["runtime_config", "qalora_group_size", "ensure_weight_tying"],
]);

/** A config that is computed here. */
export type PeftConfig = z.infer<typeof schema>;

/** Its settings in our words. */
export function settingsOf(config: PeftConfig): LoraOptions {
  const { r: rank, lora_alpha: alpha, target_modules: targets, use_rslora } = config;
  const { layers_to_transform: only } = config;
  const layers = typeof only === "number" ? [only] : only;
  return { rank, alpha, targets, rslora: use_rslora ?? false, ...(layers && { layers }) };
}

/** The folder of the base of the adapter in `folder`; undefined where there is no adapter. */
export async function baseOfAdapter(
  folder: string | FolderSource,
): Promise<FolderSource | undefined> {
  const source = sourceOf(folder);
  const config = await readPeftConfig(source);
  return config && await findBase(source, config);
}

/**
 * The config of the adapter in `folder`; undefined where there is none.
 * @throws {TypeError} naming each key whose value is not computed here
 */
export async function readPeftConfig(folder: FolderSource): Promise<PeftConfig | undefined> {
  const path = pathIn(folder, CONFIG);
  const json = await readJson(folder, CONFIG);
  if (json === undefined) return undefined;
  const parsed = schema.safeParse(json);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path: [key] }) => String(key ?? ""));
  for (const [key, value] of Object.entries(parsed.data ?? {})) {
    const isKnown = Object.hasOwn(schema.shape, key) || FREE.has(key);
    if (!isKnown && !none.safeParse(value).success) faults.push(key);
  }
  if (parsed.success && faults.length === 0) return parsed.data;
  const shown = faults.map((key) => {
    const value = (json as Record<string, unknown> | null)?.[key];
    return key === ""
      ? "it is not an object"
      : `${key} is ${(JSON.stringify(value) ?? "missing").slice(0, 80)}`;
  });
  throw new TypeError(
    `Cannot use ${path} as only plain LoRA of a causal language model is computed here ` +
      `(peft_type LORA, bias none, one rank, no DoRA, no modules_to_save): ${shown.join("; ")}`,
  );
}

/**
 * The folder of an adapter's base: `given`, else what the config names, as the adapter's folder
 * understands it.
 * @throws {Error} when it is not there
 * @throws {TypeError} when it holds an adapter itself
 */
export async function findBase(
  folder: FolderSource,
  config: PeftConfig,
  given?: FolderSource,
): Promise<FolderSource> {
  const base = given ?? await namedBase(folder, config);
  if (await hasFile(base, CONFIG)) {
    throw new TypeError(
      `Cannot attach the adapter ${folder.path} to ${base.path} as that holds an adapter itself: ` +
        "merge that first",
    );
  }
  return base;
}

async function namedBase(folder: FolderSource, config: PeftConfig): Promise<FolderSource> {
  const { base_model_name_or_path: name, revision } = config;
  const cannot = `Cannot load the adapter ${folder.path} as its base `;
  if (!name) throw new Error(`${cannot}is not named: base_model_name_or_path is missing`);
  const found = await folder.named(name, revision ?? undefined);
  if ("missing" in found) throw new Error(cannot + found.missing);
  return found;
}
