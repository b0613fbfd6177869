/** A run folder may come from anywhere, and is written: no code that lies in it is run, no file of it read. @module */
import { join, resolve } from "node:path";
import { isModuleFile, isPath } from "../../base/own_file.ts";
import { asUsage } from "../../base/usage.ts";
import { fullPath } from "../../model/files/disk.ts";

/**
 * What may be a path in a text of a run or a command line: itself, what stands behind a flag or a setting's
 * name, or one of a list of rewards with weights. What is none of these does no harm here.
 */
const partsIn = (text: string): string[] =>
  [text, ...text.split(/[,|=]/)]
    .flatMap((part) => [part.trim(), part.trim().replace(/:[^:/\\]*$/, "").trim()]);

/** The modules that a text of a run or a command line may name. */
export const modulesIn = (text: string): string[] => partsIn(text).filter(isModuleFile);

/** What is refused: what cannot be done, and what to do instead. */
export interface Refusal {
  /** Such as "resume". */
  action: string;
  cure: string;
}

/**
 * Refuses a run, or a sweep, of which one of `texts` names a module in its own folder.
 * @throws {Error} marked as usage
 */
export async function refuseOwnCode(
  folder: string,
  texts: readonly string[],
  { action, cure }: Refusal,
): Promise<void> {
  const path = await firstWithin(folder, texts.flatMap(modulesIn));
  if (path === undefined) return;
  throw asUsage(
    new Error(
      `Cannot ${action} ${folder} as it would run the code of ${path}, which lies in that folder: ` +
        `copy the file out of it, and ${cure}`,
    ),
  );
}

/**
 * Refuses a run, or a sweep, of which one of `texts` names a file or folder in its own folder, there or not:
 * what is written there would take the place of what is read, and a run that begins anew empties it.
 * @throws {Error} marked as usage
 */
export async function refuseOwnFiles(
  folder: string,
  texts: readonly string[],
  { action, cure }: Refusal,
): Promise<void> {
  const path = await firstWithin(folder, texts.flatMap(partsIn).filter(isPath));
  if (path === undefined) return;
  throw asUsage(
    new Error(
      `Cannot ${action} ${folder} as what a run reads must lie elsewhere than what it writes: ${path} ` +
        `lies in that folder. ${cure}`,
    ),
  );
}

/** The first of `paths` that leads into the folder, through links or not, whether anything is there yet or not. */
async function firstWithin(
  folder: string,
  paths: readonly string[],
): Promise<string | undefined> {
  const both = async (path: string) => [resolve(path), await fullPath(path) ?? resolve(path)];
  const places = (await both(folder)).map((place) => join(place, "/"));
  for (const path of new Set(paths)) {
    const found = await both(path);
    if (found.some((one) => places.some((place) => one.startsWith(place)))) return path;
  }
}
