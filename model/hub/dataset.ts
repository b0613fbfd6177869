/** Data sets of the Hugging Face hub: their files of data, downloaded into the hub's own cache (`cache.ts`). @module */
import { excerpt, firstOf } from "../../base/excerpt.ts";
import { kindOf, readIfThere } from "../files/deno_folder.ts";
import { cachePaths, type Snapshot, snapshots } from "./cache.ts";
import { type CardConfig, readCard } from "./data_card.ts";
import { chooseFiles, type ChosenFiles, type DataPath } from "./data_files.ts";
import { HubError } from "./errors.ts";
import type { RemoteFile } from "./partial_file.ts";
import {
  describeFile,
  type FetchedFile,
  fetchInto,
  keepRevision,
  megabytes,
  openRepository,
  type Repository,
  repositoryLine,
  sweepRepository,
} from "./repository.ts";
import { connection, type HubOptions, isOffline } from "./settings.ts";

const CARD = "README.md";
/** Most bytes that are taken where no file is named, and that are read into memory. */
export const MAX_DATA = 2 ** 30;
const MAX_FILES = 1000, MAX_CARD = 2 ** 24;

/** A data set in the cache, and which of its files are read. */
export interface HubDataset extends Snapshot, Pick<ChosenFiles, "config" | "several" | "named"> {
  /** Paths within `folder`. */
  readonly data: readonly DataPath[];
}

/** A data set that was downloaded. */
export interface FetchedDataset extends HubDataset {
  /** What a task's setting `data` takes for it. */
  readonly name: string;
  readonly endpoint: string;
  readonly files: readonly FetchedFile[];
}

/** Which files. */
export interface DatasetOptions extends HubOptions {
  /** A config, a file, a folder, or a pattern: `*`, `?`, `**`. Default: the default config, else `main`, else all. */
  which?: string;
}

/**
 * Downloads the data of `owner/name[@revision]` and its card, or what of them is not in the cache, as
 * `fetchModel` does it. Files are parquet, JSONL, CSV or JSON; of several configs one, of its splits those
 * for training and test. How much that is `onStep` is told before.
 * @throws {HubError}
 */
export async function fetchDataset(
  dataset: string,
  options: DatasetOptions = {},
): Promise<FetchedDataset> {
  const paths = cachePaths(dataset, options, "dataset");
  if (isOffline(options)) return await offline(dataset, options, paths.home);
  const hub = connection(options, "dataset");
  const repository = await openRepository(hub, paths);
  const { given, id, revision, commit, names, folder } = repository;
  const files: FetchedFile[] = [];
  const passOver = (why: string) =>
    hub.step?.(`${CARD} is passed over, and files are told by their names: ${why}`);
  const about = names.has(CARD) ? await describeFile(repository, CARD) : undefined;
  if (about && about.size > MAX_CARD) passOver(`it has ${megabytes(about.size)}`);
  else if (about) files.push(await fetchInto(repository, about, options));
  const card = await cardIn(folder, passOver);
  const { which } = options;
  const chosen = chooseFiles([...names], { name: dataset, card, which });
  const wanted = await describeAll(repository, chosen, options);
  for (const remote of wanted) files.push(await fetchInto(repository, remote, options));
  await sweepRepository(repository);
  await keepRevision(repository);
  const { config, several, named, files: data } = chosen;
  const { endpoint } = hub;
  const choice = { data, config, several, named };
  return {
    ...{ name: nameOf(dataset, which), given, id, revision, commit, folder, endpoint, files },
    ...choice,
  };
}

/** Sizes and hashes of what is wanted; says how much it is. @throws {HubError} where that is too much */
async function describeAll(
  repository: Repository,
  { files, config, left, named }: ChosenFiles,
  { which }: DatasetOptions,
): Promise<RemoteFile[]> {
  const { hub, id, revision } = repository;
  const what = `${id}@${revision}${config ? `, config ${config}` : ""}`;
  const tooMuch = (most: string, now: string) =>
    new HubError(
      "unsupported",
      `Cannot fetch ${what} as at most ${most}: it has ${now}. Name a part: ` +
        `--files '${files[0].path.replace(/\d+/, "*")}', or one file`,
    );
  if (files.length > MAX_FILES) {
    throw tooMuch(`${MAX_FILES} files are fetched at once`, `${files.length}`);
  }
  const wanted: RemoteFile[] = [];
  let bytes = 0;
  for (const [i, { path }] of files.entries()) {
    const remote = await describeFile(repository, path);
    wanted.push(remote);
    bytes += remote.size;
    if (bytes > MAX_DATA && !(named && which !== undefined)) {
      const of = i + 1 < files.length ? ` in the first ${i + 1} of ${files.length} files` : "";
      const most = `${megabytes(MAX_DATA)} are fetched unless files are named`;
      throw tooMuch(most, `${megabytes(bytes)}${of}`);
    }
  }
  const names = files.map(({ path, split }) => split === undefined ? path : `${path} (${split})`);
  const not = left.length > 0 ? `; not ${firstOf(left, { apart: ", " })}` : "";
  hub.step?.(
    `${what}: ${files.length} files of ${megabytes(bytes)}: ${
      firstOf(names, { apart: ", " })
    }${not}`,
  );
  return wanted;
}

/** What the card in a folder lists; `refused` is told where it cannot be read. */
async function cardIn(
  folder: string,
  refused: (why: string) => void = () => {},
): Promise<CardConfig[]> {
  try {
    return await readCard(await readIfThere(`${folder}/${CARD}`) ?? "");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refused(excerpt(error.message));
    return [];
  }
}

/**
 * The data set as it is in the cache, with those of its files that `which` means and that are there;
 * undefined where it was not fetched. Opens no connection.
 * @throws {HubError} where what is there has no such files
 */
export async function cachedDataset(
  dataset: string,
  options: DatasetOptions = {},
): Promise<HubDataset | undefined> {
  for await (const snapshot of snapshots(cachePaths(dataset, options, "dataset"))) {
    const { folder } = snapshot;
    if (await kindOf(folder) !== "folder") continue;
    const card = await cardIn(folder);
    const { files, config, several, named } = chooseFiles(await filesIn(folder), {
      ...{ name: dataset, card, which: options.which },
    });
    return { ...snapshot, ...{ config, several, named }, data: files };
  }
}

/** The data set as it is in the cache, where no connection may be opened. */
async function offline(
  dataset: string,
  options: DatasetOptions,
  home: string,
): Promise<FetchedDataset> {
  const found = await cachedDataset(dataset, options);
  const name = nameOf(dataset, options.which);
  if (found) return { name, ...found, endpoint: "the cache", files: [] };
  throw new HubError(
    "offline",
    `Cannot fetch ${dataset} as HF_HUB_OFFLINE is set and ${home} does not have it: unset it`,
  );
}

/** Paths of all files in a folder, links to files among them. */
async function filesIn(folder: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    if (isDirectory) found.push(...await filesIn(folder, `${below}${name}/`));
    else found.push(below + name);
  }
  return found;
}

const nameOf = (dataset: string, which?: string): string =>
  which === undefined ? dataset : `${dataset}/${which}`;

/** One line: what was fetched, from where, into which folder, and how it is named to a task. */
export const datasetLine = (dataset: FetchedDataset): string =>
  `${repositoryLine(dataset)}; for a task: data=${dataset.name}`;
