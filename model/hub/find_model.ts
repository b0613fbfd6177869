/** Finds the folder of a model by the name that people give it, and says what exactly lies there. @module */
import { isAbsolute, resolve } from "node:path";
import { isRemoteAsset } from "../../base/assets.ts";
import { excerpt, shown } from "../../base/excerpt.ts";
import { checksums } from "../files/checksum.ts";
import { kindOf, sourceOf } from "../files/deno_folder.ts";
import { localPath } from "../files/disk.ts";
import { baseName } from "../files/lora_save.ts";
import { cachedModel, cachePaths, type HubModel } from "./cache.ts";
import { fetchedLine, fetchModel } from "./hub.ts";
import { baseOfAdapter } from "./load.ts";
import { isHubId } from "./names.ts";
import { type HubOptions, mayDownload } from "./settings.ts";
import { isShipped, SHIPPED, SHIPPED_LIST } from "./shipped.ts";

/** What a run started from, so that it can be found again and told from another; plain JSON. */
export type ModelSource = PlainSource & {
  /** Of an adapter: the model that it is attached to. */
  base?: PlainSource;
};

/** One folder of a model. */
type PlainSource =
  | {
    kind: "hub";
    /** `owner/name`. */
    id: string;
    /** Branch, tag or commit as asked for. */
    revision: string;
    /** What the revision was then, 40 hexadecimal digits. */
    commit: string;
  }
  | {
    kind: "folder";
    /** As it was given; "tiny" and "small" for the models that ship with the project. */
    path: string;
    /**
     * SHA-256 of config, weights and tokenizer by file name. Whole files: two checkpoints of a run
     * differ neither in header nor in size. It takes 1 s per GB, less than loading does.
     */
    sha256: Record<string, string>;
  };

/** A model that was found. */
export interface FoundModel {
  folder: string;
  source: ModelSource;
  /** For people: which model of the hub, and where it came from. */
  line?: string;
}

/**
 * The folder of `model`: "tiny" or "small", a path to a folder in Hugging Face form, or `owner/name[@revision]` of
 * the hub. A model of the hub that is in the cache is taken from there; another is downloaded where
 * the program may use the network. Where the modules were imported from a server, those two have an address
 * there in place of a path: what loads from a folder takes either.
 * @throws {Error} when there is no such folder or model; a HubError when a download fails
 */
export async function modelFolder(model: string, options: HubOptions = {}): Promise<string> {
  return (await locate(model, options)).folder;
}

/**
 * As `modelFolder`, and what exactly is there, also of the base where it is an adapter: reads a
 * folder's files once.
 */
export async function findModel(model: string, options: HubOptions = {}): Promise<FoundModel> {
  const { folder, hub, line } = await locate(model, options);
  const own: PlainSource = hub
    ? { kind: "hub", id: hub.id, revision: hub.revision, commit: hub.commit }
    : { kind: "folder", path: model, sha256: await sums(folder) };
  const base = await baseSource(folder);
  return { folder, source: { ...own, ...(base && { base }) }, line };
}

/** What the adapter in `folder` is attached to; undefined where there is none. */
async function baseSource(folder: string): Promise<PlainSource | undefined> {
  const base = (await baseOfAdapter(folder))?.path;
  if (base === undefined) return undefined;
  const { name, revision } = await baseName(base);
  return revision === null
    ? { kind: "folder", path: base, sha256: await sums(base) }
    : { kind: "hub", id: name, revision, commit: revision };
}

/**
 * The model that `source` says: of the hub by its commit, wherever the branch is now; a folder if its
 * files are still the same. So must be the base of an adapter.
 * @throws {Error} when it is gone or has changed, with what `modelFolder` throws
 */
export async function sameModel(
  source: ModelSource,
  options: HubOptions = {},
): Promise<FoundModel> {
  const name = source.kind === "hub" ? `${source.id}@${source.commit}` : source.path;
  const found = await findModel(name, options);
  const { base } = source; // not recorded by older runs
  const changed = [
    ...changes(source, found.source),
    ...(base ? changes(base, found.source.base).map((what) => `its base's ${what}`) : []),
  ];
  if (changed.length === 0) return { ...found, source };
  throw new Error(
    `Cannot continue with the model ${name} as the run began with other files: ` +
      `${changed.join(", ")} changed since. Put them back as they were, or start a new run`,
  );
}

/** What is not as it was: files of a folder, or the commit. */
function changes(was: PlainSource, now: PlainSource | undefined): string[] {
  if (was.kind === "hub") {
    const same = now?.kind === "hub" && now.commit === was.commit; // ids may have been renamed
    return same ? [] : [`${was.id}@${was.commit}`];
  }
  const sums = now?.kind === "folder" ? now.sha256 : {};
  const isOlder = !Object.keys(was.sha256).some((name) => MEANING_FILE.test(name));
  return [...new Set([...Object.keys(was.sha256), ...Object.keys(sums)])]
    .filter((name) => was.sha256[name] !== sums[name] && !(isOlder && MEANING_FILE.test(name)));
}

/** Config, weights and tokenizer; not what lies beside them in a checkpoint. */
const MODEL_FILE =
  /^(?:(?:config|tokenizer|vocab|added_tokens|adapter_config)\.json|merges\.txt|(?:adapter_)?model.*\.safetensors(?:\.index\.json)?)$/;

/** What ends a text, and which tokens are special: not recorded by older runs. */
const MEANING_FILE = /^(?:generation_config|tokenizer_config|special_tokens_map)\.json$/;

const sums = (folder: string): Promise<Record<string, string>> =>
  checksums(sourceOf(folder), (name) => MODEL_FILE.test(name) || MEANING_FILE.test(name));

async function locate(
  model: string,
  options: HubOptions,
): Promise<{ folder: string; hub?: HubModel; line?: string }> {
  const shipped = isShipped(model) ? SHIPPED[model] : undefined;
  if (shipped && isRemoteAsset(shipped)) return { folder: shipped.href.replace(/\/$/, "") };
  const folder = shipped ? localPath(shipped) : model;
  const kind = await kindOf(folder).catch((error) => {
    if (isHubId(model)) return undefined; // the cache alone may be read
    throw error;
  });
  if (kind === "folder") return { folder };
  const cannot =
    `Cannot load the model ${shown(model)} as it must be ${SHIPPED_LIST}a folder with ` +
    `config.json, model.safetensors and tokenizer.json, or owner/name of the hub`;
  if (kind === "file") throw new Error(`${cannot}: it is a file`);
  if (!isHubId(model)) throw new Error(`${cannot}: ${noFolder(model)}`);
  const cached = await cachedModel(model, options);
  if (cached) {
    const { id, revision, commit, folder } = cached;
    const line = `${id}@${revision} (commit ${commit}) from the hub's cache, in ${folder}`;
    return { folder, hub: cached, line };
  }
  if (mayDownload(options)) {
    const hub = await fetchModel(model, options);
    return { folder: hub.folder, hub, line: fetchedLine(hub) };
  }
  throw new Error(
    `${cannot}: ${noFolder(model)}, and the hub's cache does not have it as ` +
      `${cachePaths(model, options).home}. This gets it from the hub: deno task fetch ${model}`,
  );
}

/** Where a folder was looked for. */
function noFolder(path: string): string {
  const from = isAbsolute(path) ? "" : " (deno task starts at deno.json, and paths with it)";
  return `there is no folder ${excerpt(resolve(path), 300)}${from}`;
}
