/** Generation in text: token by token, until end-of-text or a stop string. @module */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type GenerateOptions, generateStream, type GenerationModel } from "./generate.ts";

/** Why a completion ended. */
export type TextEnd = "eos" | "stop" | "length";

/** What one completion received since the last report. */
export interface NewText {
  /** Index into the prompts. */
  row: number;
  /** What can be shown; may be empty where the completion ended. */
  text: string;
  /** Set in the last report of a row. */
  end?: TextEnd;
}

/** How completions in text are drawn. */
export interface TextOptions extends Omit<GenerateOptions, "eos"> {
  /** Texts that end a completion, each alone; what precedes the first of them is returned. */
  stop?: readonly string[];
  /** Tokens drawn between two reports. Default 4. */
  every?: number;
}

/**
 * Cuts a text that arrives in pieces at the first stop string to be complete (of several that end
 * there, the longest), however it is cut into pieces. Holds back what may be the beginning of one.
 */
export class StopScanner {
  #held = "";
  #found = false;

  /** @throws {RangeError} when a stop string is empty or holds half a character */
  constructor(readonly stops: readonly string[]) {
    for (const stop of stops) {
      if (stop !== "" && stop.isWellFormed()) continue;
      throw new RangeError(
        `Cannot stop at a text as it must have whole characters: it is ${JSON.stringify(stop)}`,
      );
    }
  }

  /** True once a stop string was found: nothing follows any more. */
  get found(): boolean {
    return this.#found;
  }

  /** Takes a piece; gives what can be shown. */
  push(piece: string): string {
    if (this.#found) return "";
    const text = this.#held + piece;
    let end = Infinity, start = text.length;
    for (const stop of this.stops) {
      const at = text.indexOf(stop), to = at + stop.length;
      if (at < 0 || to > end || (to === end && at > start)) continue;
      [start, end] = [at, to];
    }
    this.#found = end < Infinity;
    if (!this.#found) start -= this.#beginning(text);
    this.#held = this.#found ? "" : text.slice(start);
    return text.slice(0, start);
  }

  /** What was held back, when no text follows. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** Length of the longest end of `text` that a stop string begins with. */
  #beginning(text: string): number {
    const longest = Math.max(0, ...this.stops.map((stop) => stop.length - 1));
    for (let n = Math.min(longest, text.length); n > 0; n--) {
      if (this.stops.some((stop) => stop.startsWith(text.slice(-n)))) return n;
    }
    return 0;
  }
}

/**
 * One completion a prompt, as text, without the prompt and without the token that ended it. Reports after every
 * `every` tokens; a completion that met a stop string is over, while the others continue.
 * @throws {RangeError} when a stop string is empty, or where `generate` throws
 */
export async function* generateText(
  { model, tokenizer }: { model: GenerationModel; tokenizer: Tokenizer },
  prompts: readonly string[],
  { stop = [], ...options }: TextOptions,
): AsyncGenerator<NewText[], void, void> {
  const rows = prompts.map(() => ({
    decoder: tokenizer.stream(),
    scanner: new StopScanner(stop),
    tokens: 0,
    ended: false,
  }));
  const ids = prompts.map((prompt) => tokenizer.encode(prompt));
  for await (const tokenUpdates of generateStream(model, ids, options)) {
    const texts: NewText[] = [];
    for (const { row, tokens, finished } of tokenUpdates) {
      const state = rows[row], { decoder, scanner } = state;
      if (state.ended) continue;
      let text = "";
      for (const id of finished ? tokens.subarray(0, -1) : tokens) {
        text += scanner.push(decoder.push(id));
      }
      state.tokens += tokens.length;
      const full = finished || state.tokens === options.maxNewTokens;
      if (full) text += scanner.push(decoder.end()) + scanner.end();
      const end = scanner.found ? "stop" : finished ? "eos" : full ? "length" : undefined;
      state.ended = end !== undefined;
      if (text !== "" || end) texts.push(end ? { row, text, end } : { row, text });
    }
    if (texts.length > 0) yield texts;
    if (rows.every(({ ended }) => ended)) return;
  }
}
