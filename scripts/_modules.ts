/** The modules of a folder beside the scripts. @module */

/** What the files of scripts/`folder` export, in the order of their names; those that begin with _ are left out. */
export async function modulesOf<T>(folder: string): Promise<T[]> {
  const at = new URL(`${folder}/`, import.meta.url), names: string[] = [];
  for await (const { name } of Deno.readDir(at)) {
    if (/^[^_].*\.ts$/.test(name)) names.push(name);
  }
  return await Promise.all(names.sort().map((name) => import(new URL(name, at).href)));
}
