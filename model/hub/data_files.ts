/**
 * Which files of a data set are read: those of a config, told by its card, else by the names of files.
 * Training files and held-out ones are told apart as Python's `datasets` does: by the card's splits, else by
 * a word in the path (train, test, validation and its short forms).
 * @module
 */
import { excerpt, firstOf } from "../../base/excerpt.ts";
import { didYouMean } from "../../base/names.ts";
import type { CardConfig } from "./data_card.ts";
import { HubError } from "./errors.ts";
import { matchesGlob } from "./glob.ts";

/** One file, and what it is for. */
export interface DataPath {
  readonly path: string;
  /** Absent: its data set is not parted. */
  readonly split?: "train" | "heldout";
}

/** What is read of a data set. */
export interface ChosenFiles {
  /** Those to train on first, then in order. */
  readonly files: readonly DataPath[];
  /** Absent where it has none, where several are meant, or where files were named. */
  readonly config?: string;
  /** Of the configs that are meant, where no card says which: two or more names. */
  readonly several?: readonly string[];
  /** Splits that are not read, such as `unsupervised`. */
  readonly left: readonly string[];
  /** Whether a file or a pattern was named, and so a part of the data set may be meant. */
  readonly named: boolean;
}

/** The formats that are read; of a data set that has several and no card, the first that it has. */
const FORMATS = [/\.parquet$/i, /\.(?:jsonl|ndjson)$/i, /\.csv$/i, /\.json$/i];
/** JSON about data, not of it. */
const ABOUT = /(?:^|\/)(?:dataset_infos?|dataset_dict|state|config)\.json$/i;
/** CONFIG/SPLIT/0000.parquet, as the hub keeps data sets that it wrote as parquet itself. */
const CONVERTED = /^[^/]+\/[^/]+\/\d{4}\.parquet$/;
const MAX_MATCHES = 1e7; // paths times patterns: 15 s at worst

const SPLITS = {
  train: /^train(?:ing)?$/,
  test: /^(?:test(?:ing)?|eval(?:uation)?)$/,
  validation: /^(?:validation|valid|val|dev)$/,
};
type Role = keyof typeof SPLITS;

/** A file with the split that card or name give it; empty for none. */
interface Part {
  path: string;
  split: string;
}

/** Whether a file is one of data, by its name. */
const isData = (path: string): boolean =>
  FORMATS.some((format) => format.test(path)) && !ABOUT.test(path) && !/(?:^|\/)[._]/.test(path);

/**
 * The files of a data set that `which` means: a config, a file, a folder or a pattern; where it is absent,
 * its default config, else `main`, else all.
 * @param paths of all its files, or of those that are here: configs without a file are passed over
 * @param about.name for errors
 * @throws {HubError} `unsupported` where there is nothing that can be read, `missing` for a `which` that is none
 */
export function chooseFiles(
  paths: readonly string[],
  { name, card, which }: { name: string; card: readonly CardConfig[]; which?: string },
): ChosenFiles {
  const data = paths.filter(isData).sort();
  if (data.length === 0) throw noData(name, paths);
  const configs = configsOf(data, card, name);
  if (which !== undefined) return named(data, configs, { name, which });
  const config = configs.find(({ isDefault }) => isDefault) ??
    ["default", "main"].map((one) => configs.find((config) => config.name === one))
      .find((one) => one !== undefined) ??
    (configs.length === 1 ? configs[0] : undefined);
  if (config) return { ...parted(config.parts), config: config.name || undefined, named: false };
  const parts = new Map(configs.flatMap((one) => one.parts).map((part) => [part.path, part]));
  const several = configs.map((config) => config.name);
  return { ...parted([...parts.values()]), several, named: false };
}

function named(
  data: readonly string[],
  configs: readonly Config[],
  { name, which }: { name: string; which: string },
): ChosenFiles {
  const config = configs.find((one) => one.name === which && which !== "");
  if (config) return { ...parted(config.parts), config: config.name, named: false };
  if (data.includes(which)) return { files: [{ path: which }], left: [], named: true };
  const folder = which.replace(/\/*$/, "/");
  const within = data.filter((path) => path.startsWith(folder));
  if (within.length > 0) return { ...parted(byName(within, folder)), named: false };
  const found = data.filter((path) => matchesGlob(path, which));
  if (found.length > 0) {
    return { ...parted(found.map((path) => ({ path, split: splitIn(path) })), true), named: true };
  }
  const names = configs.map((one) => one.name).filter((one) => one !== "");
  const all = names.length > 0 ? `its configs are ${firstOf(names, { apart: ", " })}; ` : "";
  const near = didYouMean(which, [...names, ...data.slice(0, 1000)]);
  throw new HubError(
    "missing",
    `Cannot use ${
      excerpt(which)
    } of ${name} as it must be a config, a file, a folder or a pattern of it: ` +
      `${all}its files are ${firstOf(data, { apart: ", " })}${near === "" ? "" : `.${near}`}`,
  );
}

interface Config {
  name: string;
  isDefault: boolean;
  parts: Part[];
}

/** The configs that have files; where the card has none the folder `main`, else all as one without a name. */
function configsOf(
  data: readonly string[],
  card: readonly CardConfig[],
  name: string,
): Config[] {
  const patterns = card.flatMap(({ splits = [] }) => splits.flatMap((one) => one.patterns));
  if (patterns.length * data.length > MAX_MATCHES) {
    throw new HubError(
      "unsupported",
      `Cannot use ${name} as at most ${MAX_MATCHES} pairs of a file and a pattern of its card are compared: ` +
        `it has ${data.length} files and ${patterns.length} patterns`,
    );
  }
  const configs = card.map(({ name, isDefault, folder, splits }): Config => {
    const prefix = folder === "" ? "" : `${folder}/`;
    const within = data.filter((path) => path.startsWith(prefix));
    const parts = splits?.flatMap(({ split, patterns }) =>
      within.filter((path) =>
        patterns.some((pattern) => matchesGlob(path.slice(prefix.length), pattern))
      ).map((path) => ({ path, split }))
    );
    return { name, isDefault, parts: parts ?? byName(within, prefix) };
  }).filter(({ parts }) => parts.length > 0);
  if (configs.length > 0) return configs;
  const folders = data.every((path) => CONVERTED.test(path))
    ? [...new Set(data.map((path) => path.split("/", 1)[0]))]
    : ["main"];
  const inFolders = folders.map((name): Config => {
    const prefix = `${name}/`, within = data.filter((path) => path.startsWith(prefix));
    return { name, isDefault: false, parts: byName(within, prefix) };
  }).filter(({ parts }) => parts.length > 0);
  return inFolders.length > 0 ? inFolders : [{ name: "", isDefault: true, parts: byName(data) }];
}

/** Files of one format, with the split that each name says. */
function byName(paths: readonly string[], prefix = ""): Part[] {
  const format = FORMATS.find((one) => paths.some((path) => one.test(path)));
  return paths.filter((path) => format?.test(path))
    .map((path) => ({ path, split: splitIn(path.slice(prefix.length)) }));
}

/** The word of a path that names a split: of the file's name, else of the nearest folder that has one. */
function splitIn(path: string): string {
  for (const part of path.split("/").reverse()) {
    const word = part.toLowerCase().split(/[^a-z]+/).find((one) =>
      Object.values(SPLITS).some((split) => split.test(one))
    );
    if (word !== undefined) return word;
  }
  return "";
}

/** What a split is for, by its name: train_sft is for training. */
function roleOf(split: string): Role | undefined {
  for (const word of split.toLowerCase().split(/[^a-z]+/)) {
    const found = (Object.keys(SPLITS) as Role[]).find((role) => SPLITS[role].test(word));
    if (found) return found;
  }
}

/**
 * Training files, and those of test (else validation) as held-out ones. Where only one of the two is there,
 * nothing is parted. `all`: no file is left out.
 */
function parted(parts: readonly Part[], all = false): Pick<ChosenFiles, "files" | "left"> {
  const having = (role: Role | undefined) => parts.filter(({ split }) => roleOf(split) === role);
  const [train, rest] = [having("train"), having(undefined)];
  const [test, validation] = [having("test"), having("validation")];
  const toTrain = all ? [...train, ...rest] : train.length > 0 ? train : rest;
  const held = all ? [...test, ...validation] : test.length > 0 ? test : validation;
  const order = (some: readonly Part[]) => [...new Set(some.map(({ path }) => path))].sort();
  if (toTrain.length === 0 || held.length === 0) {
    const files = order(toTrain.length > 0 ? toTrain : held).map((path) => ({ path }));
    return { files, left: leftOut(parts, files) };
  }
  const trained = new Set(order(toTrain));
  const files = [
    ...[...trained].map((path): DataPath => ({ path, split: "train" })),
    ...order(held).filter((path) => !trained.has(path))
      .map((path): DataPath => ({ path, split: "heldout" })),
  ];
  return { files, left: leftOut(parts, files) };
}

function leftOut(parts: readonly Part[], files: readonly DataPath[]): string[] {
  const taken = new Set(files.map(({ path }) => path));
  const left = parts.filter(({ path }) => !taken.has(path)).map(({ path, split }) => split || path);
  return [...new Set(left)];
}

/**
 * Which shard of a file in several (`-00001-of-00003`) is not among `files`: a sentence, undefined where
 * all are there.
 */
export function missingShard(files: readonly DataPath[]): string | undefined {
  const groups = new Map<string, { total: number; there: Set<number> }>();
  for (const { path } of files) {
    const [, before, at, of] = /^(.*)-(\d{5})-of-(\d{5})/.exec(path) ?? [];
    if (of === undefined) continue;
    const key = `${before} of ${of}`;
    const group = groups.get(key) ?? { total: Number(of), there: new Set() };
    groups.set(key, group);
    group.there.add(Number(at));
  }
  for (const [key, { total, there }] of groups) {
    if (there.size >= total) continue;
    let first = 0;
    while (there.has(first)) first++;
    return `part ${first + 1} of ${total} of ${key.replace(/ of \d+$/, "")} is not there`;
  }
}

function noData(name: string, paths: readonly string[]): HubError {
  const has = firstOf([...paths].sort(), { apart: ", " }) || "no files";
  const isMade = paths.some((path) => /\.py$/.test(path)) ? ", made by a program," : "";
  const [id, revision = ""] = name.split("@");
  const cure = revision.startsWith("refs/convert/")
    ? ""
    : `. Of many data sets${isMade} the hub keeps parquet: ${id}@refs/convert/parquet`;
  return new HubError(
    "unsupported",
    `Cannot use ${name} as it has no data file that can be read (parquet, JSONL, CSV, JSON): ` +
      `it has ${has}${cure}`,
  );
}
