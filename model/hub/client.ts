/**
 * Requests to a hub of models and data sets: redirects followed by hand, a token that stays with its host, retries that
 * end, and errors that say what to do.
 * @module
 */

import { excerpt } from "../../base/excerpt.ts";
import { hidden, HubError, RetryableError, statusError, unexpectedResponse } from "./errors.ts";
import type { RepoKind } from "./names.ts";

/** How the hub is talked to. */
export interface HubConnection {
  /** What is asked for. */
  readonly kind: RepoKind;
  /** Address of the hub without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the hub's own origin only. */
  readonly token?: string;
  /** What it was read from, for messages. */
  readonly tokenFrom?: string;
  /** Tries in a row that bring nothing. */
  readonly tries: number;
  /** Milliseconds before the second try; doubled before each further one. */
  readonly pause: number;
  /** Milliseconds in which an answer must begin, and each next KiB of it arrive. */
  readonly timeout: number;
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal;
  /** Told what is tried again, and why. */
  readonly step?: (line: string) => void;
}

/** An answer that is no redirect and no error. */
export interface Reply {
  readonly status: 200 | 206 | 416;
  readonly headers: Headers;
  /** What the hub says of a file, from the first answer on the way that says it; lower case names. */
  readonly about: ReadonlyMap<string, string>;
  /** The body, once; ends in a `RetryableError` where it is cut off or all but stops. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Drops the body. */
  drop(): Promise<void>;
}

const MAX_REDIRECTS = 5;
const MIN_BYTES = 1024; // bytes in one timeout: less counts as cut off
const ABOUT = ["x-repo-commit", "x-linked-etag", "x-linked-size"];

/**
 * One request for `path` of the hub about `what`, an id for messages. HEAD stops at the first answer
 * that has X-Linked-Etag, as what it redirects to is the file itself.
 * @throws {HubError}
 */
export async function request(
  hub: HubConnection,
  path: string,
  { what, method = "GET", headers = {} }: {
    what: string;
    method?: "GET" | "HEAD";
    headers?: Record<string, string>;
  },
): Promise<Reply> {
  let url = new URL(hub.endpoint + path);
  let home = true; // once it has left the hub's origin, a request never carries the token again
  const about = new Map<string, string>();
  for (let hops = 0;; hops++) {
    const stop = new AbortController();
    const response = await send(hub, url, stop, {
      method,
      redirect: "manual",
      headers: {
        ...headers,
        "accept-encoding": "identity", // ranges and sizes are those of the file
        ...(home && hub.token ? { authorization: `Bearer ${hub.token}` } : {}),
      },
    });
    for (const name of ABOUT) {
      const value = response.headers.get(name);
      if (value !== null && !about.has(name)) about.set(name, value);
    }
    const redirect = [301, 302, 303, 307, 308].includes(response.status);
    if (!redirect || (method === "HEAD" && about.has("x-linked-etag"))) {
      const { status } = response;
      if (!redirect && status !== 200 && status !== 206 && status !== 416) {
        await response.body?.cancel();
        throw statusError(hub, response, url, what);
      }
      return {
        status: redirect ? 200 : status as Reply["status"],
        headers: response.headers,
        about,
        chunks: () => chunks(hub, response, stop, url),
        drop: () => response.body?.cancel() ?? Promise.resolve(),
      };
    }
    await response.body?.cancel();
    if (hops === MAX_REDIRECTS) {
      throw new HubError(
        "answer",
        `Cannot fetch ${what} as at most ${MAX_REDIRECTS} redirects are followed: ${
          hidden(hub, url.host)
        } gives another`,
      );
    }
    const next = redirectOf(hub, response, url, what);
    if (next.origin !== url.origin) home = false;
    url = next;
  }
}

/** The JSON at `path`, of at most 16 MiB. @throws {HubError} for anything else */
export async function requestJson(
  hub: HubConnection,
  path: string,
  what: string,
): Promise<unknown> {
  const reply = await request(hub, path, { what });
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of reply.chunks()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > 2 ** 24) {
      throw unexpectedResponse(hub, what, "its list of files is above 16 MiB");
    }
  }
  try {
    return JSON.parse(text + decoder.decode());
  } catch {
    const html = /^\s*</.test(text);
    throw unexpectedResponse(
      hub,
      what,
      html ? "it sends a page, maybe a login" : "it sends no JSON",
    );
  }
}

async function send(
  hub: HubConnection,
  url: URL,
  stop: AbortController,
  init: RequestInit,
): Promise<Response> {
  hub.signal?.throwIfAborted();
  const timer = setTimeout(() => stop.abort(new Error("no answer in time")), hub.timeout);
  const signal = hub.signal ? AbortSignal.any([stop.signal, hub.signal]) : stop.signal;
  try {
    return await hub.fetch(url, { ...init, signal });
  } catch (error) {
    hub.signal?.throwIfAborted();
    if ((error as Error).name === "NotCapable") {
      const host = hidden(hub, url.host);
      throw new HubError(
        "refused",
        `Cannot fetch from ${host} as this program may not use it: start it with ` +
          `--allow-net=${host}, or a wider --allow-net`,
        { cause: error },
      );
    }
    throw new RetryableError(
      "unreachable",
      `Cannot reach ${hidden(hub, url.origin)}: ${textOf(hub, error)}`,
      {
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

async function* chunks(
  hub: HubConnection,
  response: Response,
  stop: AbortController,
  url: URL,
): AsyncGenerator<Uint8Array> {
  let lately = 0;
  const watch = setInterval(() => {
    if (lately < MIN_BYTES) stop.abort(new Error("it all but stopped"));
    lately = 0;
  }, hub.timeout);
  try {
    for await (const chunk of response.body ?? []) {
      lately += chunk.length;
      yield chunk;
    }
  } catch (error) {
    hub.signal?.throwIfAborted();
    throw new RetryableError(
      "unreachable",
      `Cannot finish a download from ${hidden(hub, url.origin)} as it was cut off: ${
        textOf(hub, error)
      }`,
      { cause: error },
    );
  } finally {
    clearInterval(watch);
  }
}

function redirectOf(hub: HubConnection, response: Response, from: URL, what: string): URL {
  const location = response.headers.get("location");
  const fail = (fault: string): never => {
    throw new HubError(
      "answer",
      `Cannot fetch ${what} as ${hidden(hub, from.host)} redirects ${excerpt(hidden(hub, fault))}`,
    );
  };
  if (!location || !URL.canParse(location, from.href)) return fail("to no address");
  const url = new URL(location, from.href);
  if (url.protocol !== "https:" && url.protocol !== "http:") fail(`to ${url.protocol}`);
  if (from.protocol === "https:" && url.protocol !== "https:") {
    fail(`from https to http, on ${url.host}, where anyone on the way can read and change it`);
  }
  if (url.username || url.password) fail(`to an address with a password in it, on ${url.host}`);
  return url;
}

const textOf = (hub: HubConnection, error: unknown): string => {
  if (!(error instanceof Error)) return hidden(hub, String(error));
  const why = error.cause instanceof Error ? `, ${error.cause.message}` : "";
  return excerpt(hidden(hub, error.message + why), 500);
};
