/**
 * Files that ship with the project, in `assets/` beside its modules. Where the modules were imported
 * from a server, a file is fetched from there once, compared with its SHA-256, and kept in the runtime's
 * cache, which needs no permission to be read or written.
 * @module
 */
import sums from "../assets/sums.json" with { type: "json" };

const FOLDER = new URL("../assets/", import.meta.url);
const CACHE = "plainrl-assets";

/** The address of a file, or with a slash at its end of a folder, of `assets/`. */
export const assetUrl = (name: string): URL => new URL(name, FOLDER);

/** True for an address in `assets/` on the server that the modules were imported from. */
export const isRemoteAsset = (address: string | URL): boolean =>
  FOLDER.protocol !== "file:" && String(address).startsWith(FOLDER.href);

/** Addresses of the files that programs read, those below `folder` alone. */
export const assetsBelow = (folder: string | URL): string[] =>
  Object.keys(sums).map((name) => assetUrl(name).href).filter((url) => url.startsWith(`${folder}`));

/**
 * The bytes of a file that `isRemoteAsset`; undefined where there is no such file.
 * @throws {Error} when the server may not be asked, does not give it, or gives another file
 */
export async function readRemoteAsset(url: URL): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const want = (sums as Record<string, string>)[url.href.slice(FOLDER.href.length)];
  if (want === undefined) return undefined;
  // A browser has neither cache nor hashes on a page that came by plain http.
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  const kept = await cache?.match(url).then((found) => found?.arrayBuffer()).catch(() => undefined);
  if (kept && await isOf(kept, want)) return new Uint8Array(kept);
  const bytes = await fetched(url);
  if (!await isOf(bytes, want)) {
    throw new Error(
      `Cannot use ${url} as it must be of the same version as the modules beside it: its SHA-256 ` +
        "differs. Fix: run once with --reload",
    );
  }
  await cache?.put(url, new Response(bytes)).catch(() => {}); // a full disk: fetched again next time
  return new Uint8Array(bytes);
}

async function isOf(bytes: ArrayBuffer, want: string): Promise<boolean> {
  const hash = await globalThis.crypto?.subtle?.digest("SHA-256", bytes);
  return hash === undefined || new Uint8Array(hash).toHex() === want;
}

async function fetched(url: URL): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    const { name, message } = error as Error;
    const why = name === "NotCapable"
      ? `the program may not ask it. Fix: add --allow-net=${url.host}`
      : message;
    throw new Error(
      `Cannot read ${url} as it must come from the server that the modules came from: ${why}`,
      { cause: error },
    );
  }
  if (response.ok) return await response.arrayBuffer();
  await response.body?.cancel();
  throw new Error(`Cannot read ${url} as the server must give it: it answers ${response.status}`);
}
