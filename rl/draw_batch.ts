/** The batch of a step: drawn, scored, and evaluated while scores are awaited. @module */
import type { Needs } from "./algorithm.ts";
import type { Drawn } from "./drawn.ts";
import { type Batch, fillBatch } from "./dynamic_sampling.ts";
import { checkRollout, type Evaluated, evaluateRollout } from "./experience.ts";
import { scoreWhile } from "./overlap.ts";
import type { Policy, Rollout } from "./policy.ts";
import { type PromptSource, takePrompts } from "./prompts.ts";
import { addScores, type ScoreMoments } from "./score_scaling.ts";
import { type CheckedScores, checkScores, type ScoreFunction } from "./scores.ts";
import type { TrainerState } from "./state.ts";
import type { Timed } from "./timings.ts";
import type { TrainerConfig } from "./trainer_options.ts";

/** The batch of a step, and what else came of drawing it. */
export interface StepBatch {
  batch: Batch;
  /** What is known of all scores seen by then, where they are scaled. */
  seen?: ScoreMoments;
  /** What policy and reference say of it, where they were asked while it was scored. */
  evaluated?: Evaluated;
}

/** What a batch is drawn by. */
export interface DrawOptions {
  source: PromptSource;
  score: ScoreFunction;
  /** Default: the policy draws. */
  generate?: Policy["generate"];
  timed: Timed;
  needs: Needs;
  config: Readonly<TrainerConfig>;
  state: TrainerState;
}

/**
 * Draws and scores until the batch is full. Where one draw makes it, policy and reference are asked about
 * it while it is scored; under dynamic sampling the scores decide what is learned from, and come first.
 * @throws what the policy, the score function and `checkScores` throw
 */
export async function drawBatch(policy: Policy, options: DrawOptions): Promise<StepBatch> {
  const { source, needs, config, state: { step, sampling } } = options;
  const { groupSize, greedyBaseline, dynamicSampling: dynamic } = needs;
  let { scores: seen } = options.state, evaluated: Evaluated | undefined;
  const repeat = <T>(of: T): T[] => Array<T>(groupSize).fill(of);
  const draw = async (place: number, row0: number): Promise<Drawn> => {
    const prompts = takePrompts(source, place);
    const greedy = greedyBaseline && await ask(policy, prompts, { ...options, greedy: true });
    const drawn = await ask(policy, prompts.flatMap(repeat), { ...options, row0 });
    seen &&= addScores(seen, drawn.scores);
    evaluated = drawn.evaluated;
    const { rollout, scores, columns } = drawn;
    const greedyScores = greedy && greedy.scores.flatMap(repeat);
    return { rollout, scores, columns, ...(greedyScores && { greedyScores }) };
  };
  const { place = step * source.count, kept: saved } = dynamic && sampling || {};
  const scoreClip = seen ? 0 : config.scoreClip; // of scaled scores, whose scale is not known yet
  const batch = await fillBatch(draw, {
    ...{ count: source.count, groupSize, scoreClip, dynamic, place, saved },
  });
  return { batch, seen, evaluated };
}

/** Completions of some prompts with their scores. */
async function ask(
  policy: Policy,
  prompts: Int32Array[],
  { score, generate, timed, needs, config, state: { step }, greedy, row0 = 0 }:
    & DrawOptions
    & { greedy?: true; row0?: number },
): Promise<CheckedScores & { rollout: Rollout; evaluated?: Evaluated }> {
  const { maxNewTokens, temperature, seed } = config;
  const options = {
    ...{ maxNewTokens, temperature, seed, stream: step },
    ...(greedy && { greedy }),
    ...(row0 > 0 && { row0 }),
  };
  const draw = generate ?? ((...of: Parameters<Policy["generate"]>) => policy.generate(...of));
  const rollout = await timed("generate", () => draw(prompts, options));
  checkRollout(rollout);
  const scored = () => score(rollout, greedy ? "greedy" : "sampled");
  if (greedy || needs.dynamicSampling) {
    return { rollout, ...checkScores(await timed("score", scored), prompts.length) };
  }
  const evaluate = () => evaluateRollout(policy, { rollout, config, needs });
  const { given, evaluated } = await scoreWhile(scored, evaluate, timed);
  return { rollout, evaluated, ...checkScores(given, prompts.length) };
}
