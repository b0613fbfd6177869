/**
 * Adapters in PEFT's form: `adapter_config.json` and `adapter_model.safetensors`, and beside them the
 * value head in `value_head.safetensors`, which PEFT does not see.
 * @module
 */
import { Scope } from "../../kernels/scope.ts";
import { excerpt } from "../../base/excerpt.ts";
import type { ModelConfig } from "../config.ts";
import { plainName } from "../families/names.ts";
import { Adapter, type LoraOptions } from "../lora/lora.ts";
import { isValueHead } from "../layout.ts";
import type { ParameterBuffers } from "../params.ts";
import { sourceOf } from "./deno_folder.ts";
import { type FolderSource, MissingFileError } from "./folder_source.ts";
import { openFolder, readConfig, VALUE_HEAD } from "./gpt2_folder.ts";
import { findBase, readPeftConfig, settingsOf } from "./peft_config.ts";
import { openTensors, type SafetensorsFile } from "./safetensors.ts";
import { SafetensorsError } from "./tensor_entries.ts";

/** File of A and B. */
export const WEIGHTS = "adapter_model.safetensors";
/** File of the value head. */
export const VALUES = "value_head.safetensors";
/** Of the names of A and B. */
export const PREFIX = "base_model.model.transformer.";

/** A folder with an adapter that can be read. */
export interface AdapterFolder extends Disposable {
  readonly lora: LoraOptions;
  /** Folder of the model that it is attached to. */
  readonly base: FolderSource;
  /** Writes A, B and, where both have one, the value head into `adapter`. */
  fill(adapter: Adapter): Promise<void>;
  /** Merges it into the weights of a model; a value head in `weights` is filled too. */
  mergeInto(weights: ParameterBuffers, config: ModelConfig): Promise<void>;
}

/**
 * Opens a folder that holds an adapter, and finds its base; undefined where the folder has none.
 * `given` takes the place of what its config says.
 * @throws {TypeError} naming a setting that is not computed here
 * @throws {Error} when a file or the base is missing
 */
export async function openAdapter(
  folder: FolderSource,
  given?: FolderSource,
): Promise<AdapterFolder | undefined> {
  const config = await readPeftConfig(folder);
  if (!config) return undefined;
  const base = await findBase(folder, config, given);
  const lora = settingsOf(config, await readConfig(base));
  const file = await openTensors(folder, WEIGHTS);
  if (!file) {
    throw new MissingFileError(
      `Cannot load the adapter ${folder.path} as it has no ${WEIGHTS}; where it has a pickled ` +
        `adapter_model.bin, load that in Python and save it again`,
    );
  }
  try {
    checkMatrices(file, lora.rank); // before memory is taken for such a rank
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  const fill = async (
    { parameters }: Adapter,
    values: ParameterBuffers = parameters,
  ): Promise<void> => {
    const wanted = parameters.layout.parameters.filter(({ name }) => !isValueHead(name));
    const places = file.expect(wanted, ownName);
    for (const { name } of wanted) {
      parameters.device.write(parameters.get(name), await file.read(places.get(name)!));
    }
    await fillValues(values, folder);
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

/** Of names such as `base_model.model.transformer.h.0.…`, in which a bare model has no `transformer.`. */
const ownName = (name: string): string =>
  plainName(plainName(name).replace(/^base_model\.model\./, ""));

/** @throws {SafetensorsError} for a matrix of another rank, and for weights of the base */
function checkMatrices({ path, entries }: SafetensorsFile, rank: number): void {
  for (const { name, shape } of entries.values()) {
    const size = `${excerpt(name)} is (${excerpt(shape.join())})`;
    if (name.endsWith(".lora_A.weight") && shape[0] !== rank) {
      throw new SafetensorsError(
        `Cannot use ${path} as its matrices must have the rank of the config, ${rank}: ${size}`,
      );
    }
    if (/^(?:wte|lm_head)\.(?:base_layer\.)?weight$/.test(ownName(name))) {
      throw new SafetensorsError(
        `Cannot use ${path} as an adapter may hold matrices A and B alone: ${size}. PEFT adds the ` +
          "embedding and the head of a model whose vocabulary was resized. In Python, load it as it " +
          "was trained, and model.merge_and_unload().save_pretrained(folder) writes a plain model " +
          "with them",
      );
    }
  }
}

/**
 * The config of a model folder, or of an adapter's base with the adapter's settings; weights need not
 * be there.
 * @throws as `openAdapter`, or where the config is missing or broken
 */
export async function describeModel(
  folder: string | FolderSource,
): Promise<{ config: ModelConfig; lora?: LoraOptions }> {
  const source = sourceOf(folder);
  const adapter = await readPeftConfig(source);
  if (!adapter) return { config: await configOf(source) };
  const base = await findBase(source, adapter);
  const config = await configOf(base);
  return { config, lora: settingsOf(adapter, config) };
}

/** The config, which weights that are there must fit: it decides how much memory is asked for. */
async function configOf(folder: FolderSource): Promise<ModelConfig> {
  try {
    using opened = await openFolder(folder);
    return opened.config;
  } catch (error) {
    if (!(error instanceof MissingFileError)) throw error;
    return await readConfig(folder);
  }
}

async function fillValues(values: ParameterBuffers, folder: FolderSource): Promise<void> {
  const wanted = values.layout.parameters.filter(({ name }) => isValueHead(name));
  if (wanted.length === 0) return;
  using file = await openTensors(folder, VALUES);
  if (!file) return;
  const places = file.expect(wanted, (name) => name.replace(VALUE_HEAD, "v_head."));
  for (const { name } of wanted) {
    values.device.write(values.get(name), await file.read(places.get(name)!));
  }
}
