/**
 * Models of the Hugging Face hub, in the hub's own cache, which Python's libraries share:
 * `models--OWNER--NAME/` with `refs/` (branch to commit), `blobs/` (files by hash) and
 * `snapshots/COMMIT/` (links to blobs, by name).
 *
 * A revision is resolved to a commit once, then every file is asked for by commit. Nothing gets a
 * final name before its hash has been checked.
 * @module
 */
import { z } from "zod";
import { replaceFile } from "../files/disk.ts";
import { fetchFile, isWhole, type RemoteFile, sweep } from "./download.ts";
import {
  type HubConnection,
  HubError,
  notTheHub,
  request,
  requestJson,
  retrying,
} from "./client.ts";
import { type HubName, hubName } from "./names.ts";
import {
  ADAPTER,
  ADAPTER_WEIGHTS,
  baseOf,
  hasAll,
  INDEX,
  isModel,
  shardsOf,
  wanted,
  WEIGHTS,
} from "./parts.ts";
import { cacheFolder, connection, endpointOf, type HubOptions, isOffline } from "./settings.ts";

export { HubError, type HubFault } from "./client.ts";
export { isHubId } from "./names.ts";
export type { HubOptions, HubProgress } from "./settings.ts";

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

/** A model that was downloaded. */
export interface FetchedModel extends HubModel {
  readonly endpoint: string;
  /** `arrived`: bytes that came over the network, 0 for a file that was there. */
  readonly files: readonly { name: string; size: number; arrived: number }[];
  readonly base?: FetchedModel;
}

const COMMIT = /^[0-9a-f]{40}$/;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const infoSchema = z.looseObject({
  sha: z.string().regex(COMMIT),
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
  const { given, id, revision, home } = place(model, options);
  if (isOffline(options)) {
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
  const hub = connection(options);
  const what = `${id}@${revision}`;
  const api = `/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const parsed = infoSchema.safeParse(await retrying(hub, () => requestJson(hub, api, what)));
  if (!parsed.success) throw notTheHub(hub, what, "its JSON has no commit or list of files");
  const commit = parsed.data.sha;
  if (COMMIT.test(revision) && commit !== revision) {
    throw notTheHub(hub, what, `it gives commit ${commit} for another`);
  }
  const names = new Set(parsed.data.siblings.map(({ rfilename }) => rfilename));
  const folder = `${home}/snapshots/${commit}`;
  for (const needed of [`${home}/blobs`, folder]) {
    await Deno.mkdir(needed, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new HubError(
        "refused",
        `Cannot write into ${home} as this program may not: start it with --allow-write, or set ` +
          `HF_HUB_CACHE to a folder that it may write into`,
      );
    });
  }
  const files: { name: string; size: number; arrived: number }[] = [];
  const get = async (name: string): Promise<void> => {
    const remote = await describe(hub, id, commit, name);
    const { size, hash } = remote;
    let arrived = 0;
    if (!await isWhole(`${folder}/${name}`, remote)) {
      const blob = `${home}/blobs/${hash}`;
      if (!await isWhole(blob, remote)) {
        arrived = await fetchFile(hub, remote, blob, (done) => {
          options.onProgress?.({ file: name, done, size });
        });
      }
      await point({ folder, name }, blob, remote);
    }
    files.push({ name, size, arrived });
  };
  const { now, tokenizer } = wanted(names, model, adapter);
  for (const name of now) await get(name);
  const isAdapter = now.includes(ADAPTER);
  // What an adapter is for is known before its weights are asked for.
  const named = isAdapter ? await baseOf(`${folder}/${ADAPTER}`, model) : undefined;
  const weights = isAdapter
    ? [ADAPTER_WEIGHTS]
    : now.includes(INDEX)
    ? await shardsOf(`${folder}/${INDEX}`)
    : [WEIGHTS];
  for (const name of [...tokenizer, ...weights]) await get(name);
  await sweep(`${home}/blobs`);
  const base = named === undefined ? undefined : await fetchOne(named, options, model);
  if (revision !== commit) await writeRef(`${home}/refs/${revision}`, commit);
  const { endpoint } = hub;
  return { given, id, revision, commit, folder, endpoint, files, ...(base && { base }) };
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
  const { given, id, revision, homes } = place(model, options);
  for (const home of homes) {
    const ref = COMMIT.test(revision)
      ? revision
      : (await Deno.readTextFile(`${home}/refs/${revision}`).catch(() => "")).trim();
    if (!COMMIT.test(ref)) continue;
    const folder = `${home}/snapshots/${ref}`;
    const found = { given, id, revision, commit: ref, folder };
    if (await isModel(folder)) return found;
    if (adapter || !await hasAll(folder, [ADAPTER, ADAPTER_WEIGHTS])) continue;
    const base = await cachedOne(await baseOf(`${folder}/${ADAPTER}`, model), options, model);
    if (base) return { ...found, base };
  }
}

/** Whether a download may use the network: not offline, and permitted to reach the endpoint. */
export function mayDownload(options: HubOptions = {}): boolean {
  if (isOffline(options)) return false;
  const { host } = endpointOf(options);
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
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

/** Where a model has its place in the cache: `home`, or for one with an old name either of `homes`. */
function place(
  model: string,
  { cache }: HubOptions,
): HubName & { home: string; homes: string[] } {
  const name = hubName(model);
  if (!name) {
    throw new HubError(
      "name",
      `Cannot fetch ${JSON.stringify(model)} as a model of the hub is owner/name or ` +
        `owner/name@revision, e.g. openai-community/gpt2`,
    );
  }
  const root = cache ?? cacheFolder();
  const homes = [...new Set([name.id, name.given])] // Python's library has it under the name it was given
    .map((id) => `${root}/models--${id.replace("/", "--")}`);
  return { ...name, home: homes[0], homes };
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
      throw notTheHub(hub, what, "it gives no commit, hash and size of the file");
    }
    return { name, path, hash, size: Number(length) };
  });
}

/** Makes `path` lead to the blob, as a symbolic link where that is allowed, else as a hard link. */
async function point(
  { folder, name }: { folder: string; name: string },
  blob: string,
  remote: RemoteFile,
): Promise<void> {
  const path = `${folder}/${name}`, above = "../".repeat(name.split("/").length - 1);
  if (above !== "") await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
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

async function writeRef(path: string, commit: string): Promise<void> {
  if ((await Deno.readTextFile(path).catch(() => "")).trim() === commit) return;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await replaceFile(path, commit);
}
