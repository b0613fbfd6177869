/**
 * PPO and GAE on a task whose answer the field knows: CartPole-v1. CleanRL's ppo.py, the published
 * reference, reaches a mean episode of 490 +- 6 pushes of at most 500 over three seeds. So far
 * `deno task test:cartpole` goes, in minutes; the short form goes half the way with one seed.
 */
import assert from "node:assert/strict";
import type { Algorithm } from "../../rl/algorithm.ts";
import { ppo, type PpoConfig } from "../../rl/algorithms/ppo.ts";
import { gae } from "../../rl/gae.ts";
import { whiten } from "../../rl/stats.ts";
import { Trainer } from "../../rl/trainer.ts";
import { lastToken } from "../../rl/batch.ts";
import { CartPolePolicy, LONGEST } from "./_cart_pole.ts";

/** PPO with a reward of 1 for every push, in the place of a score at the end and a KL penalty. */
const standing: Algorithm<PpoConfig> = {
  ...ppo,
  needs: () => ({ value: true, reference: false, groupSize: 1 }),
  advantages({ grid, old, rollout }, { config: { gamma, lambda } }) {
    const reward = Float32Array.from(grid.mask), value = old.value!;
    // An episode that was cut off at its longest would have gone on: its value stands for the rest.
    const bootstrap = rollout.finished.map((fell, b) =>
      fell ? 0 : value[b * grid.T + lastToken(grid, b)]
    );
    const { advantage, returns } = gae(grid, { reward, value, gamma, lambda, bootstrap });
    const whitened = whiten(advantage, grid.mask, { variance: "sample", shiftMean: true });
    const none = new Float32Array(grid.mask.length);
    return { advantage: whitened, returns, kl: none, penalty: none };
  },
};

const EPISODES = 16;

/** Mean length of 100 episodes from states that no training began with. */
async function meanEpisode(seed: number, steps: number): Promise<number> {
  const policy = new CartPolePolicy(seed);
  const trainer = new Trainer(policy, {
    seed,
    totalSteps: steps,
    maxNewTokens: LONGEST,
    epochs: 4,
    minibatches: 16,
    learningRate: 2e-3,
    learningRateSchedule: "linear",
    gamma: 0.99,
    lambda: 0.95,
    valueCoefficient: 0.5,
    valueClip: 100, // of pushes
  }, standing);
  for (let step = 0; step < steps; step++) {
    const starts = Array.from({ length: EPISODES }, (_, i) => Int32Array.of(step * EPISODES + i));
    await trainer.step(starts, ({ responses }) => Promise.resolve(responses.map((r) => r.length)));
  }
  const unseen = Array.from({ length: 100 }, (_, i) => Int32Array.of(1e6 + i));
  const { responses } = await policy.generate(unseen, {
    maxNewTokens: LONGEST,
    temperature: 1,
    seed,
    stream: 1e6,
  });
  return responses.reduce((sum, { length }) => sum + length, 0) / responses.length;
}

const isWhole = Deno.env.has("PLAINRL_CART_POLE");
const { seeds, steps, least } = isWhole
  ? { seeds: [1, 2, 3], steps: 100, least: 490 }
  : { seeds: [1], steps: 45, least: 195 }; // at first it falls after some 20 pushes

Deno.test(`PPO with GAE balances a pole for ${least} pushes and more`, async () => {
  const lengths: number[] = [];
  for (const seed of seeds) lengths.push(await meanEpisode(seed, steps));
  if (isWhole) console.log(`mean episodes: ${lengths.join(", ")}`);
  for (const length of lengths) assert.ok(length >= least, `mean episodes: ${lengths}`);
});
