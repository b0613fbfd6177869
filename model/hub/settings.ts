/** Settings of the hub that are read from the environment, as Python's library reads them. @module */
import type { HubConnection } from "./client.ts";
import { HubError } from "./errors.ts";
import type { RepoKind } from "./names.ts";

/** What is not given is read from the environment. */
export interface HubOptions {
  /** HF_ENDPOINT, else https://huggingface.co. */
  endpoint?: string;
  /**
   * HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else what the file at HF_TOKEN_PATH holds, else `token` in HF_HOME, where
   * `huggingface-cli login` puts it; sent to the endpoint's origin only. Empty for none.
   */
  token?: string;
  /** HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else hub/ in HF_HOME, else ~/.cache/huggingface/hub. */
  cache?: string;
  /** HF_HUB_OFFLINE, else TRANSFORMERS_OFFLINE: no connection is opened. */
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
  /** Called with a line for people: whom is asked, and why it is asked again. */
  onStep?: (line: string) => void;
}

/** How far a download is. */
export interface HubProgress {
  readonly file: string;
  /** Bytes of the file that are here, and of how many. */
  readonly done: number;
  readonly size: number;
}

export const isOffline = ({ offline }: HubOptions): boolean =>
  offline ??
    /^(?:1|true|yes|on)$/i.test(
      variable("HF_HUB_OFFLINE") ?? variable("TRANSFORMERS_OFFLINE") ?? "",
    );

/** The hub's address. @throws {HubError} when it is none */
function endpointOf(options: HubOptions): URL & { readonly text: string } {
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
export function connection(options: HubOptions, kind: RepoKind = "model"): HubConnection {
  const url = endpointOf(options);
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  const shown = url.protocol === "http:" && !local; // to anyone on the way
  const name = variable("HF_TOKEN") === undefined ? "HUGGING_FACE_HUB_TOKEN" : "HF_TOKEN";
  const set = (options.token ?? variable(name))?.trim();
  if (set && shown) {
    throw new HubError(
      "refused",
      `Cannot send a token to ${url.origin} as http shows it to anyone on the way: use https, or unset ${name}`,
    );
  }
  const found = set !== undefined
    ? { token: set, tokenFrom: options.token === undefined ? name : "HF_TOKEN" }
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
  const { tries = 5, pause = 500, timeout = 30_000, signal, onStep: step } = options;
  const say = token ? { token, tokenFrom: found!.tokenFrom } : {};
  return {
    kind,
    endpoint: url.text,
    ...say,
    tries,
    pause,
    timeout,
    signal,
    step,
    fetch: options.fetch ?? fetch,
  };
}

/** Where a login leaves the token. */
export function tokenFile(): string | undefined {
  const given = variable("HF_TOKEN_PATH");
  if (given) return written(given, "HF_TOKEN_PATH");
  const root = rootFolder();
  return root && written(`${root}/token`, "HF_HOME");
}

/** The token that a login has left on this machine, and its file. */
function savedToken(): { token: string; tokenFrom: string } | undefined {
  const path = tokenFile();
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

/** The folder of all models and data sets. @throws {HubError} when the environment does not tell */
export function cacheFolder(): string {
  for (const name of ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]) {
    const hub = variable(name);
    if (hub) return written(hub, name);
  }
  const root = rootFolder();
  if (root) return written(`${root}/hub`, "HF_HOME"); // twice, as there
  throw new HubError(
    "offline",
    "Cannot find the hub's cache as neither HF_HOME nor HOME can be read: set one, and allow it by --allow-env",
  );
}

/** HF_HOME, else huggingface/ in the user's cache. */
function rootFolder(): string | undefined {
  const root = variable("HF_HOME");
  if (root) return written(root, "HF_HOME");
  const [home, cache] = [homeFolder(), variable("XDG_CACHE_HOME")];
  if (cache) return written(`${cache}/huggingface`, "XDG_CACHE_HOME");
  return home && `${home}/.cache/huggingface`;
}

const homeFolder = (): string | undefined => variable("HOME") ?? variable("USERPROFILE");

/**
 * A path as the variable `from` has it, read as Python's library reads it: ~ is the home folder, then $NAME
 * and ${NAME} are variables; those that are not set stay as they are.
 * @throws {HubError} when the program may not read one of them
 */
function written(path: string, from: string): string {
  return path.replace(/^~(?=[/\\]|$)/, () => homeFolder() ?? "~")
    .replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, plain, braced) => {
      const name = plain ?? braced;
      if (name === "" || name.includes("=") || name.includes("\0")) return whole;
      if (mayRead(name)) return Deno.env.get(name) ?? whole;
      throw new HubError(
        "offline",
        `Cannot find the hub's cache as ${from} names ${whole}, which this program may not read: ` +
          `start it with --allow-env, or write the folder out in ${from}`,
      );
    });
}

const mayRead = (name: string): boolean =>
  Deno.permissions.querySync({ name: "env", variable: name }).state === "granted";

/** A variable of the environment; undefined where it is empty or may not be read. */
const variable = (name: string): string | undefined =>
  mayRead(name) ? Deno.env.get(name) || undefined : undefined;
