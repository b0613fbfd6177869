/**
 * Models by folder, where an adapter may be of a model that lies in the hub's cache. Programs load through
 * this file; `model/files` alone does not know the hub.
 * @module
 */
import type { ModelConfig } from "../config.ts";
import { sourceOf } from "../files/deno_folder.ts";
import type { FolderSource } from "../files/folder_source.ts";
import { loadGpt2, type LoadOptions } from "../files/gpt2_folder.ts";
import { describeModel as describeFolder } from "../files/lora_folder.ts";
import { baseOfAdapter as baseInFolder } from "../files/peft_config.ts";
import { loadTokenizer as tokenizerOf } from "../files/tokenizer_file.ts";
import type { Gpt2 } from "../gpt2.ts";
import type { LoraOptions } from "../lora/lora.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { cachedModel, cachePaths } from "./cache.ts";
import { isHubId } from "./names.ts";

/**
 * The folder at `path`, in which a file may name a model of the hub: one that is in the
 * cache. No connection is opened.
 */
export function hubFolder(path: string): FolderSource {
  const folder = sourceOf(path);
  return {
    ...folder,
    async named(name, revision) {
      const found = await folder.named(name);
      const id = revision ? `${name}@${revision}` : name;
      if (!("missing" in found) || !isHubId(id)) return found;
      const cached = await cachedModel(id);
      if (cached) return hubFolder(cached.folder);
      const missing =
        `${id} is not a folder, nor in the hub's cache as ${cachePaths(id, {}).home}. ` +
        `This gets it: deno task fetch ${id}`;
      return { missing };
    },
  };
}

const fromHub = (folder: string | FolderSource): FolderSource =>
  typeof folder === "string" ? hubFolder(folder) : folder;

/** As `loadGpt2`, which says what it takes and throws; bases are looked for in the hub's cache too. */
export function loadModel(
  device: Gpt2["device"],
  folder: string | FolderSource,
  options: LoadOptions = {},
): Promise<Gpt2> {
  return loadGpt2(device, fromHub(folder), options);
}

/** The tokenizer of a model folder, of a `tokenizer.json`, or of an adapter's base. */
export function loadTokenizer(
  from: string | FolderSource,
  options: { modelVocab?: number } = {},
): Promise<Tokenizer> {
  const isFile = typeof from === "string" && from.endsWith(".json");
  return tokenizerOf(isFile ? from : fromHub(from), options);
}

/** The config of a model folder, or of an adapter's base with the adapter's settings. */
export function describeModel(
  folder: string | FolderSource,
): Promise<{ config: ModelConfig; lora?: LoraOptions }> {
  return describeFolder(fromHub(folder));
}

/** The folder of the base of the adapter in `folder`; undefined where there is no adapter. */
export function baseOfAdapter(folder: string | FolderSource): Promise<FolderSource | undefined> {
  return baseInFolder(fromHub(folder));
}
