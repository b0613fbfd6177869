/**
 * A slice that begins inside the prompt wherever a row is padded on the left.
 *
 * What was done: a GRPO notebook padded prompts on the left to the longest of the batch, L tokens, and took
 * as the response what stands after the prompt's own length, n. In the padded row that is L - n tokens too
 * early: the prompt's last L - n tokens were learned from as if they had been drawn. (Where the prompt is
 * shorter than that, its padding too; here a slice begins with the prompt's second token at the earliest.)
 *
 * What it costs: under a group's advantages, which add up to 0, nothing, as all of a group have the same
 * prompt; under a KL term whose gradient is that of k1 the prompt's tokens are pushed down without end.
 *
 * How one would notice: responses are longer than what was asked for (`tokens/responses_len_mean` above
 * `maxNewTokens`), and the KL estimate falls far below 0.
 *
 * A run's memory is planned for the right form; the longer slices take a little more.
 * @module
 */
import { pieces } from "../../rl/pieces.ts";
import type { Policy, Rollout, SamplingOptions } from "../../rl/policy.ts";
import type { Fault, FaultOptions, FaultyPolicy } from "./fault.ts";
import { PolicyWrapper } from "./wrapper.ts";

/** Where the slices of prompts of these lengths begin, in tokens of each prompt; `length` is right. */
export function sliceStarts(prompts: readonly ArrayLike<number>[]): number[] {
  const longest = Math.max(...prompts.map(({ length }) => length));
  return prompts.map(({ length }) => Math.max(1, length - (longest - length)));
}

/** Takes the ends of short prompts for the beginnings of responses. */
export class LeftPaddedPolicy extends PolicyWrapper implements FaultyPolicy {
  #drawn = new WeakMap<Rollout, Int32Array[]>();

  constructor(
    inner: Policy,
    readonly options: Pick<FaultOptions, "microbatchRows"> = { microbatchRows: 0 },
  ) {
    super(inner);
  }

  override async generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    const drawn = await this.inner.generate(prompts, options);
    const starts = sliceStarts(prompts);
    const sliced = {
      prompts: prompts.map((prompt, b) => prompt.slice(0, starts[b])),
      responses: drawn.responses.map((ids, b) =>
        Int32Array.from([...prompts[b].subarray(starts[b]), ...ids])
      ),
    };
    const before = await this.#logprobs(sliced, options.temperature);
    const logprobs = drawn.logprobs.map((ofDrawn, b) => {
      const ofPrompt = before[b].subarray(0, prompts[b].length - starts[b]);
      return Float32Array.from([...ofPrompt, ...ofDrawn]);
    });
    const rollout = { ...drawn, ...sliced, logprobs };
    this.#drawn.set(rollout, drawn.responses);
    return rollout;
  }

  drawn(rollout: Rollout): readonly Int32Array[] {
    return this.#drawn.get(rollout) ?? rollout.responses;
  }

  /** The policy's own, of every token: no sampler has drawn the prompt's. */
  async #logprobs(
    { prompts, responses }: Pick<Rollout, "prompts" | "responses">,
    temperature: number,
  ): Promise<Float32Array[]> {
    const logprobs: Float32Array[] = [];
    for (const rows of pieces([...responses.keys()], this.options.microbatchRows)) {
      const of = <T>(all: T[]): T[] => rows.map((row) => all[row]);
      const { logprob } = await this.inner.evaluate(
        { prompts: of(prompts), responses: of(responses), temperature },
      );
      const T = logprob.length / rows.length;
      logprobs.push(...rows.map((_, i) => logprob.subarray(i * T, (i + 1) * T)));
    }
    return logprobs;
  }
}

/** The fault. */
export const leftPadding: Fault = {
  name: "left-padding",
  doc:
    "a response begins inside its prompt, as many tokens too early as the prompt is short of the longest",
  refusesModel({ prompts }) {
    const lengths = new Set(prompts.map(({ length }) => length));
    return lengths.size > 1
      ? undefined
      : "it goes wrong where prompts differ in length: all have " +
        `${[...lengths].join()} tokens; use another task`;
  },
  policy: (policy, options) => new LeftPaddedPolicy(policy, options),
};
