/**
 * Models of the Hugging Face hub, downloaded into the hub's own cache (`cache.ts`).
 *
 * A revision is resolved to a commit once, then every file is asked for by commit. Nothing gets a
 * final name before its hash has been checked.
 * @module
 */
import * as z from "npm:zod@4.6.7";
import { makeFolders } from "../files/disk.ts";
import {
  cachedModel,
  cachePaths,
  type HubModel,
  isCommit,
  linkSnapshot,
  writeRef,
} from "./cache.ts";
import { type HubConnection, request, requestJson } from "./client.ts";
import { fetchFile } from "./download.ts";
import { HubError, unexpectedResponse } from "./errors.ts";
import { isWhole, type RemoteFile, sweep } from "./partial_file.ts";
import { ADAPTER, ADAPTER_WEIGHTS, baseOf, INDEX, shardsOf, wanted, WEIGHTS } from "./parts.ts";
import { retrying } from "./retry.ts";
import { connection, type HubOptions, isOffline } from "./settings.ts";

/** One file of it. */
export interface FetchedFile {
  name: string;
  /** Bytes. */
  size: number;
  /** Bytes that came over the network, 0 for a file that was there. */
  arrived: number;
}

/** A model that was downloaded. */
export interface FetchedModel extends HubModel {
  readonly endpoint: string;
  readonly files: readonly FetchedFile[];
  readonly base?: FetchedModel;
}

const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const infoSchema = z.looseObject({
  sha: z.string().refine(isCommit),
  siblings: z.array(z.looseObject({ rfilename: z.string() })).max(100_000),
});

/**
 * Downloads `owner/name[@revision]`, or what of it is not in the cache; files that are there are
 * checked by hash. Resumes what was cut off before. `gpt2` and other old names without an owner stand
 * for what they are called now. Of an adapter that PEFT saved, its base is downloaded too.
 * @throws {HubError}
 */
export function fetchModel(model: string, options: HubOptions = {}): Promise<FetchedModel> {
  return fetchOne(model, options);
}

/** `adapter`: whose base this is, which may not be another adapter. */
async function fetchOne(
  model: string,
  options: HubOptions,
  adapter?: string,
): Promise<FetchedModel> {
  const { given, id, revision, home } = cachePaths(model, options);
  if (isOffline(options)) return await offline(model, options, home);
  const hub = connection(options);
  hub.step?.(`asking ${hub.endpoint} for ${id}@${revision}`);
  const { commit, names } = await resolveRevision(hub, id, revision);
  const folder = `${home}/snapshots/${commit}`;
  for (const needed of [`${home}/blobs`, folder]) await makeInCache(needed, home);
  const files: FetchedFile[] = [];
  const get = async (name: string): Promise<void> => {
    const remote = await describe(hub, id, commit, name);
    const arrived = await intoCache(hub, remote, { home, folder, onProgress: options.onProgress });
    files.push({ name, size: remote.size, arrived });
  };
  const { now, tokenizer } = wanted(names, model, adapter);
  for (const name of now) await get(name);
  const isAdapter = now.includes(ADAPTER);
  // What an adapter is for is known before its weights are asked for.
  const named = isAdapter ? await baseOf(folder, model) : undefined;
  const weights = isAdapter
    ? [ADAPTER_WEIGHTS]
    : now.includes(INDEX)
    ? await shardsOf(folder)
    : [WEIGHTS];
  for (const name of [...tokenizer, ...weights]) await get(name);
  await sweep(`${home}/blobs`);
  const base = named === undefined ? undefined : await fetchOne(named, options, model);
  if (revision !== commit) await writeRef(`${home}/refs/${revision}`, commit);
  const { endpoint } = hub;
  return { given, id, revision, commit, folder, endpoint, files, ...(base && { base }) };
}

/** The model as it is in the cache, where no connection may be opened. */
async function offline(model: string, options: HubOptions, home: string): Promise<FetchedModel> {
  const found = await cachedModel(model, options);
  const of = (one: HubModel): FetchedModel => ({
    ...one,
    endpoint: "the cache",
    files: [],
    base: one.base && of(one.base),
  });
  if (found) return of(found);
  throw new HubError(
    "offline",
    `Cannot fetch ${model} as HF_HUB_OFFLINE is set and ${home} does not have it: unset it`,
  );
}

/** The commit that a revision is now, and the names of its files. */
async function resolveRevision(
  hub: HubConnection,
  id: string,
  revision: string,
): Promise<{ commit: string; names: Set<string> }> {
  const what = `${id}@${revision}`;
  const api = `/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const parsed = infoSchema.safeParse(await retrying(hub, () => requestJson(hub, api, what)));
  if (!parsed.success) {
    throw unexpectedResponse(hub, what, "its JSON has no commit or list of files");
  }
  const { sha: commit, siblings } = parsed.data;
  if (isCommit(revision) && commit !== revision) {
    throw unexpectedResponse(hub, what, `it gives commit ${commit} for another`);
  }
  return { commit, names: new Set(siblings.map(({ rfilename }) => rfilename)) };
}

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

/** Puts a file into the snapshot `folder`, where it is not whole there; gives the bytes that came. */
async function intoCache(
  hub: HubConnection,
  remote: RemoteFile,
  { home, folder, onProgress }: { home: string; folder: string } & Pick<HubOptions, "onProgress">,
): Promise<number> {
  const { name, size, hash } = remote;
  if (await isWhole(`${folder}/${name}`, remote)) return 0;
  const blob = `${home}/blobs/${hash}`;
  const arrived = await isWhole(blob, remote)
    ? 0
    : await fetchFile(hub, remote, blob, (done) => onProgress?.({ file: name, done, size }));
  await linkSnapshot({ folder, name }, blob, remote);
  return arrived;
}

/** One line: what was fetched, from where, into which folder; of an adapter, the same of its base. */
export function fetchedLine(
  { given, id, revision, commit, folder, endpoint, files, base }: FetchedModel,
): string {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const arrived = files.reduce((sum, file) => sum + file.arrived, 0);
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const name = given === id ? id : `${given} is now ${id}: ${id}`;
  return `${name}@${revision} (commit ${commit}) from ${endpoint}: ${files.length} files of ` +
    `${mb(total)}, ${mb(arrived)} of it downloaded now, in ${folder}` +
    (base ? `; an adapter for ${fetchedLine(base)}` : "");
}

/** Size and hash of a file, as the hub states them. */
function describe(
  hub: HubConnection,
  id: string,
  commit: string,
  name: string,
): Promise<RemoteFile> {
  const path = `/${id}/resolve/${commit}/${encodeURIComponent(name)}`;
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
