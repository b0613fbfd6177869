/** How the lanes of a workgroup that owns a row of logits join what each of them found. @module */
import type { Device } from "../device.ts";
import { hasShuffles } from "../tuning.ts";
import highest from "./highest.wgsl" with { type: "text" };
import shared from "./tree.wgsl" with { type: "text" };
import shuffle from "./tree_shuffle.wgsl" with { type: "text" };

/** The fragments that declare `sum_of_lanes` and `highest_of_lanes`: the same tree either way. */
export const treeFor = (device: Pick<Device, "features">): string =>
  `${highest}\n${hasShuffles(device) ? shuffle : shared}`;
