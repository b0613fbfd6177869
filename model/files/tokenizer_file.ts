/**
 * The text of a `tokenizer.json`, or one made of the older pair `vocab.json` and `merges.txt`, which
 * DialoGPT and other early GPT-2 folders hold in its place.
 * @module
 */
import * as z from "npm:zod@4.6.7";
import { byteLevelJson } from "../tokenizer/bpe.ts";
import { Tokenizer } from "../tokenizer/tokenizer.ts";
import { sourceOf, splitPath } from "./deno_folder.ts";
import { type FolderSource, MissingFileError, pathIn } from "./folder_source.ts";
import { baseOfAdapter } from "./peft_config.ts";

const FILE = "tokenizer.json";
const ids = z.record(z.string(), z.int().nonnegative());

/**
 * Reads the `tokenizer.json` of a model folder, or the one at a path that ends in `.json`; where it is
 * missing, `vocab.json` and `merges.txt` in its place.
 * @throws {Error} naming the file, when it is missing or no tokenizer
 */
export async function loadTokenizer(
  from: string | FolderSource,
  options: { modelVocab?: number } = {},
): Promise<Tokenizer> {
  const { folder, name } = tokenizerFile(from);
  const text = await tokenizerText(folder, name);
  const path = pathIn(folder, name);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot use ${path} as it must be JSON: ${(error as Error).message}`);
  }
  return new Tokenizer(json, { ...options, from: path });
}

/** The file that `loadTokenizer` means by `from`. */
export function tokenizerFile(
  from: string | FolderSource,
): { folder: FolderSource; name: string } {
  if (typeof from === "string" && from.endsWith(".json")) return splitPath(from);
  return { folder: sourceOf(from), name: FILE };
}

/**
 * Text of the `tokenizer.json` called `name`; where it is missing, of one with the same ids made of
 * `vocab.json`, `merges.txt` and (if there) `added_tokens.json` beside it; in an adapter's folder that
 * has neither, the one of its base.
 * @throws {MissingFileError} when none is there
 * @throws {TypeError} when one of the three is not what its name says
 */
export async function tokenizerText(folder: FolderSource, name: string): Promise<string> {
  const text = await folder.readText(name);
  if (text !== undefined) return text;
  const [vocab, merges] = [
    await folder.readText("vocab.json"),
    await folder.readText("merges.txt"),
  ];
  if (vocab === undefined || merges === undefined) {
    const base = await baseOfAdapter(folder);
    if (base !== undefined) return tokenizerText(base, FILE);
    throw new MissingFileError(
      `Cannot load a tokenizer as there is no ${
        pathIn(folder, name)
      }, nor vocab.json and merges.txt ` +
        `beside it; in Python, AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes one`,
    );
  }
  const added = await folder.readText("added_tokens.json");
  return JSON.stringify(byteLevelJson({
    vocab: idsOf(vocab, pathIn(folder, "vocab.json")),
    merges: mergesOf(merges, pathIn(folder, "merges.txt")),
    added: added === undefined ? {} : idsOf(added, pathIn(folder, "added_tokens.json")),
  }));
}

function idsOf(text: string, from: string): Record<string, number> {
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot use ${from} as it must be JSON of tokens and their ids: ${reason}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail((error as Error).message);
  }
  const parsed = ids.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  return fail(`${path.map((key) => JSON.stringify(key)).join(".") || "the file"}: ${message}`);
}

/** One merge a line, its halves apart by one space; the first line may state a version. */
function mergesOf(text: string, from: string): [string, string][] {
  const merges: [string, string][] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === "" || (i === 0 && line.startsWith("#version"))) continue;
    const [left, right, more] = line.split(" ");
    if (!left || !right || more !== undefined) {
      throw new TypeError(
        `Cannot use ${from} as each line must hold two tokens: line ${i + 1} is ${
          JSON.stringify(line)
        }`,
      );
    }
    merges.push([left, right]);
  }
  return merges;
}
