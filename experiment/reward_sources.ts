/** What rewards read beside the run's own model: networks and word vectors. @module */
import { checksums } from "../model/files/checksum.ts";
import { splitPath } from "../model/files/deno_folder.ts";
import { findModel } from "../model/hub/find_model.ts";
import { isOfTheRun, networksOf } from "./reward_networks.ts";
import type { ChosenReward } from "./rewards.ts";

/**
 * What tells the content of each from another, by name: hashes of its files, or the commit of the hub. A
 * run that resumes with other content would be rewarded otherwise.
 * @throws {Error} where one is not there
 */
export async function rewardSources(
  chosen: readonly ChosenReward[],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name } of networksOf(chosen)) {
    if (!isOfTheRun(name)) found[name] ??= await contentOf(name);
  }
  for (const one of chosen) {
    const file = "definition" in one ? one.definition.vectors?.(one.settings) : undefined;
    if (file === undefined) continue;
    const { folder, name } = splitPath(file);
    found[file] = (await checksums(folder, (other) => other === name))[name] ?? "none";
  }
  return found;
}

async function contentOf(model: string): Promise<string> {
  const { source } = await findModel(model);
  return source.kind === "hub" ? source.commit : Object.values(source.sha256).join(" ");
}
