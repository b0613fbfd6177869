/** Text to token ids and back, from a `tokenizer.json` or the files before it. @module */
import * as z from "npm:zod@4.6.7";
import { type AddedToken, AddedTokens } from "./added_tokens.ts";
import { END_OF_TEXT } from "./bpe.ts";
import { decoder } from "./decode.ts";
import { normalizer, type PreTokenize, preTokenizer } from "./parts.ts";
import { quoted } from "./patterns.ts";
import {
  type Cut,
  cutter,
  faultWords,
  type ModelPart,
  parseModel,
  vocabularyOf,
} from "./vocabulary.ts";

const flag = z.boolean().default(false);
const schema = z.looseObject({
  added_tokens: z.array(z.looseObject({
    id: z.int().nonnegative().optional(),
    content: z.string(),
    special: flag,
    ...{ single_word: flag, lstrip: flag, rstrip: flag },
    normalized: z.boolean().optional(),
  })).default([]),
});

/** Where a tokenizer comes from, and what its JSON does not say. */
export interface TokenizerOptions {
  /** The model's number of tokens: ids from there on are refused when a text has them. */
  modelVocab?: number;
  /** What errors call the file. */
  from?: string;
  /** The token that ends a text, as the files beside the JSON name it; null: they name none. */
  eosToken?: string | null;
}

/** A tokenizer. Ids are those of the model that the file belongs to. */
export class Tokenizer {
  /** One more than the largest id. */
  readonly vocabSize: number;
  /**
   * Id of the token that the tokenizer's files name as the end of a text, `<|endoftext|>` where they are
   * silent; null where there is none. What ends a model's texts is in its config, `eos_token_id`.
   */
  readonly eosId: number | null;
  readonly #from: string;
  readonly #modelVocab: number;
  readonly #tokens: ReadonlyMap<string, number>;
  readonly #byId: ReadonlyMap<number, string>;
  readonly #special: ReadonlySet<number>;
  readonly #added: AddedTokens;
  readonly #preTokenize: PreTokenize;
  readonly #cut: Cut;
  readonly #decoder: ReturnType<typeof decoder>;

  /**
   * Takes the parsed JSON.
   * @throws {TypeError} when the JSON is no tokenizer, or has parts that are not computed here
   * @throws {RangeError} when an id is used twice, or the vocabulary is empty
   */
  constructor(
    json: unknown,
    { modelVocab = Infinity, from = "the tokenizer", eosToken = END_OF_TEXT }: TokenizerOptions =
      {},
  ) {
    const { model, added, parts } = parsed(json, from);
    this.#from = from;
    this.#modelVocab = modelVocab;
    const made = asRule(from, () => {
      const tokens = vocabularyOf(model);
      const withIds = numbered(added, tokens);
      const cut = cutter(model, new Map(tokens));
      for (const { content, id } of withIds) tokens.set(content, id);
      const normalize = normalizer(parts.normalizer);
      return {
        ...{ tokens, cut, byId: inverse(tokens), added: new AddedTokens(withIds, normalize) },
        special: new Set(withIds.filter(({ special }) => special).map(({ id }) => id)),
        preTokenize: preTokenizer(parts.pre_tokenizer),
        decoder: decoder(parts.decoder),
      };
    });
    this.#tokens = made.tokens;
    this.#byId = made.byId;
    this.#special = made.special;
    this.#added = made.added;
    this.#preTokenize = made.preTokenize;
    this.#cut = made.cut;
    this.#decoder = made.decoder;
    this.vocabSize = [...made.byId.keys()].reduce((a, b) => Math.max(a, b), -1) + 1;
    if (this.vocabSize === 0) {
      throw new RangeError(`Cannot use ${from} as its vocabulary must have tokens: it is empty`);
    }
    this.eosId = eosToken === null ? null : this.idOf(eosToken);
  }

  /**
   * Ids of `text`, with nothing added before or after it. Added tokens such as `<|endoftext|>` inside the
   * text are one token.
   * @throws {RangeError} when a piece of it has no token, or one that the model has no row for
   */
  encode(text: string): Int32Array {
    const ids = this.#added.split(text.toWellFormed()).flatMap((part) =>
      typeof part === "number"
        ? [part]
        : this.#preTokenize(part).flatMap((piece) => this.#idsOf(piece.text))
    );
    const absent = ids.find((id) => id >= this.#modelVocab);
    if (absent === undefined) return Int32Array.from(ids);
    throw new RangeError(
      `Cannot encode ${
        quoted(this.tokenOf(absent)!)
      } as the model has ${this.#modelVocab} tokens: in ` +
        `${this.#from} it is ${absent}; use the tokenizer that the model was trained with, or add a row ` +
        "for it in Python: model.resize_token_embeddings(len(tokenizer))",
    );
  }

  #idsOf(word: string): number[] {
    if (word === "") return [];
    return this.#cut(word).map((token) => {
      const id = token === undefined ? undefined : this.#tokens.get(token);
      if (id !== undefined) return id;
      throw new RangeError(
        `Cannot encode ${
          quoted(word)
        } as the vocabulary of ${this.#from} must have tokens for all of ` +
          `it, or one for the unknown: it lacks ${token === undefined ? "some" : quoted(token)}`,
      );
    });
  }

  /** Id of one token as the vocabulary spells it, such as `[CLS]`; null where it has none. */
  idOf(token: string): number | null {
    return this.#tokens.get(token) ?? null;
  }

  /** The token of an id as the vocabulary spells it; null where it has none: a model may have more rows. */
  tokenOf(id: number): string | null {
    return this.#byId.get(id) ?? null;
  }

  /** Whether a text is searched for the token before it is cut into words. */
  isAdded(id: number): boolean {
    return this.#added.ids.has(id);
  }

  /**
   * Text of `ids`. Special tokens (`<|endoftext|>`) are left out unless `special`; an id without a token,
   * such as a row that only fills the model's table, gives nothing.
   * @throws {RangeError} for what cannot be an id
   */
  decode(ids: ArrayLike<number>, options: { special?: boolean } = {}): string {
    const stream = this.stream(options);
    return Array.from(ids, (id) => stream.push(id)).join("") + stream.end();
  }

  /**
   * Decodes token by token: the pieces together are what `decode` gives. A character whose bytes are spread
   * over several tokens comes out with the last of them, so that no half characters are shown.
   */
  stream({ special = false } = {}): { push(id: number): string; end(): string } {
    const stream = this.#decoder();
    return {
      push: (id) => {
        if (!Number.isInteger(id) || id < 0) {
          throw new RangeError(
            `Cannot decode a token as an id must be an integer >= 0: it is ${id}`,
          );
        }
        const token = this.#byId.get(id);
        return token === undefined || !special && this.#special.has(id) ? "" : stream.push(token);
      },
      end: () => stream.end(),
    };
  }
}

/** The parts of a file whose shape is checked. */
function parsed(
  json: unknown,
  from: string,
): { model: ModelPart; added: Omit<AddedToken, "id">[]; parts: Record<string, unknown> } {
  const outer = schema.safeParse(json);
  const inner = parseModel((json as { model?: unknown } | null)?.model);
  if (outer.success && "model" in inner) {
    const added = outer.data.added_tokens.map((token) => ({
      ...token,
      normalized: token.normalized ?? !token.special,
    }));
    return { model: inner.model, added, parts: outer.data };
  }
  const faults = [
    ...outer.error?.issues ?? [],
    ...("faults" in inner ? inner.faults : [])
      .map((fault) => ({ ...fault, path: ["model", ...fault.path] })),
  ];
  throw new TypeError(
    `Cannot use ${from} as a tokenizer.json has other parts: ${faultWords(faults)}`,
  );
}

/** What `make` gives; a reason that it throws becomes a sentence about the file. */
function asRule<T>(from: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      error.message = `Cannot use ${from} as ${error.message}`;
    }
    throw error;
  }
}

/**
 * Ids of added tokens, as Python's tokenizers give them: a token of the vocabulary keeps its id; others come
 * behind the vocabulary, one by one, whatever number the file has for them.
 */
function numbered(
  added: readonly Omit<AddedToken, "id">[],
  vocabulary: ReadonlyMap<string, number>,
): AddedToken[] {
  const ids = new Map<string, number>();
  let last = -1;
  for (const { content } of added) {
    if (content === "" || ids.has(content)) continue;
    const id = vocabulary.get(content) ?? Math.max(last + 1, vocabulary.size);
    ids.set(content, id);
    last = Math.max(last, id);
  }
  // Of a token stated twice the last flags count.
  const byContent = new Map(added.map((token) => [token.content, token]));
  return [...ids].map(([content, id]) => ({ ...byContent.get(content)!, id }));
}

function inverse(tokens: ReadonlyMap<string, number>): Map<number, string> {
  const byId = new Map<number, string>();
  for (const [token, id] of tokens) {
    const other = byId.get(id);
    if (other !== undefined) {
      throw new RangeError(
        `every token has its own id: ${quoted(other)} and ${quoted(token)} are both ${id}`,
      );
    }
    byId.set(id, token);
  }
  return byId;
}
