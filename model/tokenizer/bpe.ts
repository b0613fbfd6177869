/**
 * Byte-level byte-pair encoding, trained: text in, a Hugging Face `tokenizer.json` out.
 *
 * Text is cut into words by GPT-2's rule, each word becomes bytes, each byte a visible character, and
 * the most frequent neighbouring pair is joined into a new token until the vocabulary is full
 * (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; bytes after Radford et al. 2019). Ties go to
 * the pair that is smaller as text, so that the same text always gives the same file.
 * Encoding and decoding are left to `@huggingface/tokenizers`.
 * @module
 */

/** GPT-2's cut into words: contractions, letters, digits, other signs, white space. */
export const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The token that ends a document. */
export const END_OF_TEXT = "<|endoftext|>";

/**
 * The `tokenizer_config.json` that belongs beside the file. Without `clean_up_tokenization_spaces`
 * false, decoding drops spaces before punctuation, and text does not come back as it was.
 */
export const TOKENIZER_CONFIG = {
  tokenizer_class: "GPT2Tokenizer",
  add_prefix_space: false,
  clean_up_tokenization_spaces: false,
  bos_token: END_OF_TEXT,
  eos_token: END_OF_TEXT,
  unk_token: END_OF_TEXT,
} as const;

/** What to train on. */
export interface BpeOptions {
  /** Documents, without end-of-text marks. */
  documents: Iterable<string>;
  /** Tokens in all: 256 bytes, the joined ones, and end-of-text. At least 257. */
  vocabulary: number;
  /** Words that must become single tokens, both alone and behind a space; they are joined first. */
  whole?: readonly string[];
}

/** The contents of a `tokenizer.json`, as far as this trainer fills it. */
export interface TokenizerJson {
  model: { type: "BPE"; vocab: Record<string, number>; merges: [string, string][] };
  [part: string]: unknown;
}

/**
 * The character that stands for each byte (256 entries): printable Latin-1 bytes for themselves, the
 * others from U+0100 upwards, in byte order. It is GPT-2's table.
 */
export function byteCharacters(): string[] {
  const visible = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let hidden = 0;
  return Array.from(
    { length: 256 },
    (_, byte) => String.fromCharCode(visible(byte) ? byte : 256 + hidden++),
  );
}

/** One kind of word: how often it was met, and the tokens it is made of so far. */
interface Word {
  count: number;
  tokens: number[];
}

const PAIR = 65_536; // a pair of tokens is one number: left * PAIR + right

/** Counts of neighbouring pairs, and in which words each is found. */
class Pairs {
  readonly count = new Map<number, number>();
  readonly words = new Map<number, Set<number>>();

  add(word: Word, at: number, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.tokens.length; i++) {
      const pair = word.tokens[i] * PAIR + word.tokens[i + 1];
      this.count.set(pair, (this.count.get(pair) ?? 0) + sign * word.count);
      if (sign < 0) continue;
      const where = this.words.get(pair);
      if (where) where.add(at);
      else this.words.set(pair, new Set([at]));
    }
  }
}

/**
 * Trains the merges and gives the tokenizer. Token numbers: 0 to 255 the bytes in the order of their
 * characters, then the joined ones in the order of joining, last of all end-of-text. The vocabulary
 * stays smaller than asked for when the text has no pair left.
 *
 * @throws RangeError for a vocabulary below 257 or above 65,536
 */
export function trainBpe({ documents, vocabulary, whole = [] }: BpeOptions): TokenizerJson {
  if (!(Number.isInteger(vocabulary) && vocabulary >= 257 && vocabulary <= PAIR)) {
    throw new RangeError(
      `Cannot train a byte-level BPE as its vocabulary must be 257 to ${PAIR} tokens: ${vocabulary}`,
    );
  }
  const characters = byteCharacters();
  const names = [...characters].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0));
  const numberOfByte = characters.map((character) => names.indexOf(character));
  const encoder = new TextEncoder();
  const split = (text: string): number[] =>
    Array.from(encoder.encode(text), (byte) => numberOfByte[byte]);

  const counts = new Map<string, number>();
  for (const document of documents) {
    for (const [word] of document.matchAll(GPT2_WORDS)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  // Words that must be whole outweigh all others, so that their merges come first.
  const heavy = [...counts.values()].reduce((sum, count) => sum + count, 1);
  for (const word of whole.flatMap((word) => [word, ` ${word}`])) {
    counts.set(word, (counts.get(word) ?? 0) + heavy);
  }

  const words: Word[] = [...counts].map(([text, count]) => ({ count, tokens: split(text) }));
  const pairs = new Pairs();
  words.forEach((word, at) => pairs.add(word, at, 1));
  const merges: [string, string][] = [];
  while (names.length < vocabulary - 1) {
    const pair = mostFrequent(pairs.count, names);
    if (pair === undefined) break;
    const [left, right] = [Math.floor(pair / PAIR), pair % PAIR];
    merges.push([names[left], names[right]]);
    const joined = names.push(names[left] + names[right]) - 1;
    for (const at of pairs.words.get(pair) ?? []) {
      pairs.add(words[at], at, -1);
      words[at].tokens = join(words[at].tokens, left, right, joined);
      pairs.add(words[at], at, 1);
    }
    pairs.count.delete(pair);
    pairs.words.delete(pair);
  }
  const vocab = Object.fromEntries([...names, END_OF_TEXT].map((name, number) => [name, number]));
  return byteLevelJson({ vocab, merges });
}

function mostFrequent(count: Map<number, number>, names: string[]): number | undefined {
  let [best, most] = [-1, 0];
  const name = (pair: number): string => `${names[Math.floor(pair / PAIR)]} ${names[pair % PAIR]}`;
  for (const [pair, n] of count) {
    if (n > most || (n === most && n > 0 && name(pair) < name(best))) [best, most] = [pair, n];
  }
  return most > 0 ? best : undefined;
}

function join(tokens: number[], left: number, right: number, joined: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === left && tokens[i + 1] === right) {
      out.push(joined);
      i++;
    } else out.push(tokens[i]);
  }
  return out;
}

/**
 * A byte-level `tokenizer.json` of given ids and merges, cut into words as GPT-2 cuts them. End-of-text
 * is a special token where `vocab` has it; `added` are further tokens that text is searched for.
 */
export function byteLevelJson({ vocab, merges, added = {} }: {
  vocab: Record<string, number>;
  merges: [string, string][];
  added?: Record<string, number>;
}): TokenizerJson {
  const whole = { ...added };
  if (Object.hasOwn(vocab, END_OF_TEXT)) whole[END_OF_TEXT] = vocab[END_OF_TEXT];
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: Object.entries(whole).map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: content === END_OF_TEXT,
    })).sort((a, b) => a.id - b.id),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  } as TokenizerJson;
}
