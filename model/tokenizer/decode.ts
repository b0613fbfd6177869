/**
 * The decoder of a `tokenizer.json`: tokens to text. Each is a stream, so that a text can be shown while it
 * is drawn, and the whole is what its pieces make. As in Python's tokenizers 0.20.
 * @module
 */
import { byteCharacters } from "./bpe.ts";
import {
  type Budget,
  listOf,
  newBudget,
  type Part,
  partOf,
  replacement,
  unknownPart,
} from "./parts.ts";
import { shown } from "./patterns.ts";

/** Takes tokens one by one; gives what is certain by then, `end` the rest. */
export interface Stream {
  push(token: string): string[];
  end(): string[];
}
type MakeStream = () => Stream;

const BYTES: ReadonlyMap<string, number> = new Map(
  byteCharacters().map((character, byte) => [character, byte]),
);

/** A stream that changes each token by itself; `at` counts them. */
const each = (change: (token: string, at: number) => string): MakeStream => () => {
  let at = 0;
  return { push: (token) => [change(token, at++)], end: () => [] };
};

/** Bytes of a token; of one that has other characters than GPT-2's for bytes, those of its text. */
function bytesOf(token: string): Uint8Array {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  return bytes.every((byte) => byte !== undefined)
    ? Uint8Array.from(bytes)
    : new TextEncoder().encode(token);
}

function byteLevel(): Stream {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push: (token) => [decoder.decode(bytesOf(token), { stream: true })],
    end: () => [decoder.decode()],
  };
}

/** Tokens such as <0xE2> are bytes; those that make no text become a replacement character each. */
function byteFallback(): Stream {
  let held: number[] = [];
  const flush = (): string[] => {
    const bytes = Uint8Array.from(held);
    held = [];
    if (bytes.length === 0) return [];
    try {
      return [new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)];
    } catch {
      return ["\ufffd".repeat(bytes.length)];
    }
  };
  return {
    push(token) {
      const [, hex] = /^<0x([0-9A-Fa-f]{2})>$/.exec(token) ?? [];
      if (hex === undefined) return [...flush(), token];
      held.push(parseInt(hex, 16));
      return [];
    },
    end: flush,
  };
}

/** The end of a word is a space, but for the last. */
const wordEnds = (suffix: string): MakeStream => () => {
  let held: string | undefined;
  const take = (replacement: string): string[] =>
    held === undefined ? [] : [suffix === "" ? held : held.replaceAll(suffix, () => replacement)];
  return {
    push(token) {
      const before = take(" ");
      held = token;
      return before;
    },
    end: () => take(""),
  };
};

/** Removes up to `start` of the character at the beginning of each token and `stop` at its end. */
function stripEach(content: string, start: number, stop: number): MakeStream {
  return each((token) => {
    const characters = [...token];
    let [from, to] = [0, characters.length];
    while (from < start && from < to && characters[from] === content) from++;
    while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
    return characters.slice(from, to).join("");
  });
}

/** The same for tokens that were made one: only its beginning and end are cut. */
const stripFused = (content: string, start: number, stop: number): MakeStream => () => {
  let begun = 0, open = true, held: string[] = [];
  return {
    push(token) {
      const shown: string[] = [];
      for (const character of token) {
        if (open && begun < start && character === content) {
          begun++;
          continue;
        }
        open = false;
        held.push(character);
        if (character !== content) shown.push(...held.splice(0));
        else if (held.length > stop) shown.push(held.shift()!);
      }
      return [shown.join("")];
    },
    end() {
      held = [];
      return [];
    },
  };
};

/** As BERT's: no space before what continues a word, nor before punctuation. */
function wordPiece(prefix: string, cleanup: boolean): MakeStream {
  return each((token, at) => {
    const text = at === 0
      ? token
      : token.startsWith(prefix)
      ? token.slice(prefix.length)
      : ` ${token}`;
    return cleanup ? cleaned(text) : text;
  });
}

const cleaned = (text: string): string =>
  text.replaceAll(" .", ".").replaceAll(" ?", "?").replaceAll(" !", "!").replaceAll(" ,", ",")
    .replaceAll(" ' ", "'").replaceAll(" n't", "n't").replaceAll(" 'm", "'m")
    .replaceAll(" do not", " don't").replaceAll(" 's", "'s").replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");

function metaspace(mark: string, keepsFirst: boolean): MakeStream {
  return each((token, at) => token.replaceAll(mark, at === 0 && !keepsFirst ? "" : " "));
}

/** What a chain of decoders has made of the tokens so far. */
interface Chain {
  makes: MakeStream[];
  /** True once all tokens are one text. */
  fused: boolean;
  budget: Budget;
}

const DECODERS: ReadonlyMap<string, (part: Part, chain: Chain) => MakeStream | undefined> = new Map<
  string,
  (part: Part, chain: Chain) => MakeStream | undefined
>([
  ["ByteLevel", (_, chain) => {
    chain.fused = true;
    return byteLevel;
  }],
  ["WordPiece", (part) => wordPiece(text(part, "prefix", "##"), part.cleanup !== false)],
  ["Metaspace", (part) => {
    const keeps = part.prepend_scheme === "never" || part.add_prefix_space === false;
    return metaspace(text(part, "replacement", "▁"), keeps);
  }],
  ["BPEDecoder", (part) => wordEnds(text(part, "suffix", "</w>"))],
  ["Replace", (part, { budget }) => each(replacement(part, budget))],
  ["Strip", (part, { fused }) => {
    const [start, stop] = [part.start, part.stop].map((n) => {
      if (Number.isInteger(n ?? 0) && Number(n ?? 0) >= 0) return Number(n ?? 0);
      throw new TypeError(`start and stop of a Strip must be counts: ${start} and ${stop}`);
    });
    return (fused ? stripFused : stripEach)(text(part, "content", " "), start, stop);
  }],
  ["ByteFallback", () => byteFallback],
  ["Fuse", (_, chain) => {
    chain.fused = true;
    return undefined;
  }],
]);

function text(part: Part, key: string, fallback: string): string {
  const value = part[key] ?? fallback;
  if (typeof value === "string") return value;
  throw new TypeError(`${key} of a ${part.type} must be a text: it is ${shown(value)}`);
}

function addTo(chain: Chain, value: unknown): void {
  const part = partOf(value, "a decoder", chain.budget);
  if (part.type === "Sequence") return listOf(part, "decoders").forEach((one) => addTo(chain, one));
  const make = DECODERS.get(part.type) ??
    unknownPart("decoder", part.type, [...DECODERS.keys(), "Sequence"]);
  if (chain.fused && part.type !== "Strip" && part.type !== "Fuse") {
    throw new TypeError(
      `only Strip may be behind a decoder that makes one text of the tokens: it is ${part.type}`,
    );
  }
  const stream = make(part, chain);
  if (stream) chain.makes.push(stream);
}

/**
 * Makes streams of the decoder of a file. Without one, tokens have spaces between them.
 * @throws {TypeError} naming what is not a decoder; the message follows "as"
 */
export function decoder(value: unknown): () => { push(token: string): string; end(): string } {
  const chain: Chain = { makes: [], fused: false, budget: newBudget() };
  if (value !== null && value !== undefined) addTo(chain, value);
  else chain.makes.push(each((token, at) => at === 0 ? token : ` ${token}`));
  return () => {
    const streams = chain.makes.map((make) => make());
    const through = (tokens: string[], from: number): string =>
      streams.slice(from).reduce((now, stream) => now.flatMap((one) => stream.push(one)), tokens)
        .join("");
    return {
      push: (token) => through([token], 0),
      end: () => streams.map((stream, i) => through(stream.end(), i + 1)).join(""),
    };
  };
}
