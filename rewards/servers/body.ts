/** The body of an answer, read no further than it may be long. @module */
import { parseShallowJson } from "../../base/json.ts";
import { AnswerError } from "./errors.ts";

/** Most levels of objects and arrays in an answer. */
const DEPTH = 16;

/**
 * The text of a body of at most `maxBytes`; what comes beyond is left unread.
 * @throws {AnswerError} where it is longer, unless `cut`: then its beginning is given
 */
export async function readBody(
  response: Response,
  maxBytes: number,
  { cut = false }: { cut?: boolean } = {},
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", bytes = 0;
  for await (const chunk of response.body ?? []) { // leaving the loop cancels the body
    bytes += chunk.length;
    if (bytes > maxBytes) {
      if (cut) return text + decoder.decode(chunk.subarray(0, maxBytes - bytes + chunk.length));
      throw new AnswerError(`its answer is above ${maxBytes} bytes`, { retry: true });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** @throws {AnswerError} for what is not JSON, or nests deep */
export function readJson(text: string): unknown {
  try {
    return parseShallowJson(text, DEPTH);
  } catch {
    const what = text.trim() === "" ? "nothing" : /^\s*</.test(text) ? "a page" : "no JSON";
    throw new AnswerError(`it answers with ${what}`, { retry: true });
  }
}
