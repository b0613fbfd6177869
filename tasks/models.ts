/** Finds the folder of a model by the name that people give it. @module */
import { cachedModel, fetchModel, type HubOptions, isHubId, mayDownload } from "../model/hub.ts";

/** The default model that ships with the project. */
export const TINY = new URL("../assets/tiny/", import.meta.url);

/**
 * The folder of `model`: "tiny", a path to a folder in Hugging Face form, or `owner/name[@revision]` of
 * the hub. A model of the hub that is in the cache is taken from there; another is downloaded where
 * the program may use the network.
 * @throws {Error} when there is no such folder or model; a HubError when a download fails
 */
export async function modelFolder(model: string, options: HubOptions = {}): Promise<string> {
  const folder = model === "tiny" ? decodeURIComponent(TINY.pathname).replace(/\/$/, "") : model;
  const found = await Deno.stat(folder).catch(() => undefined);
  if (found?.isDirectory) return folder;
  const cannot = `Cannot load the model "${model}" as it must be "tiny", a folder with ` +
    `config.json, model.safetensors and tokenizer.json, or owner/name of the hub`;
  if (found) throw new Error(`${cannot}: it is a file`);
  if (!isHubId(model)) throw new Error(`${cannot}: there is no such folder`);
  const cached = await cachedModel(model, options);
  if (cached) return cached.folder;
  if (mayDownload(options)) return (await fetchModel(model, options)).folder;
  throw new Error(
    `${cannot}: there is no such folder, and the hub's cache does not have it. ` +
      `This gets it from the hub: deno task fetch ${model}`,
  );
}
