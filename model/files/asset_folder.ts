/** A model that ships with the project, where its modules were imported from a server. @module */
import { assetsBelow, isRemoteAsset, readRemoteAsset } from "../../base/assets.ts";
import type { FolderSource, RangeFile } from "./folder_source.ts";

/** The folder at `address` in `assets/` of that server; undefined for any other path or address. */
export function assetFolder(address: string): FolderSource | undefined {
  if (!isRemoteAsset(address)) return undefined;
  const path = address.replace(/\/$/, "");
  const read = (name: string) => readRemoteAsset(new URL(`${path}/${name}`));
  return {
    path,
    readText: async (name) => {
      const bytes = await read(name);
      return bytes && new TextDecoder().decode(bytes);
    },
    openRange: async (name) => {
      const bytes = await read(name);
      return bytes && new HeldFile(bytes);
    },
    list: () =>
      Promise.resolve(assetsBelow(`${path}/`).map((url) => url.slice(path.length + 1)).sort()),
    named: (name) =>
      Promise.resolve({ missing: `${JSON.stringify(name)} is not one of the project's models` }),
  };
}

/** A file of which all bytes are in memory. */
class HeldFile implements RangeFile {
  constructor(readonly bytes: Uint8Array) {}

  get size(): number {
    return this.bytes.length;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    const part = this.bytes.subarray(at, at + into.length);
    into.set(part);
    return Promise.resolve(part.length);
  }

  [Symbol.dispose](): void {}
}
