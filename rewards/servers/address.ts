/** Addresses of servers: `https://host/v1`, without anything that must stay secret. @module */

/** Beginnings of keys of well-known services, which some put into a path. */
const LIKE_A_KEY = /^(?:sk-|hf_|gsk_|xai-|pk-|AIza)[\w-]{8,}$/;

/** Whether a setting's value is meant to be an address. */
export const isAddress = (value: unknown): value is string =>
  typeof value === "string" && /^https?:/i.test(value);

/** Whether a request never leaves this machine. */
export const isLoopback = ({ hostname }: URL): boolean =>
  /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);

/**
 * The address without a slash at its end. What was given is never repeated in an error: it may hold a key.
 * @param setting what the address was given as, for errors
 * @throws {TypeError} for what is no address of http or https, or holds more than host and path
 */
export function serverAddress(text: string, setting: string): URL {
  const cannot = (rule: string) => new TypeError(`Cannot use ${setting} as ${rule}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw cannot("a server's address is like https://host/v1: this is none");
  }
  const isKey = url.pathname.split("/").some((part) => LIKE_A_KEY.test(part));
  if (url.username || url.password || url.search || url.hash || isKey) {
    throw cannot(
      "its address must be host and path alone, as addresses are kept in config.json: it holds a " +
        "name, a password, a key or a query. Put the key into the environment, see docs/servers.md",
    );
  }
  const path = url.pathname.replace(/\/+$/, "");
  const [, end] = /(\/chat\/completions|\/completions|\/embeddings)$/.exec(path) ?? [];
  if (end !== undefined) {
    throw cannot(`its address ends before ${end}, which requests add: leave that part out`);
  }
  return new URL(url.origin + path);
}

/** The address as text, to which a path is added. */
export const baseOf = (address: URL): string => address.href.replace(/\/$/, "");
