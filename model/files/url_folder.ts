/** Folders of the web, for programs that have no disk: ranges where the server gives them. @module */
import { type FolderSource, hasFile, type MissingFolder, type RangeFile } from "./folder_source.ts";

/** How a folder of the web is read. */
export interface UrlFolderOptions {
  /** Names in it, for `list`: a server lists none. */
  names?: readonly string[];
  /** Default the runtime's own. */
  fetch?: typeof fetch;
}

const WINDOW = 2 ** 20; // bytes asked for at a time, and held

/**
 * The folder at `url`, http or https. A file with status 404 or 410 is not there; where the server gives
 * no ranges, a file is held as a whole while it is open.
 * @throws {TypeError} when the address is not one of the web
 */
export function urlFolder(url: string | URL, options: UrlFolderOptions = {}): FolderSource {
  const base = new URL(url);
  if (base.protocol !== "http:" && base.protocol !== "https:") {
    throw new TypeError(
      `Cannot read a folder of the web as its address must begin with http: it is ${base.href}`,
    );
  }
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const get = options.fetch ?? fetch;
  const folder: FolderSource = {
    path: base.href.replace(/\/$/, ""),
    readText: async (name) => await (await ask(get, new URL(name, base)))?.text(),
    openRange: (name) => openUrl(get, new URL(name, base)),
    list: () => {
      if (options.names) return Promise.resolve([...options.names].sort());
      const error = new Error(`Cannot list ${base.href} as a server gives no names: state them`);
      return Promise.reject(error);
    },
    named: (name) => named(base, name, options),
  };
  return folder;
}

/** A folder of the same server: a file from anywhere must not make a tab ask others. */
async function named(
  base: URL,
  name: string,
  options: UrlFolderOptions,
): Promise<FolderSource | MissingFolder> {
  const url = URL.canParse(name, base.href) ? new URL(name, base) : undefined;
  if (url?.origin === base.origin) {
    const found = urlFolder(url, { fetch: options.fetch });
    if (await hasFile(found, "config.json")) return found;
  }
  return {
    missing: `${JSON.stringify(name)} is not on ${base.origin}: ` +
      "set base_model_name_or_path to its address beside the adapter",
  };
}

/**
 * One answer, which may be a part only where `headers` ask for one; undefined where there is no such file.
 * @throws {Error} for an answer that is neither the file nor "not found"
 */
async function ask(
  get: typeof fetch,
  url: URL,
  headers: Record<string, string> = {},
): Promise<Response | undefined> {
  const response = await get(url, { headers });
  const { status } = response;
  if (status === 200 || (headers.range && (status === 206 || status === 416))) return response;
  await response.body?.cancel();
  if (status === 404 || status === 410) return undefined;
  throw new Error(`Cannot read ${url} as the server must give the file: it answers ${status}`);
}

async function openUrl(get: typeof fetch, url: URL): Promise<RangeFile | undefined> {
  const response = await ask(get, url, { range: `bytes=0-${WINDOW - 1}` });
  if (!response) return undefined;
  const place = placeOf(response);
  if (response.status === 416 && place?.size === 0) {
    await response.body?.cancel();
    return new UrlFile(get, url, { size: 0, etag: null }, new Uint8Array(0));
  }
  if (response.status === 206 && place?.begin === 0) {
    const etag = response.headers.get("etag");
    const bytes = await bodyOf(response, url, Math.min(WINDOW, place.size));
    return new UrlFile(get, url, { size: place.size, etag }, bytes);
  }
  let whole: Response | undefined = response;
  if (response.status !== 200) { // a part whose place it does not say
    await response.body?.cancel();
    whole = await ask(get, url);
    if (!whole) return undefined;
  }
  const bytes = new Uint8Array(await whole.arrayBuffer());
  return new UrlFile(get, url, { size: bytes.length, etag: null }, bytes);
}

/** What Content-Range says: first byte of the part, bytes of the file. */
function placeOf({ headers }: Response): { begin: number; size: number } | undefined {
  const [, begin, size] = headers.get("content-range")?.match(/^bytes (\d+-\d+|\*)\/(\d+)$/) ?? [];
  if (size === undefined || !Number.isSafeInteger(Number(size))) return undefined;
  return { begin: parseInt(begin), size: Number(size) };
}

/** A body that must have `length` bytes; of one that has more, no more than these is ever held. */
async function bodyOf(
  response: Response,
  url: URL,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const chunk of response.body ?? []) {
    if (at + chunk.length > length) {
      throw new Error(`Cannot read ${url} as a part of ${length} bytes was asked for: more came`);
    }
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at === length) return bytes;
  throw new Error(`Cannot read ${url} as a part of ${length} bytes was asked for: ${at} came`);
}

/** An open file, of which the bytes of one window are held. */
class UrlFile implements RangeFile {
  readonly size: number;
  #etag: string | null;
  #bytes: Uint8Array<ArrayBuffer>;
  #begin = 0; // of these bytes

  constructor(
    readonly get: typeof fetch,
    readonly url: URL,
    { size, etag }: { size: number; etag: string | null },
    bytes: Uint8Array<ArrayBuffer>,
  ) {
    this.size = size;
    this.#etag = etag;
    this.#bytes = bytes;
  }

  async read(into: Uint8Array<ArrayBuffer>, at: number): Promise<number> {
    const length = Math.max(0, Math.min(into.length, this.size - at));
    for (let done = 0; done < length;) {
      const from = at + done - this.#begin;
      if (from < 0 || from >= this.#bytes.length) {
        await this.#move(at + done);
        continue;
      }
      const part = this.#bytes.subarray(from, from + length - done);
      into.set(part, done);
      done += part.length;
    }
    return length;
  }

  [Symbol.dispose](): void {
    this.#bytes = new Uint8Array(0);
  }

  /** Fetches the window that begins at `begin`. */
  async #move(begin: number): Promise<void> {
    const { get, url, size } = this;
    const end = Math.min(begin + WINDOW, size);
    const response = await ask(get, url, { range: `bytes=${begin}-${end - 1}` });
    const place = response && placeOf(response);
    const same = response?.status === 206 && place?.begin === begin && place.size === size &&
      response.headers.get("etag") === this.#etag;
    if (!same) {
      await response?.body?.cancel();
      throw new Error(`Cannot read ${url} as the file must stay as it is: it changed meanwhile`);
    }
    this.#bytes = await bodyOf(response, url, end - begin);
    this.#begin = begin;
  }
}
