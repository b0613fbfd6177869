/** A run folder may come from anywhere: no code that lies in it is run. @module */
import { join } from "node:path";
import { isModuleFile } from "../../base/own_file.ts";
import { asUsage } from "../../base/usage.ts";
import { fullPath } from "../../model/files/disk.ts";

/**
 * Refuses a run of which one of `paths` is a module in its own folder.
 * @param options.action what errors say cannot be done: "resume"
 * @param options.cure what to do instead
 * @throws {Error} marked as usage
 */
export async function refuseOwnCode(
  folder: string,
  paths: readonly string[],
  { action, cure }: { action: string; cure: string },
): Promise<void> {
  const place = await fullPath(folder);
  for (const path of paths.filter(isModuleFile)) {
    const found = await fullPath(path);
    if (place === undefined || !found?.startsWith(join(place, "/"))) continue;
    throw asUsage(
      new Error(
        `Cannot ${action} ${folder} as it would run the code of ${path}, which lies in the run's own folder: ` +
          `copy the file out of it, and ${cure}`,
      ),
    );
  }
}
