/** PEFT's `adapter_config.json`: what of it is computed here, and where the base of an adapter is. @module */
import { z } from "zod";
import { readJson, replaceText } from "./disk.ts";
import { cachedModel, isHubId } from "../hub/hub.ts";
import type { Adapter, LoraOptions } from "../lora/lora.ts";

const CONFIG = "adapter_config.json";

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

const isThere = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

/** Its settings in our words. */
export function settingsOf(config: PeftConfig): LoraOptions {
  const { r: rank, lora_alpha: alpha, target_modules: targets, use_rslora } = config;
  const { layers_to_transform: only } = config;
  const layers = typeof only === "number" ? [only] : only;
  return { rank, alpha, targets, rslora: use_rslora ?? false, ...(layers && { layers }) };
}

/** The folder of the base of the adapter in `folder`; undefined where there is no adapter. */
export async function baseOfAdapter(folder: string): Promise<string | undefined> {
  const config = await readConfig(folder);
  return config && await findBase(folder, config);
}

/**
 * The config of the adapter in `folder`; undefined where there is none.
 * @throws {TypeError} naming each key whose value is not computed here
 */
export async function readConfig(folder: string): Promise<PeftConfig | undefined> {
  const path = `${folder}/${CONFIG}`;
  const json = await readJson(path).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  });
  if (json === undefined) return undefined;
  const parsed = schema.safeParse(json);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path: [key] }) => String(key ?? ""));
  for (const [key, value] of Object.entries(parsed.data ?? {})) {
    const isKnown = key in schema.shape || FREE.has(key);
    if (!isKnown && !none.safeParse(value).success) faults.push(key);
  }
  if (parsed.success && faults.length === 0) return parsed.data;
  const shown = faults.map((key) => {
    const value = (json as Record<string, unknown> | null)?.[key];
    return key === ""
      ? "it is no object"
      : `${key} is ${(JSON.stringify(value) ?? "missing").slice(0, 80)}`;
  });
  throw new TypeError(
    `Cannot use ${path} as only plain LoRA of a causal language model is computed here ` +
      `(peft_type LORA, bias none, one rank, no DoRA, no modules_to_save): ${shown.join("; ")}`,
  );
}

/**
 * The folder of an adapter's base: `given`, else what the config names: a folder beside the adapter or
 * on this machine, or a model in the hub's cache.
 * @throws {Error} when it is not there
 * @throws {TypeError} when it holds an adapter itself
 */
export async function findBase(
  folder: string,
  config: PeftConfig,
  given?: string,
): Promise<string> {
  const base = given ?? await namedBase(folder, config);
  if (await isThere(`${base}/${CONFIG}`)) {
    throw new TypeError(
      `Cannot put the adapter ${folder} on ${base} as that holds an adapter itself: merge that first`,
    );
  }
  return base;
}

async function namedBase(folder: string, config: PeftConfig): Promise<string> {
  const { base_model_name_or_path: name, revision } = config;
  const cannot = `Cannot load the adapter ${folder} as its base `;
  if (!name) throw new Error(`${cannot}is not named: base_model_name_or_path is missing`);
  const isAbsolute = /^(?:[/\\]|[A-Za-z]:)/.test(name);
  for (const path of isAbsolute ? [name] : [`${folder}/${name}`, name]) {
    if (await isThere(`${path}/config.json`)) return path;
  }
  const id = revision ? `${name}@${revision}` : name;
  if (isHubId(id)) {
    const cached = await cachedModel(id);
    if (cached) return cached.folder;
    throw new Error(
      `${cannot}${id} is no folder, and not in the hub's cache. This gets it: deno task fetch ${id}`,
    );
  }
  throw new Error(
    `${cannot}${JSON.stringify(name)} is not there: set base_model_name_or_path to its folder`,
  );
}

/** A base as others can find it: id and commit where it lies in the hub's cache, else a full path. */
export async function baseName(base: string): Promise<{ name: string; revision: string | null }> {
  const path = await Deno.realPath(base).catch(() => undefined);
  if (path === undefined) return { name: base, revision: null };
  const [, owner, name, commit] =
    path.match(/[/\\]models--([\w.-]+?)--([\w.-]+)[/\\]snapshots[/\\]([0-9a-f]{40})$/) ?? [];
  return commit ? { name: `${owner}/${name}`, revision: commit } : { name: path, revision: null };
}

/** Writes the config of `adapter`, as PEFT does. */
export async function writeConfig(
  folder: string,
  adapter: Adapter,
  base: { name: string; revision: string | null },
): Promise<void> {
  const { rank, alpha, rslora, targets, layers } = adapter.options;
  const names = new Set(adapter.modules.map(({ module }) => module.name));
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    auto_mapping: null,
    base_model_name_or_path: base.name,
    revision: base.revision,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets === "all-linear" ? [...names] : targets, // as a text it takes no layers
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
  await replaceText(`${folder}/${CONFIG}`, JSON.stringify(config, null, 2) + "\n");
}
