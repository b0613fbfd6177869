/** What rewards read beside the run's own model: networks and word vectors. @module */
import { checksums } from "../model/files/checksum.ts";
import { splitPath } from "../model/files/deno_folder.ts";
import { findModel } from "../model/hub/find_model.ts";
import type { ChosenReward } from "./rewards.ts";

/** Names of the run's own model, as the reward perplexity has them. */
const OWN = ["policy", "reference"];

/**
 * What tells the content of each from another, by name: hashes of its files, or the commit of the hub. A
 * run that resumes with other content would be rewarded otherwise.
 * @throws {Error} where one is not there
 */
export async function rewardSources(
  chosen: readonly ChosenReward[],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const one of chosen) {
    if (!("definition" in one)) continue;
    const { definition: { encoder, classifier, scorer, vectors }, settings } = one;
    for (const named of [encoder, classifier, scorer]) {
      const name = named?.(settings);
      if (name !== undefined && !OWN.includes(name)) found[name] = await contentOf(name);
    }
    const file = vectors?.(settings);
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
