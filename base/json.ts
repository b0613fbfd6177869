/**
 * A JSON reader for files that may be hostile: it refuses what `JSON.parse` lets through in silence,
 * repeated keys and deep nesting, and keeps objects as maps so that no key has a meaning of its own.
 * @module
 */
import { excerpt } from "./excerpt.ts";

/** A value read by `parseJson`. Numbers stay text until someone says which kind is wanted. */
export type Json = null | boolean | string | JsonNumber | Json[] | Map<string, Json>;

/** A number as it was written. */
export class JsonNumber {
  constructor(readonly text: string) {}
  /** The number, when it is a whole one >= 0 that a double holds exactly; else undefined. */
  get size(): number | undefined {
    const value = /^\d+$/.test(this.text) ? Number(this.text) : NaN;
    return Number.isSafeInteger(value) ? value : undefined;
  }
}

const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
/** One token behind white space: a mark, the start of a string, a number or a word. */
const TOKEN = new RegExp(
  String
    .raw`[ \t\n\r]*(?:([[\]{}:,])|(")|(${NUMBER})|(true|false|null))`,
  "y",
);
const END = /[ \t\n\r]*$/y;

/** Where the string ends whose first character is at `at`; beyond the text where nothing ends it. */
function endOfString(text: string, at: number): number {
  for (; at < text.length; at++) { // no expression: its stack would grow with every escape
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at++;
  }
  return text.length + 1;
}

/** What may be read. */
interface JsonLimits {
  /** Most levels of objects and arrays. */
  depth?: number;
  /** Most values that the text may be made of. */
  values?: number;
}

/**
 * Reads one JSON value that is all of `text`. Values are counted while they are read: a small text can
 * ask for many objects, each far larger in memory than as text.
 * @throws {SyntaxError} with the position, for text that is not JSON, repeats a key, nests deeper than
 * `depth` (64) or has more values than `values` (no limit)
 */
export function parseJson(text: string, limits: JsonLimits = {}): Json {
  return new Reader(text, limits).whole();
}

/**
 * What `JSON.parse` gives, of text that nests no deeper than `depth`: what is done with a value
 * afterwards may recurse.
 * @throws {SyntaxError} for text that is not JSON, or nests deeper
 */
export function parseShallowJson(text: string, depth = 64): unknown {
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at + 1) - 1;
    else if (code === 0x5b || code === 0x7b) {
      if (++level > depth) throw new SyntaxError(`more than ${depth} levels at character ${at}`);
    } else if (code === 0x5d || code === 0x7d) level--;
  }
  return JSON.parse(text);
}

/** One token: white space and all, and the part that it is. */
interface Token {
  mark?: string;
  /** With its quotes. */
  string?: string;
  number?: string;
  word?: string;
}

class Reader {
  #at = 0;
  #count = 0;
  #depth: number;
  #values: number;

  constructor(readonly text: string, { depth = 64, values = Infinity }: JsonLimits) {
    this.#depth = depth;
    this.#values = values;
  }

  whole(): Json {
    const result = this.#value(0);
    END.lastIndex = this.#at;
    if (!END.test(this.text)) this.#fail("more text after the end");
    return result;
  }

  #fail(reason: string): never {
    throw new SyntaxError(`${reason} at character ${this.#at}`);
  }

  #next(): Token {
    TOKEN.lastIndex = this.#at;
    const [all, mark, quote, number, word] = TOKEN.exec(this.text) ?? this.#fail("no JSON");
    let end = this.#at + all.length;
    if (quote) end = endOfString(this.text, end);
    if (end > this.text.length) this.#fail("no JSON");
    const string = quote && this.text.slice(this.#at + all.length - 1, end);
    if (string) this.#check(string); // escapes and control characters, before `#at` moves on
    this.#at = end;
    return { mark, string, number, word };
  }

  #check(string: string): void {
    try {
      JSON.parse(string);
    } catch {
      this.#fail("no JSON");
    }
  }

  #peek(): string {
    TOKEN.lastIndex = this.#at;
    return TOKEN.exec(this.text)?.[1] ?? "";
  }

  #value(level: number): Json {
    if (++this.#count > this.#values) this.#fail(`more than ${this.#values} values`);
    const { mark, string, number, word } = this.#next();
    if (string !== undefined) return JSON.parse(string);
    if (number !== undefined) return new JsonNumber(number);
    if (word !== undefined) return JSON.parse(word);
    if (mark === "[") {
      const list: Json[] = [];
      this.#members("]", level + 1, () => void list.push(this.#value(level + 1)));
      return list;
    }
    if (mark !== "{") this.#fail(`unexpected "${mark}"`);
    const map = new Map<string, Json>();
    this.#members("}", level + 1, () => this.#entry(map, level + 1));
    return map;
  }

  #entry(map: Map<string, Json>, level: number): void {
    const { string: key } = this.#next();
    if (key === undefined) this.#fail("no key");
    const name: string = JSON.parse(key);
    if (map.has(name)) this.#fail(`the key ${excerpt(key)} a second time`);
    if (this.#next().mark !== ":") this.#fail(`no ":" after ${excerpt(key)}`);
    map.set(name, this.#value(level));
  }

  /** Reads the members of an object or array up to its closing bracket. */
  #members(close: string, level: number, member: () => void): void {
    if (level > this.#depth) this.#fail(`more than ${this.#depth} levels`);
    if (this.#peek() === close) return void this.#next();
    for (;;) {
      member();
      const { mark } = this.#next();
      if (mark === close) return;
      if (mark !== ",") this.#fail(`no "," or "${close}"`);
    }
  }
}
