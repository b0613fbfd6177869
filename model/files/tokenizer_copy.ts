/** Writes a tokenizer beside a model: every file that belongs to it, and one end of a text in all of them. @module */
import { type Ends, endsOf } from "../ends.ts";
import { Tokenizer } from "../tokenizer/tokenizer.ts";
import { replaceFile } from "./disk.ts";
import { type FolderSource, jsonOf } from "./folder_source.ts";
import { readTokenizer, TOKENIZER_FILES } from "./tokenizer_file.ts";

/** Files that may name the token that ends a text. */
const NAMING: readonly string[] = ["tokenizer_config.json", "special_tokens_map.json"];

/**
 * Copies the files of `tokenizer`, a `tokenizer.json` or the folder of one, into the folder at `path`; a
 * `tokenizer.json` is made where it has older files alone. Where it names a token as the end of a text that
 * is not one of `ends`, which the model has, the copy names the first of these; or none, where that is no
 * token of its own.
 * @throws {Error} when there is no tokenizer, or it cannot be used
 */
export async function copyTokenizer(
  path: string,
  tokenizer: string | FolderSource,
  ends: Ends,
): Promise<void> {
  const { json, text, folder, eosToken, path: from } = await readTokenizer(tokenizer);
  const read = new Tokenizer(json, { from, eosToken });
  const ids = endsOf(ends);
  const renames = ids.length > 0 && read.eosId !== null && !ids.includes(read.eosId);
  const end = renames && read.isAdded(ids[0]) ? read.tokenOf(ids[0]) : null;
  for (const name of TOKENIZER_FILES) {
    const found = name === "tokenizer.json"
      ? text ?? JSON.stringify(json)
      : await folder.readText(name);
    if (found === undefined) continue;
    const named = renames && NAMING.includes(name) ? withEnd(found, name, end) : found;
    await replaceFile(`${path}/${name}`, named);
  }
}

/** The text of a JSON file with `eos_token` set. */
function withEnd(text: string, name: string, end: string | null): string {
  const { eos_token: _, ...json } = jsonOf(text, name) as Record<string, unknown> ?? {};
  const named = end !== null || name === "tokenizer_config.json" ? { eos_token: end } : {};
  return JSON.stringify({ ...json, ...named }, null, 2) + "\n";
}
