/** How the lanes of a workgroup add up what each of them has. @module */
import type { Device, Kernel } from "../device.ts";
import { packed } from "./pack.ts";
import shared from "./total_shared.wgsl" with { type: "text" };
import shuffle from "./total_shuffle.wgsl" with { type: "text" };

/**
 * `code` for rows of C elements behind the fragments that declare `Pack` and `total`, and its lanes. A
 * software adapter runs 8 of them at once: more in a row only wait at barriers, and 8 that can shuffle need
 * none. Every way adds in the order of the lanes.
 */
export function totalled(
  { software, features }: Pick<Device, "software" | "features">,
  code: string,
  C: number,
): Required<Pick<Kernel, "code" | "variant" | "workgroup">> {
  const shuffles = features.has("subgroups-8");
  const { text } = packed(`${shuffles ? shuffle : shared}\n${code}`, C);
  const variant = `${text.variant}${shuffles ? ", shuffles" : ""}`;
  return { code: text.code, variant, workgroup: shuffles || software ? 8 : 64 };
}
