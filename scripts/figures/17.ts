/** Page 17: how often a group teaches nothing, by how hard its prompt is. @module */
import { type Figure, lineChart } from "./_svg.ts";

/** Chance that `size` answers, each right with chance p, are all right or all wrong. */
export const deadShare = (p: number, size: number): number => p ** size + (1 - p) ** size;

export const figures: readonly Figure[] = [{
  file: "17-dead.svg",
  draw: () =>
    lineChart({
      title: "Groups that teach nothing",
      desc:
        "The chance that all answers of a group score the same, over the chance of one answer to be right: " +
        "1 at both ends, lowest in the middle; 0.5 there for two answers, 0.008 for eight.",
      heading: "Chance that a group teaches nothing",
      x: { label: "chance of an answer to be right", range: [0, 1] },
      y: { label: "share of groups", range: [0, 1] },
      series: [2, 4, 8, 16].map((size) => ({
        name: `${size} answers`,
        points: Array.from({ length: 101 }, (_, i) => [i / 100, deadShare(i / 100, size)]),
      })),
    }),
}];
