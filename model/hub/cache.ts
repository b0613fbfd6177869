/**
 * The hub's cache, which Python's libraries share: `models--OWNER--NAME/` or `datasets--OWNER--NAME/`, with
 * `refs/` (branch to commit), `blobs/` (files by hash) and `snapshots/COMMIT/` (links to blobs, by name).
 * @module
 */
import { dirname } from "node:path";
import { shown } from "../../base/excerpt.ts";
import { readIfThere } from "../files/deno_folder.ts";
import { makeFolders, replaceFile } from "../files/disk.ts";
import { HubError } from "./errors.ts";
import { type HubName, hubName, type RepoKind, REPOS } from "./names.ts";
import { isWhole, type RemoteFile } from "./partial_file.ts";
import { ADAPTER, ADAPTER_WEIGHTS, baseOf, hasAll, isModel } from "./parts.ts";
import { cacheFolder, type HubOptions } from "./settings.ts";

const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a revision is a commit: 40 hexadecimal digits. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/** A model in the cache, every file of it whole. */
export interface HubModel {
  /** As it was asked for, without revision: `id`, or an old name of it such as gpt2. */
  readonly given: string;
  readonly id: string;
  readonly revision: string;
  /** What the revision was resolved to, 40 hexadecimal digits. */
  readonly commit: string;
  /** The snapshot: config.json, weights and tokenizer by their names; or what PEFT saved. */
  readonly folder: string;
  /** Of an adapter: the model that it is for. */
  readonly base?: HubModel;
}

/**
 * The model as it is in the cache; undefined where it is not, or not all of it: an adapter of which the
 * base is missing is not. Opens no connection.
 */
export function cachedModel(
  model: string,
  options: HubOptions = {},
): Promise<HubModel | undefined> {
  return cachedOne(model, options);
}

async function cachedOne(
  model: string,
  options: HubOptions,
  adapter?: string,
): Promise<HubModel | undefined> {
  const paths = cachePaths(model, options);
  for await (const found of snapshots(paths)) {
    const { folder } = found;
    if (await isModel(folder)) return found;
    if (adapter || !await hasAll(folder, [ADAPTER, ADAPTER_WEIGHTS])) continue;
    const base = await cachedOne(await baseOf(folder, model), options, model);
    if (base) return { ...found, base };
  }
}

/** A repository at a commit, as the cache may have it. */
export type Snapshot = Pick<HubModel, "given" | "id" | "revision" | "commit" | "folder">;

/** The snapshots of what a revision was when it was fetched; their folders may not be there. */
export async function* snapshots(
  { given, id, revision, homes }: CachePaths,
): AsyncGenerator<Snapshot> {
  for (const home of homes) {
    const commit = isCommit(revision) ? revision : await readRef(`${home}/refs/${revision}`);
    if (!isCommit(commit)) continue;
    yield { given, id, revision, commit, folder: `${home}/snapshots/${commit}` };
  }
}

/** A name in parts, and its folders in the cache. */
export type CachePaths = HubName & { home: string; homes: string[] };

/** The folders of a repository in the cache: `home`, or for one with an old name either of `homes`. */
export function cachePaths(
  given: string,
  { cache }: HubOptions,
  kind: RepoKind = "model",
): CachePaths {
  const name = hubName(given, kind), { noun, plural, example } = REPOS[kind];
  if (!name) {
    throw new HubError(
      "name",
      `Cannot fetch ${shown(given)} as a ${noun} of the hub is owner/name or ` +
        `owner/name@revision, e.g. ${example}`,
    );
  }
  const root = cache ?? cacheFolder();
  const homes = [...new Set([name.id, name.given])] // Python's library has it under the name it was given
    .map((id) => `${root}/${plural}--${id.replace("/", "--")}`);
  return { ...name, home: homes[0], homes };
}

/** Makes `path` lead to the blob, as a symbolic link where that is allowed, else as a hard link. */
export async function linkSnapshot(
  { folder, name }: { folder: string; name: string },
  blob: string,
  remote: RemoteFile,
): Promise<void> {
  const path = `${folder}/${name}`, above = "../".repeat(name.split("/").length - 1);
  if (above !== "") await makeFolders(dirname(path));
  for (let tried = 1;; tried++) {
    try {
      const target = `${above}../../blobs/${remote.hash}`;
      return await Deno.symlink(target, path).catch((error) => {
        if (error instanceof Deno.errors.AlreadyExists) throw error;
        return Deno.link(blob, path);
      });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (await isWhole(path, remote)) return; // another process was first
      if (tried > 2) throw error;
      await Deno.remove(path).catch(() => {});
    }
  }
}

/** Writes which commit a branch or tag is. */
export async function writeRef(path: string, commit: string): Promise<void> {
  if (await readRef(path) === commit) return;
  await makeFolders(dirname(path));
  await replaceFile(path, commit);
}

/** What a ref says; empty where it is not there or cannot be read. */
const readRef = async (path: string): Promise<string> =>
  (await readIfThere(path).catch(() => undefined) ?? "").trim();
