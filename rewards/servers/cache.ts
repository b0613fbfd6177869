/** Answers that are there already, by the hash of what was asked: in memory, and in a file's lines. @module */
import { type Answer, type AnswerLines, type Question, readAnswer } from "./answer_lines.ts";

const MAX_BYTES = 2 ** 28; // in memory; an embedding of 3072 numbers takes 32 KB

/** Answers by key. What was not used for longest goes where there are too many. */
export class AnswerCache {
  /** Lines of the file that are none of this cache's, such as one that a kill cut off. */
  broken = 0;
  /** Answers that were not asked for, as they were there. */
  hits = 0;
  #answers = new Map<string, string>();
  #pending = new Map<string, Promise<string>>();
  #bytes = 0;

  /** @param maxBytes of answers in memory, about */
  constructor(readonly lines?: AnswerLines, readonly maxBytes: number = MAX_BYTES) {}

  /** Takes over what the file holds. @throws what reading it throws */
  static async open(lines: AnswerLines, maxBytes?: number): Promise<AnswerCache> {
    const cache = new AnswerCache(lines, maxBytes);
    for await (const line of lines.read()) cache.#take(line);
    return cache;
  }

  /** The answer that is there, or that `ask` gives; whoever asks the same meanwhile waits for that one. */
  answer(key: string, { model, ask, isGood = () => true }: Question): Promise<string> {
    const known = this.take(key), pending = this.#pending.get(key);
    if (known !== undefined && isGood(known)) return Promise.resolve(known);
    if (pending) {
      this.hits++;
      return pending;
    }
    const asked = ask().then(async (value) => {
      await this.put(key, model, value);
      return value;
    }).finally(() => this.#pending.delete(key));
    this.#pending.set(key, asked);
    return asked;
  }

  /** The answer that is there. */
  take(key: string): string | undefined {
    const value = this.#answers.get(key);
    if (value === undefined) return undefined;
    this.hits++;
    this.#answers.delete(key); // and back in, as the one used last
    this.#answers.set(key, value);
    return value;
  }

  /** Keeps an answer, in the file too. */
  async put(key: string, model: string, value: string): Promise<void> {
    this.#keep(key, value);
    await this.lines?.append(JSON.stringify({ key, model, value } satisfies Answer));
  }

  #keep(key: string, value: string): void {
    this.#bytes += size(value) - size(this.#answers.get(key));
    this.#answers.set(key, value);
    for (const [oldest, old] of this.#answers) {
      if (this.#bytes <= this.maxBytes || oldest === key) break;
      this.#answers.delete(oldest);
      this.#bytes -= size(old);
    }
  }

  #take(line: string): void {
    if (line.trim() === "") return;
    const found = readAnswer(line);
    if (found) this.#keep(found.key, found.value);
    else this.broken++;
  }
}

const size = (value: string | undefined): number =>
  value === undefined ? 0 : 2 * value.length + 200;
