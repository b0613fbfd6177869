/** Answers to a list of prompts, greedy or drawn, scored; usable without a training run. @module */
import type { Example } from "../rewards/reward.ts";
import type { Policy, SamplingOptions } from "../rl/policy.ts";
import type { CompletionRow, Phase, SplitResult } from "./observer.ts";
import { meanOf, type Scorer, scoreResponses } from "./rollout.ts";

/** What is evaluated, and how. */
export interface EvaluationRequest extends Scorer {
  policy: Pick<Policy, "generate">;
  examples: readonly Example[];
  /** Token ids by the id of the example. Default: the prompts, encoded. */
  prompts?: ReadonlyMap<string, Int32Array>;
  /** Longest answer, tokens, EOS included. */
  maxNewTokens: number;
  /** Prompts at a time, >= 1. */
  batchSize: number;
  /**
   * Draws each token in place of taking the most probable one. The random numbers belong to the seed, the
   * stream and a prompt's place among the examples: two policies that are asked alike draw by the same ones.
   */
  draw?: Pick<SamplingOptions, "temperature" | "seed" | "stream">;
  /** Written into the rows. Default: 0, after training, held-out. */
  step?: number;
  phase?: Phase;
  /** Where it aborts, its reason is thrown before the next batch. */
  signal?: AbortSignal;
  /** Is told after each batch how many prompts of it were answered. */
  progress?(answered: number): void;
}

const GREEDY = { temperature: 1, greedy: true, seed: 0, stream: 0 };

/** Rows in the order of the examples, and their means. */
export interface EvaluationResult extends SplitResult {
  rows: CompletionRow[];
  /** Length of each answer, tokens, EOS included. */
  lengths: number[];
  /** Mean length of an answer, tokens, EOS included. */
  tokens: number;
}

/**
 * Answers every example, greedily unless the request says otherwise. What the rewards count meanwhile is
 * left in them: call their `takeCounts` to start anew.
 * @throws {RangeError} for a batch size that is not a whole number from 1
 * @throws what policy and rewards throw
 */
export async function evaluatePolicy(request: EvaluationRequest): Promise<EvaluationResult> {
  const { policy, tokenizer, examples, prompts, maxNewTokens, batchSize } = request;
  const { step = 0, phase = { phase: "after", split: "heldout" } } = request;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new RangeError(
      `Cannot evaluate a policy as batchSize must be a whole number from 1: it is ${batchSize}`,
    );
  }
  const rows: CompletionRow[] = [], lengths: number[] = [];
  for (let at = 0; at < examples.length; at += batchSize) {
    if (request.signal) {
      // A policy on the CPU never waits; without a turn of the event loop no signal would arrive.
      await new Promise((resolve) => setTimeout(resolve, 0));
      request.signal.throwIfAborted();
    }
    const batch = examples.slice(at, at + batchSize);
    const { responses } = await policy.generate(
      batch.map(({ id, prompt }) => prompts?.get(id) ?? tokenizer.encode(prompt)),
      { maxNewTokens, ...(request.draw ? { ...request.draw, row0: at } : GREEDY) },
    );
    lengths.push(...responses.map((ids) => ids.length));
    rows.push(...await scoreResponses(request, { examples: batch, responses, step, phase }));
    request.progress?.(batch.length);
  }
  return {
    ...{ rows, lengths },
    exact: meanOf(rows.map(({ scores }) => scores.exact)),
    reward: meanOf(rows.map(({ reward }) => reward)),
    tokens: meanOf(lengths),
  };
}
