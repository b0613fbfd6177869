/**
 * The tokenizer of a model folder: `tokenizer.json`, or the files of older folders in its place
 * (`vocab.json` and `merges.txt` of GPT-2, `vocab.txt` of BERT), and what the files beside it name.
 * @module
 */
import { byteLevelJson } from "../tokenizer/bpe.ts";
import { Tokenizer } from "../tokenizer/tokenizer.ts";
import { sourceOf, splitPath } from "./deno_folder.ts";
import { type FolderSource, jsonOf, MissingFileError, pathIn, readJson } from "./folder_source.ts";
import { baseOfAdapter } from "./peft_config.ts";
import { idsOf, readNames, type TokenizerNames } from "./tokenizer_names.ts";

const FILE = "tokenizer.json";

/** Every file that belongs to a tokenizer: what says what it does, and what travels with it. */
export const TOKENIZER_FILES = [
  ...[FILE, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"],
  ...["vocab.json", "merges.txt", "vocab.txt", "chat_template.jinja", "chat_template.json"],
] as const;

/**
 * Reads the tokenizer of a model folder, or the one at a path that ends in `.json`.
 * @throws {Error} naming the file, when it is missing or no tokenizer
 */
export async function loadTokenizer(
  from: string | FolderSource,
  options: { modelVocab?: number } = {},
): Promise<Tokenizer> {
  const { json, eosToken, path } = await readTokenizer(from);
  return new Tokenizer(json, { ...options, from: path, eosToken });
}

/** The folder and file that `loadTokenizer` means by `from`. */
function tokenizerFile(from: string | FolderSource): { folder: FolderSource; name: string } {
  if (typeof from === "string" && from.endsWith(".json")) return splitPath(from);
  return { folder: sourceOf(from), name: FILE };
}

/** A tokenizer as one JSON with all that its folder says. */
export interface TokenizerSource {
  json: unknown;
  eosToken: string | null;
  /** Text of the `tokenizer.json`; undefined where the JSON is made of older files. */
  text?: string;
  /** The folder whose files they are: of an adapter without a tokenizer, that of its base. */
  folder: FolderSource;
  /** What errors call it. */
  path: string;
}

/**
 * What `loadTokenizer` makes a tokenizer of.
 * @throws {MissingFileError} when there is none
 * @throws {TypeError} when a file is not what its name says
 */
export async function readTokenizer(from: string | FolderSource): Promise<TokenizerSource> {
  const { folder, name } = tokenizerFile(from);
  const path = pathIn(folder, name), text = await folder.readText(name);
  if (text === undefined && !await isOldTokenizer(folder)) {
    const base = await baseOfAdapter(folder);
    if (base !== undefined) return await readTokenizer(base);
    throw new MissingFileError(
      `Cannot load a tokenizer as there is no ${path}, nor vocab.json and merges.txt ` +
        `beside it; in Python, AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes one`,
    );
  }
  const names = await readNames(folder);
  const json = text === undefined ? await madeOfOldFiles(folder, names) : jsonOf(text, path);
  return { json: completed(json, names), eosToken: names.eosToken, text, folder, path };
}

async function isOldTokenizer(folder: FolderSource): Promise<boolean> {
  const [vocab, merges, words] = await Promise.all(
    ["vocab.json", "merges.txt", "vocab.txt"].map((name) => folder.readText(name)),
  );
  return vocab !== undefined && merges !== undefined || words !== undefined;
}

/** A `tokenizer.json` with the tokens and settings that stand beside it. */
function completed(json: unknown, names: TokenizerNames): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const parts: Record<string, unknown> = { ...json };
  const own = Array.isArray(parts.added_tokens) ? parts.added_tokens : [];
  const vocabulary = (parts.model as { vocab?: unknown } | undefined)?.vocab;
  const isKnown = (token: string): boolean =>
    typeof vocabulary === "object" && vocabulary !== null && Object.hasOwn(vocabulary, token);
  const added = new Map<unknown, object>();
  for (const token of [...names.older, ...own, ...names.listed]) {
    if (typeof token === "object" && token !== null) added.set(token.content, token);
  }
  for (const { named, ...token } of names.special) {
    const other = added.get(token.content);
    if (other) added.set(token.content, { ...other, special: true });
    else if (!named || isKnown(token.content)) added.set(token.content, token);
  }
  parts.added_tokens = [...added.values()];
  const set = (key: string, type: string, values: Record<string, unknown>): void => {
    const part = parts[key] as { type?: unknown } | null | undefined;
    if (part?.type === type) parts[key] = { ...part, ...values };
  };
  if (names.addPrefixSpace !== undefined) {
    set("pre_tokenizer", "ByteLevel", { add_prefix_space: names.addPrefixSpace });
  }
  if (names.bert) set("normalizer", "BertNormalizer", names.bert);
  return parts;
}

async function madeOfOldFiles(folder: FolderSource, names: TokenizerNames): Promise<unknown> {
  const vocab = await readJson(folder, "vocab.json");
  const merges = await folder.readText("merges.txt");
  if (vocab === undefined || merges === undefined) {
    return wordPieceJson((await folder.readText("vocab.txt"))!, names);
  }
  idsOf(vocab, pathIn(folder, "vocab.json"));
  return byteLevelJson({
    vocab: vocab as Record<string, number>,
    merges: mergesOf(merges, pathIn(folder, "merges.txt")),
  });
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

/** BERT's tokenizer of a list of words, one a line. */
function wordPieceJson(words: string, { bert }: TokenizerNames): unknown {
  const lines = words.replace(/\r?\n$/, "").split(/\r?\n/);
  return {
    normalizer: { type: "BertNormalizer", clean_text: true, ...bert },
    pre_tokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    added_tokens: [],
    post_processor: null,
    model: {
      ...{ type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##" },
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(lines.map((word, id) => [word, id])),
    },
  };
}
