/** A run folder may come from anywhere: no code that lies in it is run. @module */
import { join } from "node:path";
import { isModuleFile } from "../../base/own_file.ts";
import { asUsage } from "../../base/usage.ts";
import { fullPath } from "../../model/files/disk.ts";

/**
 * The modules that a text of a run or a command line may name: itself, or one of a list of rewards with
 * weights, behind a flag or not. What is no list is a module of a strange name, and does no harm here.
 */
export const modulesIn = (text: string): string[] =>
  [text, ...text.split(/[,|=]/)]
    .flatMap((part) => [part.trim(), part.trim().replace(/:[^:/\\]*$/, "").trim()])
    .filter(isModuleFile);

/**
 * Refuses a run, or a sweep, of which one of `texts` names a module in its own folder.
 * @param options.action what errors say cannot be done: "resume"
 * @param options.cure what to do instead
 * @throws {Error} marked as usage
 */
export async function refuseOwnCode(
  folder: string,
  texts: readonly string[],
  { action, cure }: { action: string; cure: string },
): Promise<void> {
  const place = await fullPath(folder);
  for (const path of texts.flatMap(modulesIn)) {
    const found = await fullPath(path);
    if (place === undefined || !found?.startsWith(join(place, "/"))) continue;
    throw asUsage(
      new Error(
        `Cannot ${action} ${folder} as it would run the code of ${path}, which lies in that folder: ` +
          `copy the file out of it, and ${cure}`,
      ),
    );
  }
}
