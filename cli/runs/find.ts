/** Which folders a command line means by runs: paths, globs, folders of runs, sweeps, and filters on them. @module */
import { join } from "node:path";
import { didYouMean } from "../../base/names.ts";
import { counted } from "../../base/units.ts";
import { listFolder, listFolders } from "../../experiment/folder/files.ts";
import type { RunGlance } from "../../experiment/folder/run_state.ts";
import { isSweep, readSweep, type Sweep } from "../../experiment/folder/sweep_file.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { UsageError } from "../command.ts";
import { FLAG_SEPARATORS, trainOf } from "../sweep/grid.ts";
import { quoted } from "../terminal.ts";

/** What a folder is by the files in it; what they hold is not read yet. */
export interface Place {
  folder: string;
  kind: "run" | "sweep";
}

/** What a command line asks for. */
export interface Selection {
  /** Folders and globs; `runs` where none is named. */
  places: string[];
  filters: Filter[];
}

/** A setting and the values of which a run must have one. */
export interface Filter {
  key: string;
  values: string[];
}

/** How far folders of folders are looked into. */
const DEPTH = 3;

/** What parts values where a comma is a part of one, as it is for a sweep. */
const separators: Readonly<Record<string, string>> = FLAG_SEPARATORS;

/** Tells filters (`task=colors`, `seed=1,2`) from folders. */
export async function selectionOf(words: readonly string[]): Promise<Selection> {
  const places: string[] = [], filters: Filter[] = [];
  for (const word of words) {
    const [, key, value] = /^(\w[\w.-]*)=(.+)$/s.exec(word) ?? [];
    if (key === undefined || await kindOf(word) !== undefined) places.push(word);
    else filters.push({ key, values: [value, ...value.split(separators[key] ?? ",")] });
  }
  return { places: places.length > 0 ? places : ["runs"], filters };
}

/**
 * The runs and sweeps that places name, each once, in their order: a folder that is neither stands for those in it.
 * @throws {UsageError} for a place that is not there
 */
export async function placesIn(places: readonly string[]): Promise<Place[]> {
  const found = new Map<string, Place>();
  for (const place of places) {
    const folder = join(place, "."), kind = await kindOf(folder);
    const folders = kind === undefined ? await globbed(place) : kind === "folder" ? [folder] : [];
    for (const one of folders) {
      for (const here of await within(one, DEPTH)) found.set(here.folder, here);
    }
  }
  return [...found.values()];
}

/** Folders that a pattern names, for shells that leave it as it is, and where it stands in quotes. */
async function globbed(pattern: string): Promise<string[]> {
  const found = /[*?]/.test(pattern) ? await matching(pattern) : [];
  if (found.length > 0) return found;
  const runs = (await listFolders("runs")).map((name) => join("runs", name));
  const known = runs.length === 0
    ? " Start one: deno task train colors"
    : didYouMean(pattern, runs) || " See: deno task runs";
  throw new UsageError(`no run folder "${pattern}".${known}`);
}

/**
 * What a pattern of * (any letters) and ? (one) names, sorted; a name with a dot before it only where the
 * pattern has one. Node's `glob` reads the environment, which this command may not.
 */
async function matching(pattern: string): Promise<string[]> {
  let found = [pattern.startsWith("/") ? "/" : "."];
  for (const part of pattern.split(/[/\\]/).filter((part) => part !== "" && part !== ".")) {
    const source = part.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*").replaceAll("?", ".");
    const isMeant = new RegExp(`^${source}$`, "su");
    const names = await Promise.all(found.map(async (folder) => {
      if (!/[*?]/.test(part)) return [join(folder, part)];
      const all = await listFolder(folder).catch(() => []);
      return all.filter((name) =>
        isMeant.test(name) && name.startsWith(".") === part.startsWith(".")
      )
        .map((name) => join(folder, name));
    }));
    found = names.flat();
  }
  const there = await Promise.all(found.map((path) => kindOf(path)));
  return found.filter((_, i) => there[i] === "folder");
}

async function within(folder: string, depth: number): Promise<Place[]> {
  if (await isSweep(folder)) return [{ folder, kind: "sweep" }];
  // One that may not be looked at is said where it is read.
  const config = await kindOf(join(folder, "config.json")).catch(() => "unseen");
  if (config !== undefined) return [{ folder, kind: "run" }];
  if (depth === 0) return [];
  const below = await listFolders(folder);
  return (await Array.fromAsync(below, (name) => within(join(folder, name), depth - 1))).flat();
}

/** The runs of a sweep that have begun. @throws {RunFolderError} for a `sweep.json` that is none */
export async function runsOfSweep(folder: string): Promise<string[]> {
  const all = (await readSweep(folder)).cells.map((cell) => join(folder, cell.folder));
  const begun = await Array.fromAsync(all, (run) => kindOf(join(run, "config.json")));
  return all.filter((_, i) => begun[i] !== undefined);
}

/** What is to be said of a sweep in `folder` of which no run has begun. */
export const noneBegun = (sweep: Sweep, folder: string): string =>
  `it is a sweep of ${counted(sweep.cells.length, "run")}, none begun. Begin: ${
    nextOf(sweep, folder)
  }`;

/** The line that runs what is left of a sweep. That of a study writes its page as well. */
export function nextOf({ command, cells }: Sweep, folder: string): string {
  const isStudy = /^deno task study [\w-]+( --quick)?( --seeds [\d,]+)?$/.test(command);
  if (isStudy) return `${command} --out ${quoted(folder)}`;
  return `${trainOf(cells)} --resume ${quoted(folder)}`;
}

/** What filters ask of a run, by name: what it is, then every setting. */
export function factsOf(
  { config: { task, algorithm, model, seed, steps, rewards, weights, config }, state }: Pick<
    RunGlance,
    "config" | "state"
  >,
): Record<string, unknown> {
  const trained = rewards.filter((name) => weights?.[name] !== 0);
  return {
    ...config,
    ...{ task, algorithm, model, seed, steps, state },
    reward: trained.map((name) => termOf(name, weights?.[name] ?? 1)).join(","),
  };
}

/** A reward as --reward takes it. */
const termOf = (name: string, weight: number): string => weight === 1 ? name : `${name}:${weight}`;

/**
 * The runs that every filter leaves.
 * @throws {UsageError} for a setting that no run has
 */
export function filtered<R extends Pick<RunGlance, "config" | "state">>(
  runs: readonly R[],
  filters: readonly Filter[],
): R[] {
  const facts = runs.map(factsOf);
  for (const { key } of filters) {
    if (runs.length === 0 || facts.some((of) => Object.hasOwn(of, key))) continue;
    const names = [...new Set(facts.flatMap(Object.keys))];
    throw new UsageError(`no run has a setting "${key}".${didYouMean(key, names)}`);
  }
  return runs.filter((_, i) =>
    filters.every(({ key, values }) => values.some((text) => isValue(facts[i][key], text)))
  );
}

/** Whether a value is what a text of a command line means. */
function isValue(value: unknown, text: string): boolean {
  if (typeof value === "number") return text.trim() !== "" && Number(text) === value;
  return value !== undefined && String(value) === text;
}
