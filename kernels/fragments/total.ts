/** How the lanes of a workgroup add up what each of them has. @module */
import type { Device, Kernel } from "../device.ts";
import { packed } from "./pack.ts";
import shared from "./total_shared.wgsl" with { type: "text" };
import shuffle from "./total_shuffle.wgsl" with { type: "text" };
import tree from "./total_tree.wgsl" with { type: "text" };
import { hasShuffles } from "../tuning.ts";

/**
 * `code` for rows of C elements behind the fragments that declare `Pack` and `total`, and its lanes. A
 * software adapter runs 8 of them at once: more in a row only wait at barriers, and 8 that can shuffle need
 * none; these two add in the order of the lanes. Graphics hardware adds 64 by a tree.
 */
export function totalled(
  device: Pick<Device, "software" | "features">,
  code: string,
  C: number,
): Required<Pick<Kernel, "code" | "variant" | "workgroup">> {
  const [total, how] = hasShuffles(device)
    ? [shuffle, ", shuffles"]
    : device.software
    ? [shared, ""]
    : [tree, ", tree"];
  const { code: text, variant } = packed(`${total}\n${code}`, C).text;
  return { code: text, variant: variant + how, workgroup: total === tree ? 64 : 8 };
}
