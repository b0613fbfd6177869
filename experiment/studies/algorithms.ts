/** Every algorithm on one task that tells them apart. @module */
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { exactAfter, exactBefore, lastKl, lastScore, rewardAfter } from "./measures.ts";
import type { Results } from "./results.ts";
import type { Study } from "./study.ts";

const NAMES = listAlgorithms().map(({ name }) => name);

/** The study. */
export const algorithms: Study = {
  name: "algorithms",
  title: "Every algorithm on three colours",
  question: "Do the algorithms differ where the task is not solved by all of them?",
  method: [
    "Three colours mixed, of which a third of the sets are never trained on: 40 steps of 48 completions, each " +
    "algorithm with its own settings and the task's reward. On two colours all end at the same place.",
  ],
  arms: NAMES.map((name) => ({
    name,
    request: { task: "shades", algorithm: name, steps: 40 },
  })),
  seeds: [1, 2, 3],
  quick: { steps: 1, settings: { batchSize: 16 } },
  claims: [],
  measures: [exactBefore, exactAfter, rewardAfter, lastScore, lastKl],
  answer(results: Results) {
    const ranked = NAMES.map((name) => ({ name, mean: results.interval(name, exactAfter).mean }))
      .filter(({ mean }) => !Number.isNaN(mean)).sort((a, b) => b.mean - a.mean)
      .map(({ name }) => name);
    const [best, ...others] = ranked, lowest = ranked.at(-1);
    if (best === undefined || lowest === undefined) return [];
    if (others.length === 0) {
      const alone = `${best} alone has a finished run, ${results.said(best, exactAfter)}`;
      return [`${alone}: there is nothing to compare it with.`];
    }
    const apart = others.filter((name) =>
      results.difference(best, name, exactAfter).verdict === "higher"
    );
    const said = apart.length === 0
      ? "no other is told apart from it by these seeds"
      : `it is told apart from ${apart.join(", ")}`;
    return [
      `${best} has the highest mean, ${results.said(best, exactAfter)}; ${said}.`,
      `The lowest is ${lowest}, ${results.said(lowest, exactAfter)}.`,
    ];
  },
};
