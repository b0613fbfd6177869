/** Tokens that a text is searched for before anything else is done to it. @module */
import { SPACE, WORD } from "./patterns.ts";
import type { Normalize, Piece } from "./parts.ts";

/** Such a token, with the flags of Python's `AddedToken`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out of decoded text unless asked for. */
  readonly special: boolean;
  /** Found only where no letter, digit or underscore is beside it. */
  readonly single_word: boolean;
  /** Takes the white space before it with it. */
  readonly lstrip: boolean;
  /** Takes the white space behind it with it. */
  readonly rstrip: boolean;
  /** Searched for in the normalized text, not in the text as it came. */
  readonly normalized: boolean;
}

const SPACES_BEFORE = new RegExp(`(?<![${SPACE}])[${SPACE}]+$`, "u");
const SPACES_BEHIND = new RegExp(`[${SPACE}]*`, "uy");
const WORD_BEFORE = new RegExp(`[${WORD}]$`, "u"), WORD_BEHIND = new RegExp(`[${WORD}]`, "uy");

const at = (regex: RegExp, text: string, index: number): string => {
  regex.lastIndex = index;
  return regex.exec(text)?.[0] ?? "";
};

/** One round of the search: of the tokens that begin at a place the longest counts. */
class Search {
  #tokens = new Map<string, AddedToken>();
  #lengths: number[];
  #starts: ReadonlySet<string>;

  constructor(tokens: readonly AddedToken[], spelled: (token: AddedToken) => string) {
    for (const token of tokens) {
      const text = spelled(token);
      if (text !== "") this.#tokens.set(text, token);
    }
    this.#lengths = [...new Set([...this.#tokens.keys()].map(({ length }) => length))]
      .sort((a, b) => b - a);
    this.#starts = new Set([...this.#tokens.keys()].map((text) => text[0]));
  }

  /** Ids, and the pieces between them. */
  split({ text, first }: Piece): (number | Piece)[] {
    const parts: (number | Piece)[] = [];
    let done = 0;
    const upTo = (to: number): void => {
      if (to > done) parts.push({ text: text.slice(done, to), first: first && done === 0 });
    };
    for (let from = 0; from < text.length;) {
      const found = this.#find(text, from);
      if (!found) {
        from++;
        continue;
      }
      const { token, length } = found, end = from + length;
      if (!token.single_word || isApart(text, from, end)) {
        const before = token.lstrip ? at(SPACES_BEFORE, text.slice(done, from), 0).length : 0;
        upTo(from - before);
        parts.push(token.id);
        done = token.rstrip ? end + at(SPACES_BEHIND, text, end).length : end;
      }
      from = end;
    }
    upTo(text.length);
    return parts;
  }

  #find(text: string, from: number): { token: AddedToken; length: number } | undefined {
    if (!this.#starts.has(text[from])) return undefined;
    for (const length of this.#lengths) {
      const token = this.#tokens.get(text.slice(from, from + length));
      if (token && from + length <= text.length) return { token, length };
    }
  }
}

const isApart = (text: string, from: number, end: number): boolean =>
  !WORD_BEFORE.test(text.slice(Math.max(0, from - 2), from)) && at(WORD_BEHIND, text, end) === "";

/** Splits texts at added tokens, in the order of Python's tokenizers: as they came, then normalized. */
export class AddedTokens {
  readonly ids: ReadonlySet<number>;
  #plain: Search;
  #normalized: Search;

  constructor(tokens: readonly AddedToken[], readonly normalize: Normalize) {
    this.ids = new Set(tokens.map(({ id }) => id));
    this.#plain = new Search(tokens.filter(({ normalized }) => !normalized), (t) => t.content);
    this.#normalized = new Search(
      tokens.filter(({ normalized }) => normalized),
      ({ content }) => normalize(content),
    );
  }

  /** Ids of the tokens in `text`, and the normalized pieces between them. */
  split(text: string): (number | Piece)[] {
    return this.#plain.split({ text, first: true }).flatMap((part) =>
      typeof part === "number"
        ? [part]
        : this.#normalized.split({ ...part, text: this.normalize(part.text) })
    );
  }
}
