/** Film reviews that grow kind: how far from the base, and at what price. @module */
import { mean } from "../../base/statistics/moments.ts";
import { winsOf } from "../../base/statistics/wins.ts";
import type { RunData } from "../folder/run_data.ts";
import {
  bestPlayer,
  lastKl,
  lastScore,
  type Measure,
  rewardAfter,
  rewardBefore,
} from "./measures.ts";
import type { Results } from "./results.ts";
import type { Study, StudyArm } from "./study.ts";

/** Rewards of greedy held-out completions by example; those that nothing could score are left out. */
const heldoutRewards = (
  { completions }: RunData,
  when: "before" | "after",
): Map<string, number> =>
  new Map(
    completions.flatMap(({ phase, split, id, reward }) =>
      phase === when && split === "heldout" && reward !== null ? [[id, reward]] : []
    ),
  );
const kindShare = (when: "before" | "after"): Measure => ({
  name: `kind ${when}`,
  doc: `Share of greedy held-out completions with a sentiment above 0, ${when} training.`,
  of: (run) => mean([...heldoutRewards(run, when).values()].map((reward) => Number(reward > 0))),
});
/** How often the trained policy's completion is kinder than the base's to the same prompt; ties count half. */
const winRate: Measure = {
  name: "win rate",
  doc:
    "Share of held-out prompts where the trained completion scores higher than the base's; ties count half.",
  of(run) {
    const before = heldoutRewards(run, "before"), after = heldoutRewards(run, "after");
    const differences = [...after].flatMap(([id, reward]) =>
      before.has(id) ? [reward - before.get(id)!] : []
    );
    return winsOf(differences).rate;
  },
};
const [KIND_BEFORE, KIND_AFTER] = [kindShare("before"), kindShare("after")];

const arm = (name: string, klCoefficient: number): StudyArm => ({
  name,
  request: { task: "imdb", algorithm: "ppo", steps: 60, settings: { klCoefficient } },
});

/** The study. */
export const imdb: Study = {
  name: "imdb",
  title: "Kinder film reviews",
  question: "How much kinder do continued reviews become, and what does KL hold back?",
  method: [
    "Beginnings of reviews, continued by 32 tokens; the reward is VADER's compound of what was written. PPO, with " +
    "the task's KL coefficient, with a small one and without.",
    "Mean, share of kind ones and win rate against the untrained model on held-out beginnings, greedy. " +
    "`deno task eval` gives the same of drawn completions, with a file of every pair.",
  ],
  arms: [arm("KL 0.05", 0.05), arm("KL 0.005", 0.005), arm("no KL", 0)],
  seeds: [1, 2, 3],
  quick: { steps: 2, settings: { batchSize: 8 } },
  claims: [{
    said:
      "In 10 steps of 64 the mean sentiment of 500 test reviews rose from 0.27 to 0.42, and kind ones from 66 % to " +
      "75 %.",
    source: "a PPO system for GPT-2 on IMDB reviews with a sentiment classifier",
    fault:
      "Log-probabilities were of the position after each token; a mask that counted end-of-text as padding; one " +
      "seed; the win rate was computed and not told.",
  }],
  measures: [
    rewardBefore,
    rewardAfter,
    KIND_BEFORE,
    KIND_AFTER,
    winRate,
    bestPlayer,
    lastScore,
    lastKl,
  ],
  answer: (results: Results) => [
    `Mean sentiment goes from ${results.said("KL 0.05", rewardBefore)} to ${
      results.said("KL 0.05", rewardAfter)
    } with ` +
    `KL 0.05, and to ${results.said("no KL", rewardAfter)} without KL.`,
    `Of the completions ${results.said("KL 0.05", KIND_BEFORE)} are kind before and ` +
    `${results.said("KL 0.05", KIND_AFTER)} after; they win ${
      results.said("KL 0.05", winRate)
    } of the comparisons.`,
    results.compared("no KL", "KL 0.05", rewardAfter),
    `The policy ends ${results.said("KL 0.05", lastKl, 2)} nats from the reference with KL 0.05, ` +
    `${results.said("KL 0.005", lastKl, 2)} with 0.005; without KL nothing measures it.`,
  ],
};
