/** Finds the folder of a model by the name that people give it. @module */

/** The default model that ships with the project. */
export const TINY = new URL("../assets/tiny/", import.meta.url);

/**
 * The folder of `model`: "tiny", or a path to a folder in Hugging Face form.
 * @throws {Error} when there is no such folder
 */
export async function modelFolder(model: string): Promise<string> {
  const folder = model === "tiny" ? decodeURIComponent(TINY.pathname).replace(/\/$/, "") : model;
  const found = await Deno.stat(folder).catch(() => undefined);
  if (!found?.isDirectory) {
    throw new Error(
      `Cannot load the model "${model}" as it must be "tiny" or a folder with config.json, ` +
        `model.safetensors and tokenizer.json: ${
          found ? "it is a file" : "there is no such folder"
        }`,
    );
  }
  return folder;
}
