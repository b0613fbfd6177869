/**
 * Tokens that the files beside a `tokenizer.json` name, and the settings there that change what it does, as
 * transformers' `from_pretrained` takes them.
 * @module
 */
import * as z from "npm:zod@4.6.7";
import { END_OF_TEXT } from "../tokenizer/bpe.ts";
import { quoted, shown } from "../tokenizer/patterns.ts";
import { faultWords } from "../tokenizer/vocabulary.ts";
import { type FolderSource, pathIn, readJson } from "./folder_source.ts";

const token = z.union([
  z.string(),
  z.looseObject({
    content: z.string(),
    ...{ single_word: z.boolean().optional(), lstrip: z.boolean().optional() },
    ...{ rstrip: z.boolean().optional(), normalized: z.boolean().optional() },
    special: z.boolean().optional(),
  }),
]);
const SINGLE = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((name) => `${name}_token`);
const LISTS = ["additional_special_tokens", "extra_special_tokens"];
const id = z.int().nonnegative();
const settings = z.looseObject({
  ...Object.fromEntries(SINGLE.map((name) => [name, token.nullish()])),
  additional_special_tokens: z.array(token).nullish(),
  extra_special_tokens: z.union([
    z.array(token),
    z.record(z.string(), token).transform((all) => Object.values(all)),
  ]).nullish(),
  tokenizer_class: z.string().nullish(),
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), token).nullish(),
  add_prefix_space: z.boolean().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
});
type Settings = z.infer<typeof settings>;

/** An added token as a tokenizer.json states it, without its id. */
export interface NamedToken {
  content: string;
  special: boolean;
  single_word?: boolean;
  lstrip?: boolean;
  rstrip?: boolean;
  normalized?: boolean;
  /** True where only a class names it: then it is a token if the vocabulary has it. */
  named?: boolean;
}

/** What the files beside a tokenizer say of it. */
export interface TokenizerNames {
  /** Added tokens in the order in which they are numbered; those of `tokenizer_config.json` count most. */
  listed: NamedToken[];
  older: NamedToken[];
  /** Tokens with a meaning of their own, as the end of a text. */
  special: NamedToken[];
  /** The token that ends a text; null: none is named. */
  eosToken: string | null;
  /** Of GPT-2's tokenizer: whether a text begins with a space. */
  addPrefixSpace?: boolean;
  /** Of BERT's: keys of its normalizer. */
  bert?: { lowercase: boolean; strip_accents: boolean | null; handle_chinese_chars: boolean };
}

/** Special tokens that a class has where no file names them. */
const CLASSES: readonly [RegExp, Readonly<Record<string, string>>][] = [
  [/^GPT2Tokenizer/, { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT }],
  [/^(?:Distil)?BertTokenizer/, {
    ...{ unk_token: "[UNK]", sep_token: "[SEP]", pad_token: "[PAD]" },
    ...{ cls_token: "[CLS]", mask_token: "[MASK]" },
  }],
];
/** The class of a model type whose folder states none. */
const CLASS_OF_MODEL: ReadonlyMap<unknown, string> = new Map([
  ...["gpt2", "gpt_neo"].map((type) => [type, "GPT2Tokenizer"] as const),
  ...["bert", "distilbert"].map((type) => [type, "BertTokenizer"] as const),
]);

/**
 * Reads `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`, which may all be
 * missing. Where the first lists its added tokens, the other two are not read: so does transformers.
 * @throws {TypeError} naming the file that is not what its name says
 */
export async function readNames(folder: FolderSource): Promise<TokenizerNames> {
  const config = await readSettings(folder, "tokenizer_config.json");
  const isListed = config?.added_tokens_decoder !== undefined;
  const map = isListed ? undefined : await readSettings(folder, "special_tokens_map.json");
  const more = isListed ? undefined : await readJson(folder, "added_tokens.json");
  const className = config?.tokenizer_class ?? await classOfModel(folder);
  const [, defaults = {}] = CLASSES.find(([pattern]) => pattern.test(className ?? "")) ?? [];
  // Without any file beside it, a tokenizer.json says by its vocabulary alone what ends a text.
  const silent = config === undefined && map === undefined && className === undefined;
  const given = {
    ...(silent ? { eos_token: END_OF_TEXT } : defaults),
    ...config,
    ...map,
  } as Record<string, NamedToken | string | null | undefined>;
  const special = [...SINGLE, ...LISTS].flatMap((name) => given[name] ?? [])
    .map((one) => ({ ...plain(one), special: true }));
  const own = new Set(
    [config, map].flatMap((file) =>
      [...SINGLE, ...LISTS].flatMap((name) => (file as typeof given)?.[name] ?? [])
        .map((one) => plain(one).content)
    ),
  );
  const names = new Set(special.map(({ content }) => content));
  const listed = Object.entries(config?.added_tokens_decoder ?? {})
    .sort(([a], [b]) => Number(a) - Number(b)).map(([, one]) => plain(one));
  const older = [...idsOf(more, pathIn(folder, "added_tokens.json"))].sort(([, a], [, b]) => a - b)
    .map(([content]) => ({
      content,
      special: names.has(content),
      normalized: !names.has(content),
    }));
  const eos = given.eos_token;
  return {
    listed,
    older,
    special: special.map((one) => ({ ...one, named: !own.has(one.content) })),
    eosToken: eos === null || eos === undefined ? null : plain(eos).content,
    ...(/^GPT2/.test(className ?? "") && { addPrefixSpace: config?.add_prefix_space ?? false }),
    ...(/^(?:Distil)?Bert/.test(className ?? "") && { bert: bertOf(config) }),
  };
}

const bertOf = (config: Settings | undefined): NonNullable<TokenizerNames["bert"]> => ({
  lowercase: config?.do_lower_case ?? true,
  strip_accents: config?.strip_accents ?? null,
  handle_chinese_chars: config?.tokenize_chinese_chars ?? true,
});

function plain(one: NamedToken | z.infer<typeof token>): NamedToken {
  if (typeof one === "string") return { content: one, special: false };
  const { content, single_word, lstrip, rstrip, normalized, special = false } = one;
  return { content, special, single_word, lstrip, rstrip, normalized };
}

async function readSettings(folder: FolderSource, name: string): Promise<Settings | undefined> {
  const json = await readJson(folder, name);
  if (json === undefined) return undefined;
  const parsed = settings.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new TypeError(
    `Cannot use ${pathIn(folder, name)} as the settings of a tokenizer are others: ${
      faultWords(parsed.error.issues)
    }`,
  );
}

/** What transformers' AutoTokenizer goes by where no file names a class. */
async function classOfModel(folder: FolderSource): Promise<string | undefined> {
  const config = await readJson(folder, "config.json") as
    | { tokenizer_class?: unknown; model_type?: unknown }
    | null
    | undefined;
  const { tokenizer_class: given, model_type: type } = config ?? {};
  return typeof given === "string" ? given : CLASS_OF_MODEL.get(type);
}

/**
 * Tokens and ids of `vocab.json` or `added_tokens.json`. @throws {TypeError} when it is not that
 */
export function idsOf(json: unknown, from: string): Map<string, number> {
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot use ${from} as it must be JSON of tokens and their ids: ${reason}`);
  };
  if (json === undefined) return new Map();
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return fail("the file is not an object");
  }
  const tokens = Object.entries(json);
  const wrong = tokens.find(([, value]) => !id.safeParse(value).success);
  if (wrong) fail(`${quoted(wrong[0])} is ${shown(wrong[1])}`);
  return new Map(tokens);
}
