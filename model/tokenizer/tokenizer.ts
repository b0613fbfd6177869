/** Text to token ids and back, from a `tokenizer.json` or the files before it. @module */
import { Tokenizer as Engine } from "npm:@huggingface/tokenizers@0.2.0";
import * as z from "npm:zod@4.6.7";
import { byteCharacters, END_OF_TEXT } from "./bpe.ts";

const id = z.int().nonnegative();
const schema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string(), special: z.boolean() }))
    .default([]),
  normalizer: z.looseObject({}).nullable().default(null),
  pre_tokenizer: z.looseObject({}).nullable().default(null),
  post_processor: z.looseObject({}).nullable().default(null),
  decoder: z.looseObject({ type: z.string() }).nullable().default(null),
  model: z.looseObject({
    type: z.enum(["BPE", "WordPiece"]),
    vocab: z.record(z.string(), id),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).optional(),
  }),
});

/** A tokenizer. Ids are those of the model that the file belongs to. */
export class Tokenizer {
  /** One more than the largest id. */
  readonly vocabSize: number;
  /** Id of `<|endoftext|>`; null where the vocabulary has none. */
  readonly eosId: number | null;
  #engine: Engine;
  #special: ReadonlySet<number>;
  #bytes?: ReadonlyArray<Uint8Array | undefined>; // of byte-level vocabularies, by id

  /**
   * Takes the parsed JSON. `modelVocab` is the model's number of tokens, which no id may reach.
   * @throws {TypeError} when the JSON is no tokenizer
   * @throws {RangeError} when an id is used twice or is too large for the model, or a byte has no token
   */
  constructor(json: unknown, { modelVocab = Infinity, from = "the tokenizer" } = {}) {
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const faults = parsed.error.issues.slice(0, 5).map(({ path, message }) =>
        `${path.join(".") || "the file"}: ${message}`
      );
      throw new TypeError(
        `Cannot use ${from} as a tokenizer.json has other parts: ${faults.join("; ")}`,
      );
    }
    const { model, added_tokens, decoder } = parsed.data;
    const tokens = new Map(Object.entries(model.vocab));
    for (const { content, id } of added_tokens) tokens.set(content, id);
    const byId = new Map<number, string>();
    for (const [token, id] of tokens) {
      if (byId.has(id)) {
        throw new RangeError(
          `Cannot use ${from} as every token has its own id: ${JSON.stringify(byId.get(id))} and ${
            JSON.stringify(token)
          } are both ${id}`,
        );
      }
      if (id >= modelVocab) {
        throw new RangeError(
          `Cannot use ${from} as its model has ${modelVocab} tokens: ${
            JSON.stringify(token)
          } is ${id}; ` +
            `use the tokenizer that the model was trained with`,
        );
      }
      byId.set(id, token);
    }
    if (byId.size === 0) throw new RangeError(`Cannot use ${from} as its vocabulary is empty`);
    if (model.type === "BPE") checkMerges(model.merges, tokens, from);
    this.vocabSize = [...byId.keys()].reduce((a, b) => Math.max(a, b)) + 1;
    this.eosId = tokens.get(END_OF_TEXT) ?? null;
    this.#special = new Set(added_tokens.filter(({ special }) => special).map(({ id }) => id));
    this.#engine = new Engine(parsed.data, { clean_up_tokenization_spaces: false });
    if (decoder?.type === "ByteLevel") {
      const lost = byteCharacters().find((character) => !tokens.has(character));
      if (lost !== undefined) { // the engine would drop that byte of a text in silence
        throw new RangeError(
          `Cannot use ${from} as a byte-level vocabulary has a token for every byte: ${
            JSON.stringify(lost)
          } is missing`,
        );
      }
      const added = new Set(added_tokens.map(({ id }) => id));
      const bytes: (Uint8Array | undefined)[] = [];
      for (const [id, token] of byId) {
        bytes[id] = added.has(id) ? new TextEncoder().encode(token) : bytesOf(token, from);
      }
      this.#bytes = bytes;
    }
  }

  /**
   * Ids of `text`, with nothing added before or after it. `<|endoftext|>` inside the text is one token.
   * @throws {RangeError} when a piece of it has no token
   */
  encode(text: string): Int32Array {
    const { ids, tokens } = this.#engine.encode(text, { add_special_tokens: false });
    return Int32Array.from(ids, (id, i) => {
      if (id !== undefined) return id;
      throw new RangeError(`Cannot encode ${JSON.stringify(tokens[i])} as the vocabulary lacks it`);
    });
  }

  /** Id of one token as the vocabulary spells it, such as `[CLS]`; null where it has none. */
  idOf(token: string): number | null {
    return this.#engine.token_to_id(token) ?? null;
  }

  /** Text of `ids`. Special tokens (`<|endoftext|>`) are left out unless `special`. */
  decode(ids: ArrayLike<number>, { special = false } = {}): string {
    const list = Array.from(ids, (id) => this.#checked(id));
    if (this.#bytes) {
      const stream = this.stream({ special });
      return list.map((id) => stream.push(id)).join("") + stream.end();
    }
    const shown = special ? list : list.filter((id) => !this.#special.has(id));
    return shown.length > 0 ? this.#engine.decode(shown) : "";
  }

  /**
   * Decodes token by token. A character whose bytes are spread over several tokens comes out with the
   * last of them, so that no half characters are shown.
   * @throws {TypeError} when the vocabulary is not byte-level
   */
  stream({ special = false } = {}): { push(id: number): string; end(): string } {
    const bytes = this.#bytes;
    if (!bytes) {
      throw new TypeError(
        "Cannot decode token by token as only byte-level vocabularies can: use decode",
      );
    }
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (id) => {
        if (!special && this.#special.has(this.#checked(id))) return "";
        return decoder.decode(bytes[this.#checked(id)], { stream: true });
      },
      end: () => decoder.decode(),
    };
  }

  #checked(id: number): number {
    if (this.#engine.id_to_token(id) === undefined) {
      throw new RangeError(`Cannot decode token ${id} as the vocabulary has ${this.vocabSize} ids`);
    }
    return id;
  }
}

function checkMerges(
  merges: readonly (string | readonly [string, string])[] | undefined,
  tokens: ReadonlyMap<string, number>,
  from: string,
): void {
  if (!merges) throw new TypeError(`Cannot use ${from} as a BPE model has merges: there are none`);
  merges.forEach((merge, i) => {
    const [left, right, more] = typeof merge === "string" ? merge.split(" ") : merge;
    if (right === undefined || more !== undefined || !tokens.has(left + right)) {
      throw new RangeError(
        `Cannot use ${from} as each merge makes a token: merge ${i} is ${JSON.stringify(merge)}`,
      );
    }
  });
}

const BYTE_OF: ReadonlyMap<string, number> = new Map(
  byteCharacters().map((character, byte) => [character, byte]),
);

function bytesOf(token: string, from: string): Uint8Array {
  return Uint8Array.from(token, (character) => {
    const byte = BYTE_OF.get(character);
    if (byte !== undefined) return byte;
    throw new TypeError(
      `Cannot use ${from} as a byte-level token has GPT-2's byte characters: ${
        JSON.stringify(token)
      } has not`,
    );
  });
}
