/** Completions that were not drawn by the trainer, in the form in which it draws: for loops of one's own. @module */
import type { Needs } from "./algorithm.ts";
import { evaluateRollout } from "./experience.ts";
import type { Policy, Rollout } from "./policy.ts";
import type { ScoreBreakdown, ScoreFunction, Scores } from "./scores.ts";
import type { TrainerConfig } from "./trainer_options.ts";

/** B completions that something else drew, e.g. another program's sampler. */
export interface GivenCompletions {
  /** (B) At least one token each, EOS included where it was drawn. */
  responses: Int32Array[];
  /** (B) False where a response was cut off. Default: where it has `maxNewTokens` tokens or more. */
  finished?: boolean[];
  /**
   * (B) The sampler's own log-probability of each token, nats. Default: the policy's of now, for which one
   * more pass is made.
   */
  logprobs?: Float32Array[];
}

/** What a step draws by, where everything is there already. */
export interface GivenDraw {
  /** Each prompt once. */
  prompts: Int32Array[];
  score: ScoreFunction;
  generate: Policy["generate"];
}

/**
 * A draw that gives back what was given. `prompts` (B) are those of the completions, each group's next to
 * each other.
 * @throws {RangeError} for arrays of different lengths, or a group whose prompts differ
 * @throws {TypeError} where the algorithm compares with greedy completions, which only it can ask for
 */
export function givenDraw(
  policy: Policy,
  { prompts, completions, scores, name, needs, config }: {
    prompts: Int32Array[];
    completions: Int32Array[] | GivenCompletions;
    scores: Scores | ScoreBreakdown;
    /** Of the algorithm. */
    name: string;
    needs: Needs;
    config: Readonly<TrainerConfig>;
  },
): GivenDraw {
  const { groupSize, greedyBaseline } = needs;
  const given = Array.isArray(completions) ? { responses: completions } : completions;
  const { responses, logprobs } = given;
  if (greedyBaseline) {
    throw new TypeError(
      `Cannot learn by ${name} from completions that are given as it compares with greedy ones: give ` +
        "step() a score function, so that it can ask for them",
    );
  }
  checkGroups(prompts, responses, groupSize);
  const finished = given.finished ??
    responses.map(({ length }) => length < config.maxNewTokens);
  const rollout = (logprobs: Float32Array[]): Rollout => ({
    ...{ prompts, responses, finished, logprobs },
  });
  return {
    prompts: prompts.filter((_, b) => b % groupSize === 0),
    score: () => Promise.resolve(scores as Scores),
    generate: async () => {
      if (logprobs) return rollout(logprobs);
      const { now } = await evaluateRollout(policy, {
        rollout: rollout([]),
        config,
        needs: { value: false, reference: false, groupSize },
      });
      const T = Math.max(...responses.map(({ length }) => length));
      return rollout(responses.map(({ length }, b) => now.logprob.slice(b * T, b * T + length)));
    },
  };
}

function checkGroups(
  prompts: readonly Int32Array[],
  responses: readonly Int32Array[],
  groupSize: number,
): void {
  const B = responses.length;
  const cannot = (rule: string, now: string) =>
    new RangeError(`Cannot learn from completions that are given as ${rule}: there are ${now}`);
  if (prompts.length !== B || B === 0) {
    throw cannot("each has its prompt", `${prompts.length} prompts and ${B} completions`);
  }
  if (B % groupSize !== 0) {
    throw cannot(`they come in groups of groupSize=${groupSize}`, `${B} completions`);
  }
  for (let b = 0; b < B; b++) {
    const own = prompts[b], first = prompts[b - b % groupSize];
    if (own.length === first.length && own.every((token, i) => token === first[i])) continue;
    throw new RangeError(
      `Cannot learn from completions that are given as the ${groupSize} of a group answer one prompt and ` +
        `are next to each other: the prompt of completion ${b} is not that of ${b - b % groupSize}`,
    );
  }
}
