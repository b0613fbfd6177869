/**
 * One request to a server: within its time, read no further than an answer is long, and never sent on.
 * The client of the `openai` package is not used: its 7.57.0 follows a redirect, so that prompts go to, and
 * ratings come from, whoever the server names; reads 100 MB where a number was asked for; tries again after
 * half a second where a Retry-After says 100; and tells each server the machine's system and processor.
 * @module
 */
import { excerpt } from "../../base/excerpt.ts";
import { baseOf } from "./address.ts";
import { readBody, readJson } from "./body.ts";
import { AnswerError, OutageError } from "./errors.ts";
import type { Secret } from "./secret.ts";
import { refusal } from "./refusal.ts";

/** Where requests go, and how. */
export interface Endpoint {
  readonly address: URL;
  readonly key?: Secret;
  /** Variable that a key is read from, for messages. */
  readonly keyFrom: string;
  readonly fetch: typeof fetch;
  /** Milliseconds for a whole answer. */
  readonly timeout: number;
}

/**
 * Sends `body` and gives the JSON that comes back.
 * @throws {AnswerError} where there is none; its message is a phrase behind "as"
 * @throws {OutageError} where no request can have one: no permission, a key or address that is refused
 * @throws the signal's reason where it aborts
 */
export async function post(
  endpoint: Endpoint,
  path: string,
  { body, maxBytes, signal }: { body: unknown; maxBytes: number; signal?: AbortSignal },
): Promise<unknown> {
  signal?.throwIfAborted();
  const { address, key, fetch, timeout } = endpoint;
  const stop = new AbortController(), end = () => stop.abort();
  signal?.addEventListener("abort", end, { once: true });
  const timer = setTimeout(end, timeout);
  try {
    const response = await fetch(baseOf(address) + path, {
      method: "POST",
      redirect: "manual",
      credentials: "omit",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(key && { authorization: key.header }),
      },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    if (response.ok) return readJson(await readBody(response, maxBytes));
    throw await refusal(response, endpoint);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AnswerError || error instanceof OutageError) throw error;
    if (stop.signal.aborted) {
      throw new AnswerError(`it gave no whole answer in ${timeout / 1000} s`, { retry: true });
    }
    throw networkError(error as Error, address, key);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    end(); // what was not read of an answer is not sent any more
  }
}

function networkError(error: Error, { host }: URL, key?: Secret): Error {
  if (error.name === "NotCapable") {
    return new OutageError(`this program may not: start it with --allow-net=${host}`);
  }
  const { message, cause } = error;
  const why = cause instanceof Error ? `${message}, ${cause.message}` : message;
  return new AnswerError(`it cannot be reached: ${excerpt(key?.redact(why) ?? why)}`, {
    retry: true,
  });
}
