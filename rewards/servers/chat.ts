/** Chat completions of an OpenAI-compatible server: messages in, one text out. @module */
import type { Connection } from "./connection.ts";
import { AnswerError } from "./errors.ts";

const MAX_BYTES = 2 ** 20;

/** One turn of a conversation. */
export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** A model behind a server. */
export interface ChatServer {
  readonly connection: Connection;
  readonly model: string;
  /** Longest answer, tokens; 0: the server's own. */
  readonly maxTokens: number;
  readonly temperature: number;
}

/** The body of a request, of which an answer depends on all but the server. */
export const chatBody = (
  { model, maxTokens, temperature }: ChatServer,
  messages: readonly Message[],
): Record<string, unknown> => ({
  model,
  messages,
  temperature,
  ...(maxTokens > 0 && { max_tokens: maxTokens }),
});

/**
 * What `read` takes from the answer to a body of `chatBody`.
 * @throws what `Connection.ask` and `read` throw
 */
export function chat<T>(
  { connection }: ChatServer,
  body: unknown,
  read: (text: string) => T,
  signal?: AbortSignal,
): Promise<T> {
  const { key } = connection.endpoint;
  const take = (answer: unknown): T => {
    const text = textOf(answer);
    return read(key?.redact(text) ?? text);
  };
  return connection.ask({
    path: "/chat/completions",
    body,
    maxBytes: MAX_BYTES,
    read: take,
    signal,
  });
}

/** The text of the first choice. @throws {AnswerError} where there is none, or only its beginning */
function textOf(answer: unknown): string {
  const choice =
    (answer as { choices?: { message?: { content?: unknown }; finish_reason?: unknown }[] })
      ?.choices?.[0];
  // A number that is cut off is another number.
  if (choice?.finish_reason === "length") {
    throw new AnswerError("its answer was cut off: a larger serverMaxTokens lets it end");
  }
  const text = choice?.message?.content;
  if (typeof text === "string" && text.trim() !== "") return text.trim();
  throw new AnswerError("its answer has no text", { retry: true });
}
