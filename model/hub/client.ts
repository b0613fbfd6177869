/**
 * Requests to a model hub: redirects followed by hand, a token that stays with its host, retries that
 * end, and errors that say what to do.
 * @module
 */

/** What went wrong: a program may act on it, the message is for people. */
export type HubFault =
  | "name" // no name of a model
  | "missing" // the hub has no such model, revision or file
  | "refused" // private, gated, or a token that is not accepted
  | "unreachable" // no connection, or the hub is busy
  | "answer" // something that is not the hub answered
  | "damaged" // what came is not what the hub promised
  | "unsupported" // no weights that can be read
  | "offline"; // not in the cache, and the network may not be used

/** Raised for every download that ends without the model. */
export class HubError extends Error {
  override name = "HubError";
  constructor(readonly fault: HubFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** A fault that may be gone at the next try. */
export class PassingFault extends HubError {
  /** `wait`: milliseconds that the hub asks for. `progress`: the try brought a good part. */
  constructor(
    fault: HubFault,
    message: string,
    readonly more: { wait?: number; progress?: boolean; cause?: unknown } = {},
  ) {
    super(fault, message, { cause: more.cause });
  }
}

/** How the hub is talked to. */
export interface HubConnection {
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
}

/** An answer that is no redirect and no error. */
export interface Reply {
  readonly status: 200 | 206 | 416;
  readonly headers: Headers;
  /** What the hub says of a file, from the first answer on the way that says it; lower case names. */
  readonly about: ReadonlyMap<string, string>;
  /** The body, once; ends in a `PassingFault` where it is cut off or all but stops. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Drops the body. */
  drop(): Promise<void>;
}

const REDIRECTS = 5;
const LONGEST_WAIT = 60_000; // ms that a Retry-After may ask for
const LEAST = 1024; // bytes in one timeout: less counts as cut off
const ABOUT = ["x-repo-commit", "x-linked-etag", "x-linked-size"];

/** Runs `attempt` again after a `PassingFault`, with pauses, until tries are used up. */
export async function retrying<T>(hub: HubConnection, attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1;; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingFault)) throw error;
      const { fault, message, more: { wait, progress } } = error;
      if (progress) tried = 1;
      if (tried >= hub.tries) {
        throw new HubError(fault, `${message}. Gave up after ${tried} tries; try again later`, {
          cause: error,
        });
      }
      if (wait !== undefined && wait > LONGEST_WAIT) {
        throw new HubError(
          fault,
          `${message}, and asks to wait ${Math.ceil(wait / 1000)} seconds: try again then`,
          { cause: error },
        );
      }
      await sleep(Math.min(wait ?? hub.pause * 2 ** (tried - 1), LONGEST_WAIT), hub.signal);
    }
  }
}

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
        throw faultOf(hub, response, url, what);
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
    if (hops === REDIRECTS) {
      throw new HubError(
        "answer",
        `Cannot fetch ${what} as at most ${REDIRECTS} redirects are followed: ${url.host} gives another`,
      );
    }
    const next = redirectOf(response, url, what);
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
    if (text.length > 2 ** 24) throw notTheHub(hub, what, "its list of files is above 16 MiB");
  }
  try {
    return JSON.parse(text + decoder.decode());
  } catch {
    const html = /^\s*</.test(text);
    throw notTheHub(hub, what, html ? "it sends a page, maybe a login" : "it sends no JSON");
  }
}

/** Where something else than a hub answers. */
export function notTheHub(hub: HubConnection, what: string, found: string): HubError {
  return new HubError(
    "answer",
    `Cannot fetch ${what} as ${hub.endpoint} does not answer as a model hub does: ${found}. ` +
      `Check HF_ENDPOINT, and whether a proxy or login page stands in between`,
  );
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
    if (error instanceof Deno.errors.NotCapable) {
      throw new HubError(
        "refused",
        `Cannot fetch from ${url.host} as this program may not use it: start it with ` +
          `--allow-net=${url.host}, or a wider --allow-net`,
        { cause: error },
      );
    }
    throw new PassingFault("unreachable", `Cannot reach ${url.origin}: ${textOf(error)}`, {
      cause: error,
    });
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
    if (lately < LEAST) stop.abort(new Error("it all but stopped"));
    lately = 0;
  }, hub.timeout);
  try {
    for await (const chunk of response.body ?? []) {
      lately += chunk.length;
      yield chunk;
    }
  } catch (error) {
    hub.signal?.throwIfAborted();
    throw new PassingFault(
      "unreachable",
      `Cannot finish a download from ${url.origin} as it was cut off: ${textOf(error)}`,
      { cause: error },
    );
  } finally {
    clearInterval(watch);
  }
}

function redirectOf(response: Response, from: URL, what: string): URL {
  const location = response.headers.get("location");
  const fail = (fault: string): never => {
    throw new HubError("answer", `Cannot fetch ${what} as ${from.host} redirects ${fault}`);
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

function faultOf(hub: HubConnection, response: Response, url: URL, what: string): HubError {
  const { status } = response;
  const code = response.headers.get("x-error-code");
  const cannot = (fault: HubFault, text: string): HubError =>
    new HubError(fault, `Cannot fetch ${what} as ${text}`);
  if (code === "GatedRepo") {
    return cannot(
      "refused",
      `its authors ask for consent: accept their terms at ${hub.endpoint}/${what.split("@")[0]}, ` +
        `then set HF_TOKEN to a token of that account`,
    );
  }
  if (status === 401 || status === 403) {
    const cure = !hub.token
      ? "Check the name; for a private model set HF_TOKEN"
      : `Check the name, and that the token in ${hub.tokenFrom} is valid and may read it`;
    return cannot("refused", `${url.host} refuses it (${status}): none such, or private. ${cure}`);
  }
  if (status === 404 || status === 410) {
    return code === "RevisionNotFound"
      ? cannot("missing", `it has no such revision: name a branch, tag or commit behind the @`)
      : cannot("missing", `${url.host} has no such model or file (${status}): check the name`);
  }
  if (status === 408 || status === 429 || status >= 500) {
    const why = status === 429 ? "too many requests" : "it has trouble";
    return new PassingFault(
      "unreachable",
      `Cannot fetch ${what} as ${url.host} says: ${why} (${status})`,
      {
        wait: waitOf(response.headers.get("retry-after")),
      },
    );
  }
  return cannot("answer", `${url.host} answers with status ${status}`);
}

/** Milliseconds of a Retry-After, which is seconds or a date. */
function waitOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const why = error.cause instanceof Error ? `, ${error.cause.message}` : "";
  return error.message + why;
};

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => (clearTimeout(timer), reject(signal?.reason));
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
