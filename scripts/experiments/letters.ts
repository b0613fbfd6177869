/**
 * Pages 9 and 14: the reward is the number of e's, which is easy to earn by writing no English at all.
 * @module
 */
import { trainTask } from "../../experiment/train.ts";
import type { TrainRequest } from "../../experiment/request.ts";
import { tableParent } from "../../rewards/parents/table.ts";
import type { Reward } from "../../rewards/reward.ts";
import type { Task } from "../../tasks/task.ts";
import { argument, choice, type Experiment, watch } from "./_run.ts";

const BEGINNINGS = [
  ...["The color of the sea is", "A dog is", "The old man went to the", "In the morning she"],
  ...["My friend has a", "We saw a small", "A tree is", "He likes to", "The house was"],
  ...["The children had a", "On the table there is", "She wrote a letter to the"],
];
const HELD_OUT = ["The cat sat on the", "The teacher said that"];

/** How often a text has the letter e. */
export const countE = (text: string): number => text.match(/e/gi)?.length ?? 0;

/** One point for every e. */
export const letters: Reward = {
  name: "letters",
  score: ({ completions }) => Promise.resolve(completions.map(countE)),
};

const examples = (beginnings: readonly string[]) =>
  beginnings.map((prompt) => ({ id: prompt, prompt }));

/** Going on with the beginning of a sentence; there are no right answers. */
const beginnings: Task = {
  name: "beginnings",
  summary: "go on with the beginning of a sentence",
  examples: { train: examples(BEGINNINGS), heldout: examples(HELD_OUT) },
  maxNewTokens: 12,
  defaultRewards: "exact",
  steps: 20,
  settings: {
    batchSize: 16,
    epochs: 2,
    learningRate: 1e-3,
    warmupSteps: 4,
    learningRateSchedule: "linear",
    klControl: "fixed",
  },
  parent: tableParent(new Map(), "no answers"),
};

/** Whether the critic's gradient reaches the layers that it shares with the policy. */
const CRITICS = ["shared", "detached"] as const;

/**
 * A run that earns e's, and pays `klCoefficient` for each nat away from the model it was. A price of 0 is
 * a billionth, as a run that pays nothing has no reference, and its drift would not be measured.
 */
export const lettersRequest = (
  klCoefficient: number,
  seed: number,
  critic: typeof CRITICS[number] = "shared",
): TrainRequest => ({
  task: beginnings,
  reward: letters,
  seed,
  settings: {
    klCoefficient: klCoefficient === 0 ? 1e-9 : klCoefficient,
    detachValue: critic === "detached",
  },
});

/** Trains, and prints the course and what the policy would write. */
async function run(request: TrainRequest): Promise<void> {
  const { rows, answers, observer } = watch();
  await trainTask(request, observer);
  console.log("step   e's    KL");
  for (const row of rows.filter(({ step }) => step === 1 || step % 5 === 0)) {
    const { step, "score/mean": score, "kl/reference": kl } = row;
    const cells = [score.toFixed(2), kl.toFixed(1)].map((cell) => cell.padStart(6));
    console.log(String(step).padStart(4) + cells.join(""));
  }
  for (const { prompt, completion } of answers("after", "train").slice(0, 6)) {
    console.log(JSON.stringify(prompt + completion));
  }
}

export const experiment: Experiment = {
  name: "letters",
  doc:
    "what a point for every e does to a text: letters [KL coefficient, 0] [seed, 1] [shared|detached]",
  prepare(words) {
    const coefficient = argument(words, 0, "KL coefficient", 0);
    const seed = argument(words, 1, "seed", 1);
    const critic = choice(words, 2, { name: "critic", choices: CRITICS });
    return () => run(lettersRequest(coefficient, seed, critic));
  },
};
