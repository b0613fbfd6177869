/**
 * The token that ends a text taken for padding.
 *
 * What was done: GPT-2 has no padding token, and two systems padded with end-of-text and made their masks of
 * it (`ids != pad`). An end that the policy drew is then masked like padding: it is not in the loss.
 *
 * What it costs: whether to end is never learned. A response that is an end alone teaches nothing at all, so
 * that saying nothing is not punished either.
 *
 * How one would notice: the share of responses that end (`tokens/finished_share`) drifts where it should
 * rise, and responses grow longer or stay as long as they may be.
 *
 * A response must have a token here, so that an end alone stays and has no gradient; in a mean over tokens
 * it counts as one.
 * @module
 */
import type {
  Evaluation,
  EvaluationGradient,
  EvaluationRequest,
  Policy,
  Rollout,
  SamplingOptions,
  TokenBatch,
} from "../../rl/policy.ts";
import type { Fault } from "./fault.ts";
import { PolicyWrapper } from "./wrapper.ts";

/** Learns nothing of the tokens that end a response. */
export class EndAsPaddingPolicy extends PolicyWrapper {
  /** (B) Of the last evaluation: whether a response is an end alone. */
  #empty: boolean[] = [];

  constructor(inner: Policy, readonly ends: readonly number[]) {
    super(inner);
  }

  override async generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    const drawn = await this.inner.generate(prompts, options);
    const kept = drawn.responses.map(({ length }, b) =>
      Math.max(1, drawn.finished[b] ? length - 1 : length)
    );
    return {
      ...drawn,
      responses: drawn.responses.map((ids, b) => ids.slice(0, kept[b])),
      logprobs: drawn.logprobs.map((of, b) => of.slice(0, kept[b])),
    };
  }

  override evaluate(batch: TokenBatch, asked?: EvaluationRequest): Promise<Evaluation> {
    this.#empty = batch.responses.map((ids) => ids.length === 1 && this.ends.includes(ids[0]));
    return this.inner.evaluate(batch, asked);
  }

  override backward(gradient: EvaluationGradient): void {
    const T = gradient.dlogprob.length / this.#empty.length;
    const masked = Object.entries(gradient).map(([name, of]) => [
      name,
      of?.map((x: number, i: number) => this.#empty[Math.floor(i / T)] ? 0 : x),
    ]);
    this.inner.backward(Object.fromEntries(masked) as EvaluationGradient);
  }
}

/** The fault. */
export const endAsPadding: Fault = {
  name: "end-as-padding",
  doc: "the token that ends a response is masked as if it were padding, and not learned from",
  refusesModel: ({ ends }) =>
    ends.length > 0
      ? undefined
      : "it masks the token that ends a response: the model has none, its eos_token_id is null; " +
        "use another model",
  policy: (policy, { ends }) => new EndAsPaddingPolicy(policy, ends),
};
