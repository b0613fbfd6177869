/** The lines of a file of answers, one JSON object each: key, model, value. @module */

/** Lines of a file that grows; whoever has a disk gives them. */
export interface AnswerLines {
  /** All lines, without what ends them. A last one that was cut off may be among them. */
  read(): AsyncIterable<string>;
  /** Adds one line. @throws {Error} where it cannot be written */
  append(line: string): Promise<void>;
}

const KEY = /^[0-9a-f]{64}$/;

/** The key of a question: SHA-256 of all that its answer depends on, in hexadecimal digits. */
export async function answerKey(question: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(question));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** One answer as the file has it; `model` is for whoever reads the file. */
export interface Answer {
  key: string;
  model: string;
  value: string;
}

/** The answer in a line; undefined for what is none, such as a line that a kill cut off. */
export function readAnswer(line: string): Pick<Answer, "key" | "value"> | undefined {
  try {
    const { key, value } = JSON.parse(line);
    return KEY.test(key) && typeof value === "string" ? { key, value } : undefined;
  } catch {
    return undefined;
  }
}

/** How an answer is had that is not there. */
export interface Question {
  /** Whose answer it is, for whoever reads the file. */
  model: string;
  ask: () => Promise<string>;
  /** What an answer must be: a file may have been changed. Default: anything. */
  isGood?: (value: string) => boolean;
}
