/** Where the prompts of a step come from. @module */
import type { Needs } from "./algorithm.ts";

/**
 * Prompts in an order without an end. The trainer takes them one stretch after the other and remembers
 * how far it is, so that a run that is resumed goes on where it was: a source needs no memory.
 */
export interface PromptSource {
  /** Different prompts of a step, 1 or more; where one step draws several times, of each draw. */
  readonly count: number;
  /** The prompts at the places `from` … `from + count - 1`, the first place of all being 0. */
  take(from: number, count: number): Int32Array[];
}

/**
 * The prompts of one step as a source.
 * @throws {TypeError} where the algorithm may need more prompts than an array has
 * @throws {RangeError} where there are not enough for one in each minibatch
 */
export function asSource(
  prompts: Int32Array[] | PromptSource,
  { name, needs: { groupSize, dynamicSampling }, minibatches }: {
    /** Of the algorithm. */
    name: string;
    needs: Needs;
    minibatches: number;
  },
): PromptSource {
  const isArray = Array.isArray(prompts);
  if (isArray && dynamicSampling && dynamicSampling.maxDraws > 1) {
    throw new TypeError(
      `Cannot sample dynamically with ${name} as groups that teach nothing are replaced by those of ` +
        `further prompts: step() was given an array of ${prompts.length}; give it a source ` +
        "{ count, take }, or set dynamicSampling=false or maxDraws=1",
    );
  }
  const source = isArray ? { count: prompts.length, take: () => prompts } : prompts;
  if (source.count * groupSize < minibatches) {
    throw new RangeError(
      `Cannot split a rollout as it needs at least one prompt for each of ${minibatches} ` +
        `minibatches: it has ${source.count * groupSize}`,
    );
  }
  return source;
}

/** Takes prompts. @throws {RangeError} where the source gives more or fewer than it was asked for */
export function takePrompts({ count, take }: PromptSource, from: number): Int32Array[] {
  const prompts = take(from, count);
  if (prompts.length === count) return prompts;
  throw new RangeError(
    `Cannot draw as the source must give the ${count} prompts it was asked for: it gave ${prompts.length}`,
  );
}
