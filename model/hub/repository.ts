/**
 * One repository of the hub at one commit: what files it has, and each of them into the cache.
 *
 * A revision is resolved to a commit once, then every file is asked for by commit. Nothing gets a
 * final name before its hash has been checked.
 * @module
 */
import * as z from "npm:zod@4.6.7";
import { makeFolders } from "../files/disk.ts";
import { type CachePaths, isCommit, linkSnapshot, type Snapshot, writeRef } from "./cache.ts";
import { type HubConnection, request, requestJson } from "./client.ts";
import { fetchFile } from "./download.ts";
import { HubError, unexpectedResponse } from "./errors.ts";
import { REPOS } from "./names.ts";
import { isWhole, type RemoteFile, sweep } from "./partial_file.ts";
import { retrying } from "./retry.ts";
import type { HubOptions } from "./settings.ts";

/** One file of it. */
export interface FetchedFile {
  name: string;
  /** Bytes. */
  size: number;
  /** Bytes that came over the network, 0 for a file that was there. */
  arrived: number;
}

/** A repository at a commit. */
export interface Repository extends Snapshot {
  readonly hub: HubConnection;
  /** Paths of all its files, none of which leads out of it. */
  readonly names: ReadonlySet<string>;
  /** Its folder in the cache. */
  readonly home: string;
}

const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const infoSchema = z.looseObject({
  sha: z.string().refine(isCommit),
  siblings: z.array(z.looseObject({ rfilename: z.string() })).max(100_000),
});

/** Asks what a revision is now, and makes its folders in the cache. @throws {HubError} */
export async function openRepository(
  hub: HubConnection,
  { given, id, revision, home }: CachePaths,
): Promise<Repository> {
  hub.step?.(`asking ${hub.endpoint} for ${id}@${revision}`);
  const { commit, names } = await resolveRevision(hub, id, revision);
  const folder = `${home}/snapshots/${commit}`;
  for (const needed of [`${home}/blobs`, folder]) await makeInCache(needed, home);
  return { hub, given, id, revision, commit, names, home, folder };
}

/** Removes what is orphaned. */
export const sweepRepository = ({ home }: Repository): Promise<void> => sweep(`${home}/blobs`);

/** Says in the cache which commit the revision is; all that is wanted of it must be there. */
export async function keepRevision({ home, revision, commit }: Repository): Promise<void> {
  if (revision !== commit) await writeRef(`${home}/refs/${revision}`, commit);
}

/** The commit that a revision is now, and the paths of its files. */
async function resolveRevision(
  hub: HubConnection,
  id: string,
  revision: string,
): Promise<{ commit: string; names: Set<string> }> {
  const what = `${id}@${revision}`;
  const api = `/api/${REPOS[hub.kind].plural}/${id}/revision/${encodeURIComponent(revision)}`;
  const parsed = infoSchema.safeParse(await retrying(hub, () => requestJson(hub, api, what)));
  if (!parsed.success) {
    throw unexpectedResponse(hub, what, "its JSON has no commit or list of files");
  }
  const { sha: commit, siblings } = parsed.data;
  if (isCommit(revision) && commit !== revision) {
    throw unexpectedResponse(hub, what, `it gives commit ${commit} for another`);
  }
  const names = siblings.map(({ rfilename }) => rfilename);
  if (names.some(leadsOut)) {
    throw unexpectedResponse(hub, what, "its list of files has a path that leads out of it");
  }
  return { commit, names: new Set(names) };
}

/** Whether a path could be that of a file elsewhere; git has no such paths. */
const leadsOut = (path: string): boolean =>
  path.split(/[/\\]/).some((part) => part === "" || part === "." || part === "..") ||
  // deno-lint-ignore no-control-regex -- those are what is looked for
  /[\x00-\x1f]/.test(path);

async function makeInCache(folder: string, home: string): Promise<void> {
  await makeFolders(folder).catch((error: Error) => {
    if (error.name !== "NotCapable") throw error;
    throw new HubError(
      "refused",
      `Cannot write into ${home} as this program may not: start it with --allow-write, or set ` +
        `HF_HUB_CACHE to a folder that it may write into`,
    );
  });
}

/** Puts a file into the snapshot, where it is not whole there. @throws {HubError} */
export async function fetchInto(
  { hub, home, folder }: Repository,
  remote: RemoteFile,
  { onProgress }: Pick<HubOptions, "onProgress">,
): Promise<FetchedFile> {
  const { name, size, hash } = remote;
  if (await isWhole(`${folder}/${name}`, remote)) return { name, size, arrived: 0 };
  const blob = `${home}/blobs/${hash}`;
  const arrived = await isWhole(blob, remote)
    ? 0
    : await fetchFile(hub, remote, blob, (done) => onProgress?.({ file: name, done, size }));
  await linkSnapshot({ folder, name }, blob, remote);
  return { name, size, arrived };
}

/** Size and hash of a file, as the hub states them. @throws {HubError} */
export function describeFile(
  { hub, id, commit }: Repository,
  name: string,
): Promise<RemoteFile> {
  const parts = name.split("/").map(encodeURIComponent).join("/");
  const path = `${REPOS[hub.kind].page}/${id}/resolve/${commit}/${parts}`;
  const what = `${id}@${commit.slice(0, 8)} ${name}`;
  return retrying(hub, async () => {
    const { headers, about, drop } = await request(hub, path, { what, method: "HEAD" });
    await drop();
    const hash = (about.get("x-linked-etag") ?? headers.get("etag") ?? "")
      .replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
    const length = about.get("x-linked-size") ?? headers.get("content-length") ?? "";
    if (about.get("x-repo-commit") !== commit || !HASH.test(hash) || !/^\d{1,15}$/.test(length)) {
      throw unexpectedResponse(hub, what, "it gives no commit, hash and size of the file");
    }
    return { name, path, hash, size: Number(length) };
  });
}

/** A number of bytes for people. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** One line: what was fetched, from where, into which folder. */
export function repositoryLine(
  { given, id, revision, commit, folder, endpoint, files }: Snapshot & {
    endpoint: string;
    files: readonly FetchedFile[];
  },
): string {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const arrived = files.reduce((sum, file) => sum + file.arrived, 0);
  const name = given === id ? id : `${given} is now ${id}: ${id}`;
  return `${name}@${revision} (commit ${commit}) from ${endpoint}: ${files.length} files of ` +
    `${megabytes(total)}, ${megabytes(arrived)} of it downloaded now, in ${folder}`;
}
