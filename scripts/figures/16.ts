/** Page 16: groups of scores and the advantages that they become. @module */
import { groupAdvantages } from "../../rl/group.ts";
import { cells, type Figure, svg, text } from "./_svg.ts";

const SCORES = [
  { prompt: "half are right", scores: [1, 0, 0, 1, 1, 0, 0, 1] },
  { prompt: "one is right", scores: [0, 0, 1, 0, 0, 0, 0, 0] },
  { prompt: "all are right", scores: [1, 1, 1, 1, 1, 1, 1, 1] },
];

/** Advantages of the groups, each of the size of its scores. */
function advantagesOf(scores: readonly number[]): number[] {
  const { advantage } = groupAdvantages(scores, scores.map(() => true), {
    groupSize: scores.length,
    baseline: "mean",
    advantageScale: "sample",
    advantageEpsilon: 1e-4,
  });
  return [...advantage];
}

function groups(): string {
  const width = 46, height = 24, left = 120;
  const rows = SCORES.flatMap(({ prompt, scores }, g) => {
    const y = 30 + g * 74, advantages = advantagesOf(scores);
    const at = { x: left, width, height };
    return [
      text(12, y + 16, prompt, { size: 12 }),
      cells({ ...at, y }, [scores.map(String)], (_, c) => ({
        tone: scores[c] > 0 ? 3 : 0,
        strength: scores[c] > 0 ? 0.35 : 0.1,
      })),
      text(12, y + height + 16, "advantage", { size: 11, soft: true }),
      cells(
        { ...at, y: y + height },
        [advantages.map((x) => x === 0 ? "0" : x.toFixed(2))],
        (_, c) => ({
          tone: advantages[c] > 0 ? 1 : 5,
          strength: Math.min(0.6, Math.abs(advantages[c]) / 4),
          size: 11,
        }),
      ),
    ];
  });
  return svg(
    {
      title: "Three groups of eight answers and their advantages",
      desc:
        "Where half are right, right answers have 0.94 and wrong ones -0.94. Where one is right it has 2.47, the " +
        "others -0.35. Where all are right every advantage is 0.",
      width: left + 8 * width + 12,
      height: 30 + 3 * 74,
    },
    text(left, 20, "scores of eight answers to one prompt", { size: 11, soft: true }),
    ...rows,
  );
}

export const figures: readonly Figure[] = [{ file: "16-groups.svg", draw: groups }];
