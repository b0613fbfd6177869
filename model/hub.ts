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
import { replaceText } from "./files.ts";
import { fetchFile, isWhole, type RemoteFile, sweep } from "./hub_file.ts";
import {
  type HubConnection,
  HubError,
  notTheHub,
  request,
  requestJson,
  retrying,
} from "./hub_http.ts";

export { HubError, type HubFault } from "./hub_http.ts";

/** What is not given is read from the environment, as Python's library reads it. */
export interface HubOptions {
  /** HF_ENDPOINT, else https://huggingface.co. */
  endpoint?: string;
  /** HF_TOKEN; sent to the endpoint's origin only. */
  token?: string;
  /** HF_HUB_CACHE, else hub/ in HF_HOME, else ~/.cache/huggingface/hub. */
  cache?: string;
  /** HF_HUB_OFFLINE: no connection is opened. */
  offline?: boolean;
  /** Tries in a row that bring nothing, 1 or more. Default 5. */
  tries?: number;
  /** Milliseconds before the second try, doubled before each further one. Default 500. */
  pause?: number;
  /** Milliseconds in which an answer begins, and each next KiB of it arrives. Default 30,000. */
  timeout?: number;
  /** Default the runtime's own; one with a client of its own knows other certificates or proxies. */
  fetch?: typeof fetch;
  signal?: AbortSignal;
  /** Called as bytes arrive. */
  onProgress?: (progress: HubProgress) => void;
}

/** How far a download is. */
export interface HubProgress {
  readonly file: string;
  /** Bytes of the file that are here, and of how many. */
  readonly done: number;
  readonly size: number;
}

/** A model in the cache, every file of it whole. */
export interface HubModel {
  readonly id: string;
  readonly revision: string;
  /** What the revision was resolved to, 40 hexadecimal digits. */
  readonly commit: string;
  /** The snapshot: config.json, weights and tokenizer by their names. */
  readonly folder: string;
}

/** A model that was downloaded. */
export interface FetchedModel extends HubModel {
  readonly endpoint: string;
  /** `arrived`: bytes that came over the network, 0 for a file that was there. */
  readonly files: readonly { name: string; size: number; arrived: number }[];
}

const PART = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;
const REVISION = /^\w(?:[\w./-]{0,198}\w)?$/;
const COMMIT = /^[0-9a-f]{40}$/;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const SHARD = /^[\w-][\w.-]*\.safetensors$/;
const WEIGHTS = "model.safetensors", INDEX = `${WEIGHTS}.index.json`;
const PICKLED = /^(?:pytorch_model.*\.bin|.*\.(?:bin|pt|pth|ckpt|h5|msgpack))$/;
const EXTRAS = ["generation_config.json", "tokenizer_config.json", "special_tokens_map.json"];
const TOKENIZERS = [["tokenizer.json"], ["vocab.json", "merges.txt"], ["vocab.txt"]];

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string().regex(SHARD)) });
const infoSchema = z.looseObject({
  sha: z.string().regex(COMMIT),
  siblings: z.array(z.looseObject({ rfilename: z.string() })).max(100_000),
});

/** Whether `model` has the form `owner/name` or `owner/name@revision`. */
export function isHubId(model: string): boolean {
  const [id, revision, more] = splitRevision(model);
  const parts = id.split("/");
  const plain = (text: string): boolean => !text.includes("..");
  return more === undefined && parts.length === 2 &&
    parts.every((part) => PART.test(part) && plain(part) && !part.includes("--")) &&
    REVISION.test(revision) && plain(revision) && !/\/[./]|\.lock$/.test(revision);
}

const splitRevision = (model: string): [string, string, string?] => {
  const [id, revision = "main", more] = model.split("@");
  return [id, revision, more];
};

/**
 * Downloads `owner/name[@revision]`, or what of it is not in the cache; files that are there are
 * checked by hash. Resumes what was cut off before.
 * @throws {HubError}
 */
export async function fetchModel(model: string, options: HubOptions = {}): Promise<FetchedModel> {
  const { id, revision, home } = place(model, options);
  if (isOffline(options)) {
    const found = await cachedModel(model, options);
    if (found) return { ...found, endpoint: "the cache", files: [] };
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
      await point(`${folder}/${name}`, blob, remote);
    }
    files.push({ name, size, arrived });
  };
  const { now, tokenizer } = wanted(names, model);
  for (const name of now) await get(name);
  const shards = now.includes(INDEX) ? await shardsOf(`${folder}/${INDEX}`) : [WEIGHTS];
  for (const name of [...tokenizer, ...shards]) await get(name);
  await sweep(`${home}/blobs`);
  if (revision !== commit) await writeRef(`${home}/refs/${revision}`, commit);
  return { id, revision, commit, folder, endpoint: hub.endpoint, files };
}

/** The model as it is in the cache; undefined where it is not, or not all of it. Opens no connection. */
export async function cachedModel(
  model: string,
  options: HubOptions = {},
): Promise<HubModel | undefined> {
  const { id, revision, home } = place(model, options);
  const ref = COMMIT.test(revision)
    ? revision
    : (await Deno.readTextFile(`${home}/refs/${revision}`).catch(() => "")).trim();
  if (!COMMIT.test(ref)) return undefined;
  const folder = `${home}/snapshots/${ref}`;
  const has = (name: string): Promise<boolean> =>
    Deno.stat(`${folder}/${name}`).then(({ isFile }) => isFile, () => false);
  const all = async (names: readonly string[]): Promise<boolean> =>
    (await Promise.all(names.map(has))).every((one) => one);
  const weights = await has(WEIGHTS) ||
    await has(INDEX) && await all(await shardsOf(`${folder}/${INDEX}`));
  const tokenizer = (await Promise.all(TOKENIZERS.map(all))).includes(true);
  const whole = weights && tokenizer && await has("config.json");
  return whole ? { id, revision, commit: ref, folder } : undefined;
}

/** Whether a download may use the network: not offline, and permitted to reach the endpoint. */
export function mayDownload(options: HubOptions = {}): boolean {
  if (isOffline(options)) return false;
  const { host } = new URL(connection(options).endpoint);
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
}

/** One line: what was fetched, from where, into which folder. */
export function fetchedLine(
  { id, revision, commit, folder, endpoint, files }: FetchedModel,
): string {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const arrived = files.reduce((sum, file) => sum + file.arrived, 0);
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return `${id}@${revision} (commit ${commit}) from ${endpoint}: ${files.length} files of ` +
    `${mb(total)}, ${mb(arrived)} of it downloaded now, in ${folder}`;
}

/** Where a model has its place in the cache. */
function place(
  model: string,
  { cache }: HubOptions,
): { id: string; revision: string; home: string } {
  if (!isHubId(model)) {
    throw new HubError(
      "name",
      `Cannot fetch ${JSON.stringify(model)} as a model of the hub is owner/name or ` +
        `owner/name@revision, e.g. openai-community/gpt2`,
    );
  }
  const [id, revision] = splitRevision(model);
  const home = `${cache ?? cacheFolder()}/models--${id.replace("/", "--")}`;
  return { id, revision, home };
}

const isOffline = ({ offline }: HubOptions): boolean =>
  offline ?? /^(?:1|true|yes|on)$/i.test(variable("HF_HUB_OFFLINE") ?? "");

function connection(options: HubOptions): HubConnection {
  const endpoint = (options.endpoint ?? variable("HF_ENDPOINT") ?? "https://huggingface.co")
    .replace(/\/+$/, "");
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search) {
    throw new HubError(
      "name",
      `Cannot use HF_ENDPOINT as it must be an address like https://huggingface.co`,
    );
  }
  const token = (options.token ?? variable("HF_TOKEN"))?.trim() || undefined;
  if (token && !/^[\x21-\x7e]+$/.test(token)) {
    throw new HubError("refused", "Cannot use HF_TOKEN as a token has no spaces or line breaks");
  }
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (token && url.protocol === "http:" && !local) {
    throw new HubError(
      "refused",
      `Cannot send a token to ${url.origin} as http shows it to anyone on the way: use https, or unset HF_TOKEN`,
    );
  }
  const { tries = 5, pause = 500, timeout = 30_000, signal } = options;
  return { endpoint, token, tries, pause, timeout, signal, fetch: options.fetch ?? fetch };
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

/** Which files make the model: those that come first, and the tokenizer. */
function wanted(names: ReadonlySet<string>, model: string): { now: string[]; tokenizer: string[] } {
  const cannot = (what: string): HubError =>
    new HubError("unsupported", `Cannot use ${model} as it has no ${what}`);
  if (!names.has("config.json")) throw cannot("config.json: it is no model for transformers");
  const weights = [WEIGHTS, INDEX].find((name) => names.has(name));
  if (!weights) {
    if (![...names].some((name) => PICKLED.test(name))) throw cannot(`${WEIGHTS}, and no weights`);
    const [id, revision] = splitRevision(model);
    throw cannot(
      `${WEIGHTS}, only pickled weights, which could run code. Convert it once, where you trust ` +
        `it: python -c "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; ` +
        `a = dict(pretrained_model_name_or_path='${id}', revision='${revision}'); ` +
        `M.from_pretrained(**a).save_pretrained('converted'); ` +
        `T.from_pretrained(**a).save_pretrained('converted')", then use the folder converted`,
    );
  }
  const tokenizer = TOKENIZERS.find((files) => files.every((name) => names.has(name)));
  if (!tokenizer) throw cannot("tokenizer.json, vocab.json with merges.txt, or vocab.txt");
  const now = ["config.json", ...EXTRAS.filter((name) => names.has(name))];
  return { now: weights === INDEX ? [...now, INDEX] : now, tokenizer };
}

/** The files that an index names, each once. */
async function shardsOf(path: string): Promise<string[]> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch { /* said below */ }
  const parsed = indexSchema.safeParse(json);
  if (parsed.success) return [...new Set(Object.values(parsed.data.weight_map))].sort();
  throw new HubError(
    "unsupported",
    `Cannot use ${path} as its weight_map must give each tensor the name of a .safetensors file beside it`,
  );
}

/** Makes `path` lead to the blob, as a symbolic link where that is allowed, else as a hard link. */
async function point(path: string, blob: string, remote: RemoteFile): Promise<void> {
  for (let tried = 1;; tried++) {
    try {
      const target = `../../blobs/${remote.hash}`;
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
  await replaceText(path, commit);
}

function cacheFolder(): string {
  const home = variable("HOME") ?? variable("USERPROFILE");
  const base = variable("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  const root = variable("HF_HOME") ?? (base && `${base}/huggingface`);
  const hub = variable("HF_HUB_CACHE") ?? (root && `${root}/hub`);
  if (!hub) {
    throw new HubError(
      "offline",
      "Cannot find the hub's cache as neither HF_HOME nor HOME can be read: set one, and allow it by --allow-env",
    );
  }
  return hub.replace(/^~(?=[/\\]|$)/, home ?? "~");
}

/** A variable of the environment; undefined where it is empty or may not be read. */
function variable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") {
    return undefined;
  }
  return Deno.env.get(name) || undefined;
}
