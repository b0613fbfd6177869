/**
 * Writes models as transformers loads them: `config.json`, `model.safetensors`, and beside them
 * `generation_config.json` and `tokenizer.json`.
 * @module
 */
import { join } from "node:path";
import { configJson } from "../config.ts";
import { fileParts, unpackPart } from "../families/families.ts";
import type { Gpt2 } from "../gpt2.ts";
import { isValueHead } from "../layout.ts";
import { inUse } from "../lora/lora.ts";
import { makeFolders, replaceFile } from "./disk.ts";
import type { FolderSource } from "./folder_source.ts";
import { HEAD, VALUE_HEAD } from "./gpt2_folder.ts";
import { writeSafetensors } from "./safetensors_write.ts";
import { copyTokenizer } from "./tokenizer_copy.ts";

/** How a folder is written. */
export interface SaveOptions {
  /** Element type in the file. F16 halves the size and rounds to 11 bits. Default F32. */
  dtype?: "F32" | "F16";
  /**
   * A `tokenizer.json`, or the folder of one, to copy into the folder with the files that belong to it
   * (`TOKENIZER_FILES`). Where it is missing it is made of the older files beside it.
   */
  tokenizer?: string | FolderSource;
}

/**
 * Writes a folder that transformers (and, with a value head, TRL) loads. Each file is replaced as a
 * whole, the weights last.
 * @throws {Error} when an adapter is not merged
 * @throws {RangeError} when a weight is not finite, or too large for F16
 */
export async function saveGpt2(
  model: Gpt2,
  path: string,
  { dtype = "F32", tokenizer }: SaveOptions = {},
): Promise<void> {
  const { config, weights } = model;
  if (inUse(model.adapter)) {
    throw new Error(
      "Cannot save a plain model as its adapter is beside the weights: call merge first, or saveAdapter",
    );
  }
  await makeFolders(path);
  const type = dtype === "F16" ? "float16" : "float32";
  await replaceFile(join(path, "config.json"), configJson(config, type));
  const ids = Object.entries({
    bos_token_id: config.bos_token_id,
    eos_token_id: config.eos_token_id ?? null,
  }).filter(([, id]) => id !== null);
  await replaceFile(
    join(path, "generation_config.json"),
    JSON.stringify(Object.fromEntries(ids), null, 2) + "\n",
  );
  if (tokenizer !== undefined) await copyTokenizer(path, tokenizer, config.eos_token_id ?? null);
  const fileName = (name: string): string =>
    name === HEAD
      ? name
      : isValueHead(name)
      ? name.replace("v_head.", VALUE_HEAD)
      : `transformer.${name}`;
  await writeSafetensors(join(path, "model.safetensors"), {
    tensors: weights.order.flatMap((parameter) =>
      fileParts(config, parameter).map(({ name, shape }) => ({ name: fileName(name), shape }))
    ),
    data: async function* () {
      for await (const [parameter, data] of weights.read()) {
        const wide = parameter.shape[1];
        for (const { module } of fileParts(config, parameter)) {
          yield module ? unpackPart(data, { wide, module }) : data;
        }
      }
    },
    dtype,
    metadata: { format: "pt" }, // transformers refuses a file that does not say it
  });
}
