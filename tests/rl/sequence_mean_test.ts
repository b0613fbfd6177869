/**
 * An algorithm whose loss is a mean over sequences and not over tokens: soft adaptive policy
 * optimisation (SAPO), against numbers of the published formula on the shared worked example.
 */
import assert from "node:assert/strict";
import type { Algorithm } from "../../rl/algorithm.ts";
import { onTokens } from "../../rl/algorithms/critic_free.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { emptySums, meansOf, sumsAreFinite } from "../../rl/loss/sums.ts";
import type {
  Evaluation,
  EvaluationGradient,
  Policy,
  Rollout,
  TokenBatch,
} from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { lay, LOGPROB } from "./_golden.ts";

/** The policy after its first optimiser step, less the one that drew the tokens. */
const MOVED = [[0.3, -0.3, 0.1, 0], [-0.25, 0.05]];
/** Loss and gradient of the moved policy, advantages +1 and -1, computed elsewhere in float64. */
const LOSS = -0.1140652719;
const GRADIENT = [[-.16367262, -.09106438, -.13776506, -.125], [.19209788, .26262744]];
/** At ratio 1 a token's loss is -2 A / tau, tau 1 for A > 0 and 1.05 else. */
const FIRST_LOSS = (-2 + 2 / 1.05) / 2;

/** The product's, of responses that are compared with nothing: their scores are their advantages. */
const sapo: Algorithm = {
  ...findAlgorithm("sapo"),
  needs: () => ({ value: false, reference: false, groupSize: 1 }),
  advantages: ({ grid, score }) => ({
    advantage: onTokens(grid, score),
    facts: { "groups/equal_share": NaN },
  }),
};

/** Plays the example back: what it says moves with its first optimiser step. */
class Playback implements Policy {
  readonly hasValues = false;
  moved = false;
  /** Gradients of the moved policy by row. */
  gradient: number[][] = [];
  #rows: number[] = [];
  generate(prompts: Int32Array[]): Promise<Rollout> {
    return Promise.resolve({
      prompts,
      responses: LOGPROB.map((row) => new Int32Array(row.length)),
      finished: LOGPROB.map(() => true),
      logprobs: LOGPROB.map((row) => Float32Array.from(row)),
    });
  }
  evaluate({ prompts }: TokenBatch): Promise<Evaluation> {
    this.#rows = prompts.map((prompt) => prompt[0]);
    const now = this.#rows.map((b) => LOGPROB[b].map((l, t) => l + (this.moved ? MOVED[b][t] : 0)));
    const logprob = Float32Array.from(lay(now));
    return Promise.resolve({ logprob, entropy: logprob.map(Math.abs) });
  }
  backward({ dlogprob }: EvaluationGradient): void {
    if (!this.moved) return;
    const T = dlogprob.length / this.#rows.length;
    this.#rows.forEach((b, at) => {
      this.gradient[b] = [...dlogprob.slice(at * T, at * T + LOGPROB[b].length)];
    });
  }
  step(): void {
    this.moved = true;
  }
  zeroGradient(): void {}
  gradientNorm(): Promise<number> {
    return Promise.resolve(1);
  }
}

Deno.test("a loss that is a mean over sequences is reported as it is, in pieces of any size", async () => {
  for (const microbatchRows of [0, 1, 2]) {
    const policy = new Playback();
    const trainer = new Trainer(policy, { epochs: 2, microbatchRows }, sapo);
    const prompts = [Int32Array.of(0), Int32Array.of(1)];
    const { metrics } = await trainer.step(prompts, () => Promise.resolve([1, -1]));
    // Two optimiser batches: the first sees the old policy, the second the moved one.
    for (const name of ["loss/total", "loss/policy"]) {
      assertClose([metrics[name]], [(FIRST_LOSS + LOSS) / 2], `${name}, ${microbatchRows}`, 1e-7);
    }
    assertClose(policy.gradient.flat(), GRADIENT.flat(), `gradient, ${microbatchRows}`, 1e-7);
  }
});

Deno.test("a weighted sum that is not finite is a fault, and is not divided by tokens", () => {
  const sums = { ...emptySums(), tokens: 4, sum: { a: 8 }, weighted: { b: 8 } };
  assert.deepEqual(meansOf(sums), { a: 2, b: 8 });
  assert.ok(sumsAreFinite(sums));
  assert.ok(!sumsAreFinite({ ...sums, weighted: { b: NaN } }));
});
