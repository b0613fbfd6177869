/**
 * Weights that are spread over several safetensors files, as `model.safetensors.index.json` lists them.
 * @module
 */
import { excerpt, shown } from "../../base/excerpt.ts";
import { type Json, parseJson } from "../../base/json.ts";
import type { TensorSource, TensorSpec } from "../tensor_source.ts";
import { type FolderSource, hasFile, MissingFileError, pathIn } from "./folder_source.ts";
import { openTensors, type SafetensorsFile } from "./safetensors.ts";
import { expectTensors, SafetensorsError, type TensorEntry } from "./tensor_entries.ts";

const MAX_INDEX = 10_000_000; // bytes
const MAX_SHARDS = 256; // all are open at once
const SHARD = /^\w[\w.-]*\.safetensors$/; // a plain name: an index must not lead out of its folder

const WEIGHTS = "model.safetensors";

/**
 * Opens the weights of a model folder: the single file where there is one, else the shards that an
 * index lists. `auto` is transformers' class that reads the folder, for the cure.
 * @throws {MissingFileError} when there is neither, with the way to convert pickled weights
 */
export async function openWeights(folder: FolderSource, auto: string): Promise<TensorSource> {
  const file = await openTensors(folder, WEIGHTS);
  if (file) return file;
  const index = `${WEIGHTS}.index.json`;
  if (await hasFile(folder, index)) return await openShards(folder, index);
  const { path } = folder;
  const message = `Cannot read weights from ${path} as it has no ${WEIGHTS}`;
  const pickled = ["pytorch_model.bin", "pytorch_model.bin.index.json"];
  if (!(await Promise.all(pickled.map((name) => hasFile(folder, name)))).includes(true)) {
    throw new MissingFileError(message);
  }
  throw new MissingFileError(
    `${message}, only the pickled pytorch_model.bin, which could run code. Convert it once, where ` +
      `you trust it: python -c "from transformers import ${auto} as M; ` +
      `M.from_pretrained('${path}').save_pretrained('${path}')"`,
  );
}

/** The open files of one index. Numbers are read one tensor at a time. */
export class Shards implements TensorSource {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  #files: DisposableStack;
  #places: ReadonlyMap<string, SafetensorsFile>;

  /** Use `openShards`. */
  constructor(
    readonly path: string,
    files: DisposableStack,
    places: ReadonlyMap<string, SafetensorsFile>,
  ) {
    this.#files = files;
    this.#places = places;
    this.entries = new Map([...places].map(([name, file]) => [name, file.entries.get(name)!]));
  }

  /** See `SafetensorsFile.read`. */
  read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const file = this.#places.get(name);
    if (file) return file.read(name);
    throw new SafetensorsError(`Cannot read ${name} as ${this.path} has no such tensor`);
  }

  /** See `SafetensorsFile.expect`. */
  expect(
    wanted: readonly TensorSpec[],
    alias?: (name: string) => string | undefined,
  ): Map<string, string> {
    return expectTensors(this, wanted, alias);
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}

/**
 * Opens every shard that the index file `index` of `folder` names, and checks that each tensor lies in
 * exactly the one shard that the index gives it.
 * @throws {SafetensorsError} naming the key or tensor that is wrong
 * @throws {MissingFileError} when a shard is missing
 */
async function openShards(folder: FolderSource, index: string): Promise<Shards> {
  const path = pathIn(folder, index);
  const map = await readIndex(folder, index);
  using opened = new DisposableStack();
  const shards = new Set(map.values());
  if (shards.size > MAX_SHARDS) {
    fail(path, `may name ${MAX_SHARDS} shards: it names ${shards.size}`);
  }
  const places = new Map<string, SafetensorsFile>();
  for (const shard of shards) {
    const file = await openTensors(folder, shard);
    if (!file) {
      throw new MissingFileError(
        `Cannot read the weights of ${path} as its shard ${
          excerpt(shard)
        } is missing: fetch it again`,
      );
    }
    opened.use(file);
    for (const name of file.entries.keys()) {
      const want = map.get(name);
      if (want === undefined) fail(path, `must name every tensor: ${name} of ${shard} is missing`);
      if (want !== shard) {
        fail(path, `must place each tensor in one shard: ${name} is in ${shard}, not only ${want}`);
      }
      places.set(name, file);
    }
  }
  for (const [name, shard] of map) {
    if (!places.has(name)) fail(path, `must place tensors where they are: ${shard} has no ${name}`);
  }
  return new Shards(path, opened.move(), places);
}

/** Shard by tensor. */
async function readIndex(folder: FolderSource, index: string): Promise<Map<string, string>> {
  const path = pathIn(folder, index);
  using file = await folder.openRange(index);
  const size = file?.size ?? 0;
  if (size > MAX_INDEX) fail(path, `may have ${MAX_INDEX} bytes: it has ${size}`);
  let root: Json;
  try {
    const bytes = new Uint8Array(size);
    await file?.read(bytes, 0);
    root = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(path, `must be JSON in UTF-8: ${(error as Error).message}`);
  }
  const places = root instanceof Map ? root.get("weight_map") : undefined;
  if (!(places instanceof Map)) return fail(path, "must have an object weight_map");
  for (const [name, shard] of places) {
    if (typeof shard !== "string" || !SHARD.test(shard)) {
      fail(
        path,
        `must give each tensor a file NAME.safetensors in its own folder: weight_map has ${
          typeof shard === "string" ? shown(shard) : "no text"
        } for ${shown(name)}`,
      );
    }
  }
  return places as Map<string, string>;
}

function fail(path: string, rule: string): never {
  throw new SafetensorsError(`Cannot use ${path} as an index ${excerpt(rule, 500)}`);
}
