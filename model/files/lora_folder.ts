/**
 * Adapters in PEFT's form: `adapter_config.json` and `adapter_model.safetensors`, and beside them the
 * value head in `value_head.safetensors`, which PEFT does not see.
 * @module
 */
import { Scope } from "../../kernels/device.ts";
import type { ModelConfig } from "../config.ts";
import { copyTokenizer, readConfig as readModelConfig, type SaveOptions } from "./folder.ts";
import { Adapter, type LoraOptions } from "../lora/lora.ts";
import { baseName, findBase, readConfig, settingsOf, writeConfig } from "./lora_config.ts";
import type { Store } from "../params.ts";
import {
  openSafetensors,
  SafetensorsError,
  type SafetensorsFile,
  writeSafetensors,
} from "./safetensors.ts";

const WEIGHTS = "adapter_model.safetensors";
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
  mergeInto(weights: Store, config: ModelConfig): Promise<void>;
}

/** How an adapter is written. */
export interface AdapterSaveOptions extends Pick<SaveOptions, "tokenizer"> {
  /** What `base_model_name_or_path` shall say, in place of where the base came from. */
  base?: string;
}

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
  const base = await findBase(folder, config, options.base);
  const lora = settingsOf(config);
  const file = await openIfThere(`${folder}/${WEIGHTS}`);
  if (!file) {
    throw new Deno.errors.NotFound(
      `Cannot load the adapter ${folder} as it has no ${WEIGHTS}; where it has a pickled ` +
        `adapter_model.bin, load that in Python and save it again`,
    );
  }
  for (const { name, shape } of file.entries.values()) { // before memory is taken for such a rank
    if (!name.endsWith(".lora_A.weight") || shape[0] === lora.rank) continue;
    file[Symbol.dispose]();
    throw new SafetensorsError(
      `Cannot use ${file.path} as its matrices must have the rank of the config, ${lora.rank}: ` +
        `${name} is (${shape})`,
    );
  }
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

/**
 * The config of a model folder, or of an adapter's base with the adapter's settings; weights need not
 * be there.
 * @throws as `openAdapter`, or where the config is missing or broken
 */
export async function describeModel(
  folder: string,
): Promise<{ config: ModelConfig; lora?: LoraOptions }> {
  const adapter = await readConfig(folder);
  if (!adapter) return { config: await readModelConfig(folder) };
  const base = await findBase(folder, adapter);
  return { config: await readModelConfig(base), lora: settingsOf(adapter) };
}

async function openIfThere(path: string): Promise<SafetensorsFile | undefined> {
  try {
    return await openSafetensors(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function fillValues(store: Store, path: string): Promise<void> {
  const wanted = store.layout.parameters.filter(({ name }) => name.startsWith("v_head."));
  if (wanted.length === 0) return;
  using file = await openIfThere(path);
  if (!file) return;
  const places = file.expect(wanted, (name) => name.replace(VALUE_HEAD, "v_head."));
  for (const { name } of wanted) {
    store.device.write(store.get(name), await file.read(places.get(name)!));
  }
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
  const named = await baseName(base);
  await Deno.mkdir(folder, { recursive: true });
  await writeConfig(folder, adapter, named);
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
