/** Settings of the hub that are read from the environment, as Python's library reads them. @module */
import type { HubConnection } from "./client.ts";
import { HubError } from "./errors.ts";

/** What is not given is read from the environment. */
export interface HubOptions {
  /** HF_ENDPOINT, else https://huggingface.co. */
  endpoint?: string;
  /**
   * HF_TOKEN, else what the file at HF_TOKEN_PATH holds, else `token` in HF_HOME, where
   * `huggingface-cli login` puts it; sent to the endpoint's origin only. Empty for none.
   */
  token?: string;
  /** HF_HUB_CACHE, else hub/ in HF_HOME, else ~/.cache/huggingface/hub. */
  cache?: string;
  /** HF_HUB_OFFLINE: no connection is opened. */
  offline?: boolean;
  /** Tries in a row that bring nothing, 1 or more. Default 5. */
  tries?: number;
  /** Milliseconds before the second try, doubled before each further one. Default 500. */
  pause?: number;
  /** Milliseconds in which an answer begins, and each next KiB of it arrives. Default 30,000. */
  timeout?: number;
  /** Default the runtime's own; one with a client of its own knows other certificates or proxies. */
  fetch?: typeof fetch;
  signal?: AbortSignal;
  /** Called as bytes arrive. */
  onProgress?: (progress: HubProgress) => void;
}

/** How far a download is. */
export interface HubProgress {
  readonly file: string;
  /** Bytes of the file that are here, and of how many. */
  readonly done: number;
  readonly size: number;
}

export const isOffline = ({ offline }: HubOptions): boolean =>
  offline ?? /^(?:1|true|yes|on)$/i.test(variable("HF_HUB_OFFLINE") ?? "");

/** The hub's address. @throws {HubError} when it is none */
export function endpointOf(options: HubOptions): URL & { readonly text: string } {
  const text = (options.endpoint ?? variable("HF_ENDPOINT") ?? "https://huggingface.co")
    .replace(/\/+$/, "");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search) {
    throw new HubError(
      "name",
      `Cannot use HF_ENDPOINT as it must be an address like https://huggingface.co`,
    );
  }
  return Object.assign(url, { text });
}

/** Whether a download may use the network: not offline, and permitted to reach the endpoint. */
export function mayDownload(options: HubOptions = {}): boolean {
  if (isOffline(options)) return false;
  const { host } = endpointOf(options);
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
}

/** All that a request needs. @throws {HubError} when the address or the token cannot be used */
export function connection(options: HubOptions): HubConnection {
  const url = endpointOf(options);
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  const shown = url.protocol === "http:" && !local; // to anyone on the way
  const set = (options.token ?? variable("HF_TOKEN"))?.trim();
  if (set && shown) {
    throw new HubError(
      "refused",
      `Cannot send a token to ${url.origin} as http shows it to anyone on the way: use https, or unset HF_TOKEN`,
    );
  }
  const found = set !== undefined
    ? { token: set, tokenFrom: "HF_TOKEN" }
    : shown
    ? undefined
    : savedToken();
  const token = found?.token || undefined;
  if (token && !/^[\x21-\x7e]+$/.test(token)) {
    throw new HubError(
      "refused",
      `Cannot use ${found!.tokenFrom} as a token has no spaces or line breaks`,
    );
  }
  const { tries = 5, pause = 500, timeout = 30_000, signal } = options;
  const say = token ? { token, tokenFrom: found!.tokenFrom } : {};
  return {
    endpoint: url.text,
    ...say,
    tries,
    pause,
    timeout,
    signal,
    fetch: options.fetch ?? fetch,
  };
}

/** The token that a login has left on this machine, and its file. */
function savedToken(): { token: string; tokenFrom: string } | undefined {
  const root = rootFolder();
  const given = variable("HF_TOKEN_PATH");
  const path = given ? atHome(given) : root && `${root}/token`;
  if (!path) return undefined;
  try {
    return { token: Deno.readTextFileSync(path).trim(), tokenFrom: path };
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.NotCapable;
    if (isAbsent) return undefined;
    throw new HubError("refused", `Cannot read the token in ${path}: ${(error as Error).name}`);
  }
}

/** The folder of all models. @throws {HubError} when the environment does not tell */
export function cacheFolder(): string {
  const root = rootFolder();
  const hub = variable("HF_HUB_CACHE") ?? (root && `${root}/hub`);
  if (!hub) {
    throw new HubError(
      "offline",
      "Cannot find the hub's cache as neither HF_HOME nor HOME can be read: set one, and allow it by --allow-env",
    );
  }
  return atHome(hub);
}

/** HF_HOME, else huggingface/ in the user's cache. */
function rootFolder(): string | undefined {
  const home = homeFolder();
  const base = variable("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  const root = variable("HF_HOME") ?? (base && `${base}/huggingface`);
  return root && atHome(root);
}

const homeFolder = (): string | undefined => variable("HOME") ?? variable("USERPROFILE");
const atHome = (path: string): string => path.replace(/^~(?=[/\\]|$)/, homeFolder() ?? "~");

/** A variable of the environment; undefined where it is empty or may not be read. */
function variable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") {
    return undefined;
  }
  return Deno.env.get(name) || undefined;
}
