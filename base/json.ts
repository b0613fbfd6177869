/**
 * A JSON reader for files that may be hostile: it refuses what `JSON.parse` lets through in silence,
 * repeated keys and deep nesting, and keeps objects as maps so that no key has a meaning of its own.
 * @module
 */

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

/**
 * Reads one JSON value that is all of `text`. `values` is the most values it may be made of, counted
 * while it is read: a small text can ask for many objects, each far larger in memory than as text.
 * @throws {SyntaxError} with the position, for text that is no JSON, repeats a key, nests deeper than
 * `depth` or has more values than `values`
 */
export function parseJson(
  text: string,
  { depth = 64, values = Infinity }: { depth?: number; values?: number } = {},
): Json {
  let at = 0;
  const fail = (reason: string): never => {
    throw new SyntaxError(`${reason} at character ${at}`);
  };
  const next = (): (string | undefined)[] => {
    TOKEN.lastIndex = at;
    const [all, mark, quote, number, word] = TOKEN.exec(text) ?? fail("no JSON");
    let end = at + all.length;
    if (quote) end = endOfString(text, end);
    if (end > text.length) fail("no JSON");
    const string = quote && text.slice(at + all.length - 1, end);
    if (string) textOf(string); // escapes and control characters, before `at` moves on
    at = end;
    return [all, mark, string, number, word];
  };
  const textOf = (string: string): string => {
    try {
      return JSON.parse(string);
    } catch {
      return fail("no JSON");
    }
  };
  const peek = (): string => {
    TOKEN.lastIndex = at;
    return TOKEN.exec(text)?.[1] ?? "";
  };
  /** Reads the members of an object or array up to its closing bracket. */
  const members = (close: string, level: number, member: () => void): void => {
    if (level > depth) fail(`more than ${depth} levels`);
    if (peek() === close) return void next();
    for (;;) {
      member();
      const [, mark] = next();
      if (mark === close) return;
      if (mark !== ",") fail(`no "," or "${close}"`);
    }
  };
  let count = 0;
  const value = (level: number): Json => {
    if (++count > values) fail(`more than ${values} values`);
    const [, mark, string, number, word] = next();
    if (string !== undefined) return JSON.parse(string);
    if (number !== undefined) return new JsonNumber(number);
    if (word !== undefined) return JSON.parse(word);
    if (mark === "[") {
      const list: Json[] = [];
      members("]", level + 1, () => void list.push(value(level + 1)));
      return list;
    }
    if (mark !== "{") fail(`unexpected "${mark}"`);
    const map = new Map<string, Json>();
    members("}", level + 1, () => {
      const [, , key] = next();
      if (key === undefined) return fail("no key");
      const name: string = JSON.parse(key);
      if (map.has(name)) fail(`the key ${key} a second time`);
      if (next()[1] !== ":") fail(`no ":" after ${key}`);
      map.set(name, value(level + 1));
    });
    return map;
  };
  const result = value(0);
  END.lastIndex = at;
  if (!END.test(text)) fail("more text after the end");
  return result;
}
