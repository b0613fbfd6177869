/**
 * One rollout, made ready to learn from: evaluated, compared with the reference where the algorithm
 * needs that, and turned into advantages. Everything here is fixed before the first update and the
 * same in every epoch.
 * @module
 */
import { described } from "../base/excerpt.ts";
import {
  alignResponses,
  checkSize,
  countTokens,
  keepRows,
  type Numbers,
  padRows,
  putRows,
  type ResponseGrid,
} from "./batch.ts";
import type { Algorithm, Experience, Needs, StepContext } from "./algorithm.ts";
import { scoredRows } from "./drawn.ts";
import type { Batch } from "./dynamic_sampling.ts";
import type { Evaluation, Policy, Rollout, TokenBatch } from "./policy.ts";
import { pieces } from "./pieces.ts";
import { NO_SCORES, prepareScores, type ScoreMoments } from "./score_scaling.ts";
import { rewardColumns } from "./scores.ts";

/** What the policy is asked about some rows of a rollout. */
export function tokenBatch(
  rollout: Rollout,
  rows: readonly number[],
  { temperature, valueAt }: Pick<TokenBatch, "temperature" | "valueAt">,
): TokenBatch {
  return {
    prompts: rows.map((row) => rollout.prompts[row]),
    responses: rows.map((row) => rollout.responses[row]),
    temperature,
    ...(valueAt && { valueAt }),
  };
}

/**
 * Lets the algorithm work out the advantages of a scored rollout. The reference was asked before the policy,
 * so that the policy's last forward pass is still its last when the update begins.
 * @throws {RangeError} where arrays of the policy or the algorithm have the wrong size
 * @throws {TypeError} where the algorithm gives no advantages
 */
export async function collect<C>(
  policy: Policy,
  { batch, evaluated, seen = NO_SCORES, algorithm, needs, context }: {
    batch: Batch;
    /** By `evaluateRollout`. Default: evaluated here. */
    evaluated?: Evaluated;
    /** All scores up to this batch's, where they are scaled. */
    seen?: Readonly<ScoreMoments>;
    algorithm: Algorithm<C>;
    needs: Needs;
    context: StepContext<C>;
  },
): Promise<Experience> {
  const { config } = context, { rollout, scores, greedyScores, counts: draws, keptRows } = batch;
  const all = alignResponses(rollout.responses);
  const asked = evaluated ?? await evaluateRollout(policy, { rollout, config, needs });
  const { now, reference } = asked, scored = scoredRows(batch);
  const columns = rewardColumns(batch.columns, scored);
  const score = prepareScores(scores, config, seen);
  const greedyScore = greedyScores && prepareScores(greedyScores, config, seen);
  const grid = keepRows(all, scored), sampled = padRows(rollout.logprobs, all);
  const old = asDrawn(now, sampled, keptRows * grid.T);
  const known = {
    ...{ rollout, grid, score, scored, greedyScore, columns, sampled, old, draws, ...asked },
  };
  if (grid.B === 0) { // dynamic sampling found no group that teaches
    const fault = draws.scored === 0 ? UNSCORED : undefined;
    return { ...known, advantage: new Float32Array(0), fault };
  }
  const made = algorithm.advantages(known, context);
  if (!made?.advantage) {
    throw new TypeError(
      `Cannot learn by ${algorithm.name} as its advantages() must give { advantage }: it gave ` +
        described(made),
    );
  }
  for (const name of ["advantage", "returns", "kl", "penalty", "policyWeight"] as const) {
    const array = made[name];
    if (array) checkSize(`the ${name} of ${algorithm.name}`, array, grid);
  }
  const { advantage, returns } = made;
  const fault = findFault(grid, { ...now, reference, sampled, advantage, returns });
  return { ...known, ...made, fault };
}

/** What policy and reference say of a rollout. */
export type Evaluated = Pick<Experience, "now" | "reference" | "lastPass">;

/** Asks reference and policy about every response, in pieces that fit into memory. @throws as `collect` */
export async function evaluateRollout(
  policy: Policy,
  { rollout, config: { microbatchRows, temperature }, needs }: {
    rollout: Rollout;
    config: { microbatchRows: number; temperature: number };
    needs: Needs;
  },
): Promise<Evaluated> {
  const grid = alignResponses(rollout.responses);
  const empty = () => new Float32Array(grid.B * grid.T);
  const now: Evaluation = { logprob: empty(), entropy: empty(), ...(needs.kl && { kl: empty() }) };
  if (needs.value) now.value = empty();
  const reference = needs.reference ? empty() : undefined;
  const together = needs.reference && policy.givesReference === true;
  const valueAt = needs.head?.at, asked = { kl: needs.kl !== undefined, reference: together };
  const chunks = pieces(Array.from({ length: grid.B }, (_, row) => row), microbatchRows);
  const askReference = async (chunk: number[], given?: Float32Array) => {
    given ??= (await policy.reference!(tokenBatch(rollout, chunk, { temperature }))).logprob;
    place(reference!, grid, chunk, given, "the reference's logprob");
  };
  for (const chunk of reference && !together ? chunks : []) await askReference(chunk);
  for (const chunk of chunks) {
    const got = await policy.evaluate(tokenBatch(rollout, chunk, { temperature, valueAt }), asked);
    if (together) await askReference(chunk, got.reference);
    for (const name of Object.keys(now) as (keyof Evaluation)[]) {
      place(now[name]!, grid, chunk, got[name] ?? [], `the policy's ${name}`);
    }
  }
  return { now, ...(reference && { reference }), lastPass: policy.lastPass };
}

/** The policy as it drew: in the first `kept` slots, which another drew, by its sampler. */
function asDrawn(now: Evaluation, sampled: Float32Array, kept: number): Evaluation {
  if (kept === 0) return now;
  const logprob = now.logprob.slice();
  logprob.set(sampled.subarray(0, kept));
  return { ...now, logprob };
}

/**
 * Checks what a policy drew.
 * @throws {RangeError} for an empty response, or arrays of different lengths
 */
export function checkRollout(rollout: Rollout): void {
  const { responses } = rollout, B = responses.length;
  responses.forEach(({ length }, b) => {
    if (length === 0) {
      throw new RangeError(
        `Cannot learn from response ${b} as it needs at least 1 token: it has 0`,
      );
    }
  });
  for (const name of ["prompts", "finished", "logprobs"] as const) {
    if (rollout[name].length !== B) {
      throw new RangeError(
        `Cannot learn from a rollout as ${name} must have one entry a response, ${B}: it has ${
          rollout[name].length
        }`,
      );
    }
  }
}

function place(
  out: Float32Array,
  grid: ResponseGrid,
  rows: readonly number[],
  from: Numbers,
  name: string,
): void {
  const T = rows.reduce((longest, row) => Math.max(longest, grid.length[row]), 0);
  checkSize(name, from, { B: rows.length, T });
  putRows(out, grid, { rows, from });
}

const UNSCORED = "no response had a score";

/** A log-probability above this is none: rounding alone gives less. */
const MAX_LOGPROB = 1e-2;
const LOGPROBS = ["logprob", "reference", "sampled"];

/** Names the first thing that makes a rollout unfit to learn from. */
function findFault(
  grid: ResponseGrid,
  arrays: Record<string, Float32Array | undefined>,
): string | undefined {
  if (countTokens(grid.mask) === 0) return UNSCORED;
  for (const [name, x] of Object.entries(arrays)) {
    if (!x) continue;
    const most = LOGPROBS.includes(name) ? MAX_LOGPROB : Infinity;
    for (let i = 0; i < x.length; i++) {
      if (grid.mask[i] && !(Number.isFinite(x[i]) && x[i] <= most)) {
        return `${name} of response ${Math.floor(i / grid.T)} is ${x[i]}`;
      }
    }
  }
}
