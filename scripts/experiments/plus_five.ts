/**
 * Page 11: what five points for every answer, right or wrong, do to REINFORCE, and what mends it.
 * @module
 */
import type { TrainRequest } from "../../experiment/request.ts";
import { trainTask } from "../../experiment/train.ts";
import { exact } from "../../rewards/exact.ts";
import type { Reward } from "../../rewards/reward.ts";
import { argument, choice, type Experiment, watch } from "./_run.ts";

/** The reward `exact`, and `extra` points for whatever was answered. */
export function exactPlus(extra: number): Reward {
  const right = exact();
  return {
    name: "exact_plus",
    async score(batch) {
      return (await right.score(batch)).map((score) => score === null ? null : score + extra);
    },
  };
}

/** What is learned by, by the name that the command line has for it. */
export const METHODS = {
  none: { algorithm: "reinforce", settings: { batchBaseline: false } },
  batch: { algorithm: "reinforce", settings: { batchBaseline: true } },
  whitened: { algorithm: "reinforce++", settings: {} },
  rloo: { algorithm: "rloo", settings: { groupSize: 4 } },
} as const;

/** A run of 20 steps by one of the methods, each rollout learned from once, without a KL penalty. */
export const plusRequest = (
  method: keyof typeof METHODS,
  extra: number,
  seed: number,
): TrainRequest => ({
  task: "colors",
  reward: exactPlus(extra),
  algorithm: METHODS[method].algorithm,
  steps: 20,
  seed,
  settings: { ...METHODS[method].settings, epochs: 1, klCoefficient: 0 },
});

/** Trains, and prints the course and the share of exact answers. */
async function run(method: keyof typeof METHODS, extra: number, seed: number): Promise<void> {
  const { rows, summary, observer } = watch();
  await trainTask(plusRequest(method, extra, seed), observer);
  console.log("step  score   loss  entropy");
  for (const row of rows.filter(({ step }) => step === 1 || step % 5 === 0)) {
    const { step, "score/mean": score, "loss/policy": loss, "policy/entropy": entropy } = row;
    const cells = [score, loss, entropy].map((x) => x.toFixed(2).padStart(7));
    console.log(String(step).padStart(4) + cells.join(""));
  }
  const { train, heldout } = summary();
  console.log(`exact ${train.after.exact.toFixed(2)}, held-out ${heldout.after.exact.toFixed(2)}`);
}

const NAMES = Object.keys(METHODS) as (keyof typeof METHODS)[];

export const experiment: Experiment = {
  name: "plus_five",
  doc: `exact answers, each with points added: plus_five ${NAMES.join("|")} [extra, 5] [seed, 1]`,
  prepare(words) {
    const method = choice(words, 0, { name: "method", choices: NAMES });
    const extra = argument(words, 1, "extra reward", 5), seed = argument(words, 2, "seed", 1);
    return () => run(method, extra, seed);
  },
};
