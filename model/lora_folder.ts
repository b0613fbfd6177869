/**
 * Adapters in PEFT's form: `adapter_config.json` and `adapter_model.safetensors`, and beside them the
 * value head in `value_head.safetensors`, which PEFT does not see.
 * @module
 */
import { z } from "zod";
import { Scope } from "../kernels/device.ts";
import type { Gpt2Config } from "./config.ts";
import { copyTokenizer, type SaveOptions } from "./folder.ts";
import { replaceText } from "./files.ts";
import { cachedModel, isHubId } from "./hub.ts";
import { Adapter, type LoraOptions } from "./lora.ts";
import type { Store } from "./params.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";

const CONFIG = "adapter_config.json", WEIGHTS = "adapter_model.safetensors";
const VALUES = "value_head.safetensors";
const PREFIX = "base_model.model.transformer.";
/** TRL's name of a value head. */
const VALUE_HEAD = "v_head.summary.";

/** A folder with an adapter that can be read. */
export interface AdapterFolder extends Disposable {
  readonly lora: LoraOptions;
  /** Folder of the model that it is put on. */
  readonly base: string;
  /** Writes A, B and, where both have one, the value head into `adapter`. */
  fill(adapter: Adapter): Promise<void>;
  /** Adds it to the weights of a model; a value head in `weights` is filled too. */
  mergeInto(weights: Store, config: Gpt2Config): Promise<void>;
}

/** How an adapter is written. */
export interface AdapterSaveOptions extends Pick<SaveOptions, "tokenizer"> {
  /** What `base_model_name_or_path` shall say, in place of where the base came from. */
  base?: string;
}

const count = z.int().nonnegative();
const none = z.union([
  z.null(),
  z.literal(false),
  z.array(z.unknown()).max(0),
  z.record(z.string(), z.never()),
])
  .optional();
// What changes the numbers must say what is computed here; `none` is PEFT's way to say "not used".
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

type PeftConfig = z.infer<typeof schema>;

const isThere = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

/**
 * Opens a folder that holds an adapter, and finds its base; undefined where the folder has none.
 * `base` takes the place of what its config says.
 * @throws {TypeError} naming a setting that is not computed here
 * @throws {Error} when a file or the base is missing
 */
export async function openAdapter(
  folder: string,
  options: { base?: string } = {},
): Promise<AdapterFolder | undefined> {
  const config = await readConfig(folder);
  if (!config) return undefined;
  const base = options.base ?? await findBase(folder, config);
  if (await isThere(`${base}/${CONFIG}`)) {
    throw new TypeError(
      `Cannot put the adapter ${folder} on ${base} as that holds an adapter itself: merge that first`,
    );
  }
  const { r: rank, lora_alpha: alpha, target_modules: targets, use_rslora, layers_to_transform } =
    config;
  const layers = typeof layers_to_transform === "number"
    ? [layers_to_transform]
    : layers_to_transform ?? undefined;
  const lora = { rank, alpha, targets, rslora: use_rslora ?? false, ...(layers && { layers }) };
  const file = await openSafetensors(`${folder}/${WEIGHTS}`).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot load the adapter ${folder} as it has no ${WEIGHTS}; where it has a pickled ` +
        `adapter_model.bin, load that in Python and save it again`,
    );
  });
  const fill = async ({ store }: Adapter, values: Store = store): Promise<void> => {
    const wanted = store.layout.parameters.filter(({ name }) => !name.startsWith("v_head."));
    // Adapters on the bare transformer have no `transformer.` in their names.
    const places = file.expect(
      wanted,
      (name) => name.replace(/^base_model\.model\.(transformer\.)?/, ""),
    );
    for (const { name } of wanted) {
      store.device.write(store.get(name), await file.read(places.get(name)!));
    }
    await fillValues(values, `${folder}/${VALUES}`);
  };
  return {
    lora,
    base,
    fill: (adapter) => fill(adapter),
    async mergeInto(weights, config) {
      using scope = new Scope(weights.device);
      const adapter = new Adapter(scope, { config }, lora);
      await fill(adapter, weights);
      await adapter.merge(weights);
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** The folder of the base of the adapter in `folder`; undefined where there is no adapter. */
export async function baseOfAdapter(folder: string): Promise<string | undefined> {
  const config = await readConfig(folder);
  return config && await findBase(folder, config);
}

async function readConfig(folder: string): Promise<PeftConfig | undefined> {
  const path = `${folder}/${CONFIG}`;
  const text = await Deno.readTextFile(path).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  });
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot use ${path} as it must be JSON: ${(error as Error).message}`);
  }
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
    return key === "" ? "it is no object" : `${key} is ${JSON.stringify(value) ?? "missing"}`;
  });
  throw new TypeError(
    `Cannot use ${path} as only plain LoRA of a causal language model is computed here ` +
      `(peft_type LORA, bias none, one rank, no DoRA, no modules_to_save): ${shown.join("; ")}`,
  );
}

/** The base as a folder: one beside the adapter or on this machine, or a model in the hub's cache. */
async function findBase(folder: string, config: PeftConfig): Promise<string> {
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

async function fillValues(store: Store, path: string): Promise<void> {
  const wanted = store.layout.parameters.filter(({ name }) => name.startsWith("v_head."));
  if (wanted.length === 0 || !await isThere(path)) return;
  using file = await openSafetensors(path);
  const places = file.expect(wanted, (name) => name.replace(VALUE_HEAD, "v_head."));
  for (const { name } of wanted) {
    store.device.write(store.get(name), await file.read(places.get(name)!));
  }
}

/** A base as others can find it: id and commit where it lies in the hub's cache, else a full path. */
async function baseName(base: string): Promise<{ name: string; revision: string | null }> {
  const path = await Deno.realPath(base).catch(() => undefined);
  if (path === undefined) return { name: base, revision: null };
  const [, owner, name, commit] =
    path.match(/[/\\]models--([\w.-]+?)--([\w.-]+)[/\\]snapshots[/\\]([0-9a-f]{40})$/) ?? [];
  return commit ? { name: `${owner}/${name}`, revision: commit } : { name: path, revision: null };
}

/**
 * Writes a folder that PEFT loads: A and B in f32, and the settings; the value head and a tokenizer
 * beside them. `base` is a folder, or what else PEFT is to load the base by. Each file is replaced as
 * a whole, the weights last.
 * @throws {Error} when the base has no name
 * @throws {RangeError} when a number is not finite
 */
export async function writeAdapter(
  folder: string,
  adapter: Adapter,
  { base, tokenizer }: AdapterSaveOptions,
): Promise<void> {
  if (base === undefined) {
    throw new Error(
      "Cannot save an adapter as its base came from no folder: save the base without adapter, " +
        "and name its folder as base",
    );
  }
  const { rank, alpha, rslora, targets, layers } = adapter.options;
  const { name, revision } = await baseName(base);
  await Deno.mkdir(folder, { recursive: true });
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    auto_mapping: null,
    base_model_name_or_path: name,
    revision,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets,
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
  if (tokenizer !== undefined) await copyTokenizer(folder, tokenizer);
  const isValue = (name: string): boolean => name.startsWith("v_head.");
  const { store } = adapter;
  const write = (
    file: string,
    pick: (name: string) => boolean,
    fileName: (name: string) => string,
  ) =>
    writeSafetensors(`${folder}/${file}`, {
      tensors: store.order.filter(({ name }) => pick(name))
        .map(({ name, shape }) => ({ name: fileName(name), shape })),
      data: async function* () {
        for await (const [{ name }, data] of store.read()) if (pick(name)) yield data;
      },
      metadata: { format: "pt" },
    });
  if (store.find("v_head.weight")) {
    await write(VALUES, isValue, (name) => name.replace("v_head.", VALUE_HEAD));
  }
  await write(WEIGHTS, (name) => !isValue(name), (name) => `${PREFIX}${name}`);
}
