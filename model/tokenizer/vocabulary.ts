/** Model and vocabulary of a `tokenizer.json`: words to ids, by BPE, WordPiece or as a whole. @module */
import { BPE, WordPiece } from "npm:@huggingface/tokenizers@0.2.0";
import * as z from "npm:zod@4.6.7";
import { quoted, shown } from "./patterns.ts";

const text = z.string().nullish();
const merge = z.union([z.string(), z.tuple([z.string(), z.string()])]);
const flag = z.boolean().nullish();
const schema = z.looseObject({
  type: z.enum(["BPE", "WordPiece", "WordLevel"]),
  vocab: z.custom<object>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "an object of tokens and ids is expected",
  ),
  merges: z.array(merge).optional(),
  unk_token: text,
  dropout: z.literal(0).nullish(), // it would draw other ids at every call
  continuing_subword_prefix: text,
  end_of_word_suffix: text,
  fuse_unk: flag,
  byte_fallback: flag,
  ignore_merges: flag,
  max_input_chars_per_word: z.int().nonnegative().nullish(),
});

/** The `model` part of a file; a vocabulary stays an object, since a map has no place in JSON. */
export type ModelPart = z.infer<typeof schema>;

/** What is wrong with a part of the file, or the part. */
export function parseModel(value: unknown): { model: ModelPart } | { faults: z.core.$ZodIssue[] } {
  const parsed = schema.safeParse(value);
  return parsed.success ? { model: parsed.data } : { faults: parsed.error.issues };
}

/** The first five faults of a file, each by where it is. */
export const faultWords = (
  faults: readonly Pick<z.core.$ZodIssue, "path" | "message">[],
): string =>
  faults.slice(0, 5).map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`)
    .join("; ");

/** Tokens and ids of the vocabulary. Names from outside: `__proto__` is a token as others. */
export function vocabularyOf({ vocab }: ModelPart): Map<string, number> {
  const tokens = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 32) {
      throw new TypeError(
        `model.vocab must give each token an id below 2^32: ${quoted(token)} is ${shown(id)}`,
      );
    }
    tokens.set(token, id);
  }
  return tokens;
}

/** Tokens of a word, as the vocabulary spells them; undefined for what it has no token for. */
export type Cut = (word: string) => (string | undefined)[];

/**
 * How the model cuts words.
 * @throws {TypeError} or {RangeError} naming what is not computed here; the message follows "as"
 */
export function cutter(model: ModelPart, tokens: ReadonlyMap<string, number>): Cut {
  const unknown = model.unk_token ?? undefined;
  const known = (token: string): string | undefined => tokens.has(token) ? token : unknown;
  if (model.type === "WordLevel") return (word) => [known(word)];
  if (model.type === "WordPiece") {
    const wordPiece = new WordPiece(
      {
        ...model,
        unk_token: unknown,
        continuing_subword_prefix: model.continuing_subword_prefix ?? "##",
      } as unknown as ConstructorParameters<typeof WordPiece>[0],
    );
    return (word) => wordPiece.encode([word]);
  }
  if (model.continuing_subword_prefix) {
    throw new TypeError(
      `a BPE model must have no continuing_subword_prefix: it is ${
        quoted(model.continuing_subword_prefix)
      }`,
    );
  }
  const merges = checkedMerges(model.merges, tokens);
  const bpe = new BPE(
    { ...model, merges, unk_token: unknown } as unknown as ConstructorParameters<typeof BPE>[0],
  );
  const suffix = model.end_of_word_suffix ?? "";
  const whole = model.ignore_merges === true;
  return (word) => {
    if (unknown === undefined && !model.byte_fallback && !(whole && tokens.has(word))) {
      // The engine, as Python, would drop in silence what has no token.
      const characters = Array.from(word);
      const last = characters.length - 1;
      const lost = characters.find((one, i) => !tokens.has(i === last ? one + suffix : one));
      if (lost !== undefined) return [undefined];
    }
    return (bpe as unknown as (words: string[]) => string[])([word]);
  };
}

function checkedMerges(
  merges: ModelPart["merges"],
  tokens: ReadonlyMap<string, number>,
): [string, string][] {
  if (!merges) throw new TypeError("a BPE model has merges: there are none");
  return merges.filter((merge) => typeof merge !== "string" || !merge.startsWith("#version"))
    .map((merge, i) => {
      const [left, right, more] = typeof merge === "string" ? merge.split(" ") : merge;
      const made = [left, right, left + right].every((token) => tokens.has(token));
      if (right !== undefined && more === undefined && made) return [left, right];
      throw new RangeError(
        `each merge makes a token of two: merge ${i} is ${shown(merge)}`,
      );
    });
}
