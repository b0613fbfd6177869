/** A graded reward by word vectors against one of all or nothing, on five small tasks. @module */
import {
  bestPlayer,
  deepestFall,
  exactAfter,
  exactBefore,
  lastKl,
  lastScore,
  rewardAfter,
  roughness,
} from "./measures.ts";
import type { Results } from "./results.ts";
import type { Study, StudyArm } from "./study.ts";

const TASKS = ["colors", "opposites", "categories", "copy", "negative"];
const REWARDS = ["semantic", "exact"];
const armName = (task: string, reward: string): string => `${task} ${reward}`;

const ARMS: StudyArm[] = TASKS.flatMap((task) =>
  REWARDS.map((reward) => ({
    name: armName(task, reward),
    request: { task, reward, algorithm: "ppo", steps: 40 },
  }))
);

/** The study. */
export const pgsrm: Study = {
  name: "pgsrm",
  title: "A semantic reward against an exact one",
  question:
    "Does a reward that pays for near answers teach more, or more smoothly, than one that pays for right ones?",
  method: [
    "Five tasks: mix two colours, name an opposite, name a category, copy a sentence, rewrite one as sad. Each is " +
    "trained by PPO under the fourth power of a cosine of word vectors, and under 1 or 0.",
    "The policies are compared by what neither reward decides alone: right answers to held-out prompts. Smoothness " +
    "is how much the score jumps between steps beside how far it goes; stability how far it falls below what it had " +
    "reached.",
  ],
  arms: ARMS,
  seeds: [1, 2, 3],
  quick: { steps: 2, settings: { batchSize: 8 } },
  claims: [{
    said:
      "Rewards by embeddings rise more smoothly, and PPO's dynamics are steadier than under a binary reward, on " +
      "five tasks.",
    source: "Plashchinsky 2025, arXiv 2512.06920",
    fault:
      "Trained prompts, one seed, no trivial player: copying the word of the prompt earns about as much on " +
      "opposites as a good answer does.",
  }],
  measures: [
    ...[exactBefore, exactAfter, rewardAfter, bestPlayer, lastScore],
    ...[roughness, deepestFall, lastKl],
  ],
  answer: (results: Results) =>
    TASKS.flatMap((task) => {
      const [semantic, exact] = REWARDS.map((reward) => armName(task, reward));
      return [
        results.compared(semantic, exact, exactAfter),
        results.compared(semantic, exact, roughness),
        `${semantic} earns ${
          results.said(semantic, rewardAfter)
        } on held-out prompts; the best player that learns ` +
        `nothing ${results.said(semantic, bestPlayer)}.`,
      ];
    }),
};
