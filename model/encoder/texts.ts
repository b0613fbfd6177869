/** Texts as an encoder reads them: [CLS], the WordPiece tokens, [SEP], in batches of like length. @module */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { TextBatch } from "./forward.ts";

/** One text of an encoder. */
export interface EncodedText {
  /** From [CLS] to [SEP]. */
  readonly ids: Int32Array;
  /** False where no part of the text is in the vocabulary. */
  readonly known: boolean;
}

/** Makes texts of at most `most` tokens, [CLS] and [SEP] included; what is beyond is cut off. */
export class TextReader {
  #ids: Record<"[CLS]" | "[SEP]" | "[UNK]", number>;

  /** @throws {TypeError} when the vocabulary lacks one of the marks */
  constructor(readonly tokenizer: Tokenizer, readonly most: number) {
    const id = (mark: string): number => {
      const found = tokenizer.idOf(mark);
      if (found !== null) return found;
      throw new TypeError(
        `Cannot read texts as an encoder's vocabulary has ${mark}: it is missing`,
      );
    };
    this.#ids = { "[CLS]": id("[CLS]"), "[SEP]": id("[SEP]"), "[UNK]": id("[UNK]") };
  }

  /** The tokens of one text. */
  read(text: string): EncodedText {
    const { "[CLS]": cls, "[SEP]": sep, "[UNK]": unknown } = this.#ids;
    const inner = this.tokenizer.encode(text).subarray(0, this.most - 2);
    return {
      ids: Int32Array.of(cls, ...inner, sep),
      known: inner.some((id) => id !== unknown),
    };
  }
}

/** Most rows B * T of one batch: bounds the activations, whatever is asked. */
export const MAX_ROWS = 4096;

/**
 * Batches of texts, short with short, so that little is padding; `which` are the places of its rows
 * in `texts`. A batch has at most 4,096 tokens, padding included, or one text; none of its texts is more
 * than twice as long as another.
 */
export function* textBatches(
  texts: readonly EncodedText[],
): Generator<TextBatch & { which: number[] }> {
  const order = texts.map((_, i) => i).sort((a, b) => texts[a].ids.length - texts[b].ids.length);
  for (let at = 0; at < order.length;) {
    const fits = (end: number): boolean => { // lengths ascend: the last one is T
      const T = texts[order[end]].ids.length;
      return (end + 1 - at) * T <= MAX_ROWS && T <= 2 * texts[order[at]].ids.length;
    };
    let end = at + 1;
    while (end < order.length && fits(end)) end++;
    const which = order.slice(at, end);
    const B = which.length, T = texts[order[end - 1]].ids.length;
    const tokens = new Uint32Array(B * T);
    which.forEach((i, b) => tokens.set(texts[i].ids, b * T));
    const lengths = Uint32Array.from(which, (i) => texts[i].ids.length);
    yield { B, T, tokens, lengths, which };
    at = end;
  }
}
