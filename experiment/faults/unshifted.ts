/**
 * Log-probabilities that are not shifted: the logits at a token are asked for that same token.
 *
 * What was done: a PPO system for film reviews gathered `logits[t]` at `ids[t]`. The logits at a token are
 * made after it was read and speak of the next one, so that what was trained is log pi(y_t | x, y_1 … y_t):
 * how likely a token is to be said again. Entropy, KL, ratio and value came from the same places.
 *
 * What it costs: the gradient does not belong to what was sampled. Old and new policy, and the reference, are
 * wrong alike, so that ratio and KL look healthy.
 *
 * How one would notice: the sampler's log-probability of a token and the training pass's are far apart from
 * the first step on (`sampling/logp_difference_max`), where rounding alone would keep them together.
 * @module
 */
import type {
  Evaluation,
  EvaluationGradient,
  EvaluationRequest,
  TokenBatch,
} from "../../rl/policy.ts";
import type { Fault } from "./fault.ts";
import { PolicyWrapper } from "./wrapper.ts";

/**
 * The same tokens, each asked for after itself: prompt `x y_1 … y_t`, response `y_t`, a row for each token of
 * each response in order. The value before such a response is that of the token's own place.
 */
export function askedAfterThemselves({ prompts, responses, temperature }: TokenBatch): TokenBatch {
  const rows = responses.flatMap((response, b) =>
    Array.from(response, (token, t) => ({
      prompt: Int32Array.from([...prompts[b], ...response.subarray(0, t + 1)]),
      response: Int32Array.of(token),
    }))
  );
  return {
    prompts: rows.map(({ prompt }) => prompt),
    responses: rows.map(({ response }) => response),
    temperature,
  };
}

/** Places in the (B, T) grid of the tokens of a batch, in order; and how many places it has. */
function placesOf({ responses }: TokenBatch): { places: number[]; size: number } {
  const T = Math.max(...responses.map(({ length }) => length));
  return {
    places: responses.flatMap((response, b) => Array.from(response, (_, t) => b * T + t)),
    size: responses.length * T,
  };
}

/** Asks each token after itself. */
export class UnshiftedPolicy extends PolicyWrapper {
  #places: number[] = [];

  override async evaluate(batch: TokenBatch, asked?: EvaluationRequest): Promise<Evaluation> {
    const { places, size } = placesOf(batch);
    const told = await this.inner.evaluate(askedAfterThemselves(batch), asked);
    this.#places = places;
    const grids = Object.entries(told).map(([name, of]) => [name, spread(of, places, size)]);
    return Object.fromEntries(grids) as unknown as Evaluation;
  }

  override backward(gradient: EvaluationGradient): void {
    const rows = Object.entries(gradient).map((
      [name, of],
    ) => [name, of && Float32Array.from(this.#places, (at) => of[at])]);
    this.inner.backward(Object.fromEntries(rows) as EvaluationGradient);
  }

  protected override async referenceOf(batch: TokenBatch): Promise<{ logprob: Float32Array }> {
    const { places, size } = placesOf(batch);
    const { logprob } = await super.referenceOf(askedAfterThemselves(batch));
    return { logprob: spread(logprob, places, size) };
  }
}

function spread(of: Float32Array, places: readonly number[], size: number): Float32Array {
  const grid = new Float32Array(size);
  places.forEach((at, row) => grid[at] = of[row]);
  return grid;
}

/** The fault. */
export const unshifted: Fault = {
  name: "unshifted",
  doc: "the log-probability of a token is taken from the logits after it, not before it",
  refuses: ({ run: { sharePrefixes } }) =>
    sharePrefixes === "on"
      ? undefined
      : "it asks every token by a text of its own, which only shared beginnings make affordable: " +
        `sharePrefixes is ${sharePrefixes}; set sharePrefixes=on`,
  policy: (policy) => new UnshiftedPolicy(policy),
  shape: (shape) => ({ ...shape, valueAt: "own" }), // the last token is read too
};
