/** Bytes of a file by path or address, read alike in Deno and in a browser. @module */
import { isRemoteAsset, readRemoteAsset } from "./assets.ts";

/** A full path as an address. @throws {TypeError} for a relative path */
function addressOf(file: string | URL): URL {
  if (file instanceof URL) return file;
  if (/^[a-z]{2,}:/i.test(file)) return new URL(file);
  const escaped = file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  if (escaped.startsWith("/")) return new URL(`file://${escaped}`);
  if (/^[A-Za-z]%3A\//.test(escaped)) return new URL(`file:///${escaped.replace("%3A", ":")}`);
  throw new TypeError(
    `Cannot read ${file} as it must be a full path or an address: give new URL("${file}", import.meta.url)`,
  );
}

/**
 * The bytes of `file`; `what` is what errors call it.
 * @throws {Error} "Cannot read WHAT: why" where it is not there or the server does not give it
 */
export async function readBytes(file: string | URL, what: string): Promise<Uint8Array> {
  const address = addressOf(file);
  const asset = isRemoteAsset(address) ? await readRemoteAsset(address) : undefined;
  if (asset) return asset;
  let response: Response;
  try {
    response = await fetch(address);
  } catch (error) {
    const { name, message } = error as Error;
    const isAbsent = address.protocol === "file:" && name !== "NotCapable";
    const why = isAbsent ? "there is no such file" : message;
    throw new Error(`Cannot read ${what}: ${why}`, { cause: error });
  }
  if (!response.ok) throw new Error(`Cannot read ${what}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
