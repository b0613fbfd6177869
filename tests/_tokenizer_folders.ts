/** The folders of `tests/fixtures/tokenizer_folders.py`, without a disk. @module */
import type { FolderSource } from "../model/files/folder_source.ts";
import fixture from "./fixtures/tokenizer_folders.json" with { type: "json" };

/** What Python makes of a text. */
export interface Row {
  ids: string;
  /** Decoded with special tokens; absent: as it was encoded. */
  special?: string;
  /** Decoded without; absent: the same. */
  text?: string;
  /** Python drops what has no token in silence. */
  lost?: true;
}

/** A folder, and what Python makes of it. */
export interface Folder {
  files: Record<string, unknown>;
  rows: Row[];
  eos: number | null;
  special_ids: number[];
  all: string;
  ends?: number | number[] | null;
  vocab_size?: number;
}

const { versions: _, shared, texts: given, gpt2: rows, ...rest } = fixture as unknown as
  & { versions: unknown; texts: string[]; gpt2: string[]; shared: Record<string, unknown> }
  & Record<string, Folder>;
/** What every folder's tokenizer encodes. */
export const texts = given;
/** Ids of the texts under GPT-2's own vocabulary. */
export const gpt2 = rows;
export const folders: Readonly<Record<string, Folder>> = rest;

/** A value in which what several folders have stands by its name. */
export function whole(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if ("$shared" in value) return shared[value.$shared as string];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, whole(one)]));
}

/** The files of a fixture, in place of a folder on the disk. */
export function folderOf(name: string, files: Record<string, unknown>): FolderSource {
  return {
    path: name,
    readText: (file) => {
      if (!Object.hasOwn(files, file)) return Promise.resolve(undefined);
      const value = whole(files[file]);
      return Promise.resolve(typeof value === "string" ? value : JSON.stringify(value));
    },
    openRange: () => Promise.resolve(undefined),
    list: () => Promise.resolve(Object.keys(files)),
    named: () => Promise.resolve({ missing: "none" }),
  };
}
