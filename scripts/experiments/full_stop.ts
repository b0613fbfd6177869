/**
 * Page 9: the colours asked for in a sentence that the model likes to end with a full stop. The reward
 * `semantic` does not see the stop, the reward `exact` does.
 * @module
 */
import type { TrainRequest } from "../../experiment/request.ts";
import { trainTask } from "../../experiment/train.ts";
import { colors, parseColors } from "../../tasks/colors.ts";
import table from "../../tasks/data/colors.csv" with { type: "text" };
import type { Task } from "../../tasks/task.ts";
import { argument, choice, type Experiment, watch } from "./_run.ts";

/** Another wording of the same pairs. */
const { train, heldout } = parseColors(table, "tasks/data/colors.csv");
const inSentences = (examples: typeof train) =>
  examples.map((example) => ({
    ...example,
    prompt: `If you blend ${example.a} with ${example.b}, you get`,
  }));

/** The task colors in sentences. */
export const sentences: Task = {
  ...colors(),
  name: "sentences",
  summary: "end a sentence with what two colours give when mixed",
  examples: { train: inSentences(train), heldout: inSentences(heldout) },
  maxNewTokens: 3,
};

/** A run of 12 steps by one of the two rewards; the other is measured. */
export const fullStopRequest = (reward: "semantic" | "exact", seed: number): TrainRequest => ({
  task: sentences,
  reward: reward === "semantic" ? "semantic" : `${reward},semantic:0`,
  steps: 12,
  seed,
});

const REWARDS = ["semantic", "exact"] as const;

/** Trains, and prints the course and what the policy would write. */
async function run(reward: typeof REWARDS[number], seed: number): Promise<void> {
  const { rows, answers, observer } = watch();
  await trainTask(fullStopRequest(reward, seed), observer);
  console.log("step  nearness  exact");
  for (const row of rows.filter(({ step }) => step === 1 || step % 4 === 0)) {
    const { step, "rewards/semantic/mean": near, "rewards/exact/mean": same } = row;
    console.log(
      `${String(step).padStart(4)}${near.toFixed(2).padStart(10)}${same.toFixed(2).padStart(7)}`,
    );
  }
  for (const { prompt, completion } of answers("after", "heldout").slice(0, 4)) {
    console.log(JSON.stringify(prompt + completion));
  }
}

export const experiment: Experiment = {
  name: "full_stop",
  doc: `what a reward makes of a full stop: full_stop ${REWARDS.join("|")} [seed, 1]`,
  prepare(words) {
    const reward = choice(words, 0, { name: "reward", choices: REWARDS });
    const seed = argument(words, 1, "seed", 1);
    return () => run(reward, seed);
  },
};
