/**
 * Model folders in Hugging Face form: `config.json`, and `model.safetensors` or its shards. Or what PEFT
 * saves of an adapter in their place, whose base is then read too.
 * @module
 */
import type { Device } from "../../kernels/device.ts";
import { type ModelConfig, modelDims, parseConfig } from "../config.ts";
import { statedEnds } from "../ends.ts";
import { fileParts, packPart } from "../families/families.ts";
import { adapterInside, plainName } from "../families/names.ts";
import { Gpt2 } from "../gpt2.ts";
import type { Gpt2Options } from "../gpt2_options.ts";
import { isValueHead, type Parameter, parameterSpecs } from "../layout.ts";
import type { ParameterBuffers } from "../params.ts";
import type { TensorSource } from "../tensor_source.ts";
import { sourceOf } from "./deno_folder.ts";
import { readEnds } from "./ends_file.ts";
import { type FolderSource, MissingFileError, pathIn, readJson } from "./folder_source.ts";
import { openAdapter } from "./lora_folder.ts";
import { openWeights } from "./shards.ts";
import { SafetensorsError } from "./tensor_entries.ts";

/** How a folder is loaded. */
export interface LoadOptions extends Omit<Gpt2Options, "base"> {
  /** Of an adapter's folder: where its base is, in place of what `adapter_config.json` says. */
  base?: string | FolderSource;
  /** Merges the adapter of an adapter's folder into the weights: a plain model comes out. Default false. */
  merge?: boolean;
}

/**
 * A model from a folder in Hugging Face form, or from a folder that PEFT wrote: its base is found and
 * the adapter attached to it. A value head that the folder lacks is a fresh one, by `valueInit`; `lora` attaches a fresh adapter,
 * drawn from `seed`, to a folder that has none. A text is the path of a folder on this machine, and a base
 * that is not on it is not found: `model/hub/load.ts` looks in the hub's cache as well.
 * @throws {Error} when the folder lacks a file or its tensors do not fit its config
 * @throws {RangeError} when a weight is too large for a `matrixDtype` of "f16"
 */
export async function loadGpt2(
  device: Device,
  folder: string | FolderSource,
  { base: given, merge, ...options }: LoadOptions = {},
): Promise<Gpt2> {
  const from = sourceOf(folder);
  using adapter = await openAdapter(from, given === undefined ? undefined : sourceOf(given));
  if (adapter && options.lora && !merge) {
    throw new Error(
      `Cannot attach a fresh adapter to ${from.path} as it holds one: leave lora out to continue with ` +
        "that, or merge it first and save the plain model",
    );
  }
  const base = adapter?.base ?? from;
  using source = await openFolder(base);
  const own = adapter && !merge ? { lora: adapter.lora } : {};
  const model = Gpt2.empty(device, source.config, { ...options, ...own, base: base.path });
  try {
    model.adapter?.initialise(options.seed ?? 0);
    model.initialiseValues();
    await source.fill(model.weights, model.adapter?.parameters);
    if (model.adapter) await adapter?.fill(model.adapter);
    else await adapter?.mergeInto(model.weights, source.config);
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
  return model;
}

/** A model folder whose weights can be read. */
export interface ModelFolder extends Disposable {
  readonly config: ModelConfig;
  /**
   * Writes every weight into `weights`. The value head goes there or into `beside`, whichever has one;
   * one that the folder lacks is left as it is.
   */
  fill(weights: ParameterBuffers, beside?: ParameterBuffers): Promise<void>;
}

/** The one weight whose name has no prefix `transformer.`. */
export const HEAD = "lm_head.weight";
const EMBEDDING = "wte.weight";
/** TRL's name of a value head inside `model.safetensors`. */
export const VALUE_HEAD = "v_head.summary.";

/**
 * The config of a folder, which need not have weights. Its `eos_token_id` is what all files of the folder
 * say of the tokens that end a text (`readEnds`).
 * @throws {Error} when it is missing or broken, with the cure
 */
export async function readConfig(folder: FolderSource): Promise<ModelConfig> {
  const json = await readJson(folder, "config.json");
  if (json !== undefined) {
    const config = parseConfig(json, pathIn(folder, "config.json"));
    return { ...config, eos_token_id: statedEnds(await readEnds(folder, config)) };
  }
  throw new MissingFileError(
    `Cannot open the model folder ${folder.path} as it has no config.json`,
  );
}

/**
 * Opens a folder and checks its config and the header of its weights: all that the config asks for is
 * there, before memory is taken for it.
 * @throws {Error} naming the file that is missing or broken, and the cure
 */
export async function openFolder(folder: FolderSource): Promise<ModelFolder> {
  const config = await readConfig(folder);
  using opened = new DisposableStack();
  const file = opened.use(await openWeights(folder, "AutoModelForCausalLM"));
  const places = placesOf(file, config);
  const kept = opened.move();
  return {
    config,
    fill: (weights, beside) => fill({ weights, beside }, { file, config, places }),
    [Symbol.dispose]: () => kept.dispose(),
  };
}

/** Weights that were found in a file: the name there of each tensor, but for those of a value head. */
interface FoundWeights {
  readonly file: TensorSource;
  readonly config: ModelConfig;
  readonly places: ReadonlyMap<string, string>;
}

const ownName = (name: string): string => plainName(name).replace(VALUE_HEAD, "v_head.");

/** @throws {SafetensorsError} when the tensors are not those of `config` */
function placesOf(file: TensorSource, config: ModelConfig): Map<string, string> {
  const names = [...file.entries.keys()];
  const inside = adapterInside(names);
  if (inside) throw new SafetensorsError(`Cannot use ${file.path} as ${inside}`);
  const tied = config.tie_word_embeddings, plain = new Set(names.map(ownName));
  // A tied head is the token embedding again: its shape is checked, its numbers are not needed, unless
  // it is all that was saved of the two.
  const { V, C } = modelDims(config);
  const isCopy = tied && plain.has(HEAD) && plain.has(EMBEDDING);
  const parts = parameterSpecs(config).flatMap((spec) => fileParts(config, spec));
  return file.expect(
    [...parts, ...(isCopy ? [{ name: HEAD, shape: [V, C] }] : [])],
    (name) => {
      const own = ownName(name);
      // Causal masks are no weights.
      if (isValueHead(own) || /^h\.\d+\.attn\.(attention\.)?(masked_)?bias$/.test(own)) {
        return undefined;
      }
      return tied && own === HEAD && !isCopy ? EMBEDDING : own;
    },
  );
}

async function fill(
  { weights, beside }: { weights: ParameterBuffers; beside?: ParameterBuffers },
  { file, config, places }: FoundWeights,
): Promise<void> {
  const all = [...weights.layout.parameters, ...(beside?.layout.parameters ?? [])];
  const values = [...file.entries.keys()].some((name) => isValueHead(ownName(name)))
    ? all.filter(({ name }) => isValueHead(name))
    : [];
  const found = values.length === 0 ? [] : file.expect(values, (name) => {
    const own = ownName(name);
    return isValueHead(own) ? own : undefined;
  });
  const names = new Map([...places, ...found]);
  const wanted = [...weights.layout.parameters.filter(({ name }) => !isValueHead(name)), ...values];
  for (const parameter of wanted) {
    const target = weights.find(parameter.name) ?? beside!.get(parameter.name);
    const data = await readParameter(parameter, config, (name) => file.read(names.get(name)!));
    weights.device.write(target, data);
  }
}

/** One parameter in our layout, from the tensors that `read` gives. */
async function readParameter(
  { name, shape, length }: Parameter,
  config: ModelConfig,
  read: (name: string) => Promise<Float32Array<ArrayBuffer>>,
): Promise<Float32Array<ArrayBuffer>> {
  let matrix: Float32Array<ArrayBuffer> | undefined;
  for (const { name: part, module } of fileParts(config, { name, shape })) {
    const data = await read(part);
    if (!module) return data;
    matrix ??= new Float32Array(length);
    packPart(data, { matrix, wide: shape[1], module });
  }
  return matrix!;
}
