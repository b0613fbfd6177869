/**
 * One rollout, made ready to learn from: evaluated, compared with the reference, rewarded, and turned
 * into advantages. Everything here is fixed before the first update and the same in every epoch.
 * @module
 */
import {
  alignResponses,
  countTokens,
  keepRows,
  lastToken,
  type Numbers,
  padRows,
  putRows,
  type ResponseGrid,
} from "./batch.ts";
import type { PpoConfig } from "./config.ts";
import { gae, tokenRewards } from "./gae.ts";
import { tokenKl } from "./kl.ts";
import type { Evaluation, Policy, Rollout } from "./policy.ts";
import { whiten } from "./stats.ts";

/** A rollout with all that PPO needs to know of it; arrays are (B, T) unless said. */
export interface Experience {
  /** Prompts and completions. */
  rollout: Rollout;
  /** Rows without a score are masked out. */
  grid: ResponseGrid;
  /** (B), after `scoreClip`; 0 where there was no score. */
  score: Float32Array;
  /** True where the row has a score. */
  judged: boolean[];
  /** The policy as it drew the tokens, by the training pass. */
  old: Evaluation;
  /** The sampler's own log-probabilities. */
  sampled: Float32Array;
  /** Estimate of KL(policy || reference) of each token, nats. */
  kl: Float32Array;
  /** The KL penalty alone, in reward units. */
  nonScore: Float32Array;
  /** Targets of the value head. */
  returns: Float32Array;
  /** As used: whitened, if so configured. */
  advantage: Float32Array;
  /** Why this rollout cannot be learned from, if it cannot. */
  fault?: string;
}

/** Lists `rows` in pieces of at most `size`; 0 is all at once. */
export function pieces(rows: readonly number[], size: number): number[][] {
  const step = size === 0 ? Math.max(1, rows.length) : size;
  const out: number[][] = [];
  for (let at = 0; at < rows.length; at += step) out.push(rows.slice(at, at + step));
  return out;
}

/** What the policy is asked about some rows of a rollout. */
export function tokenBatch(rollout: Rollout, rows: readonly number[], temperature: number): {
  prompts: Int32Array[];
  responses: Int32Array[];
  temperature: number;
} {
  return {
    prompts: rows.map((row) => rollout.prompts[row]),
    responses: rows.map((row) => rollout.responses[row]),
    temperature,
  };
}

/**
 * Evaluates a rollout and works out its rewards and advantages. The reference is asked before the
 * policy, so that the policy's last forward pass is still its last when the update begins.
 * @throws {RangeError} where scores or the policy's arrays have the wrong size.
 */
export async function collect(
  policy: Policy,
  { rollout, scores, config, klCoefficient }: {
    rollout: Rollout;
    scores: readonly (number | null)[];
    config: Readonly<PpoConfig>;
    klCoefficient: number;
  },
): Promise<Experience> {
  const all = alignResponses(rollout.responses);
  checkRollout(all, rollout, scores);
  const judged = scores.map((score) => score !== null);
  const grid = keepRows(all, judged);
  const { B, mask } = grid;
  const empty = () => new Float32Array(mask.length);
  const reference = empty();
  const old = { logprob: empty(), entropy: empty(), value: empty() };
  const rows = Array.from({ length: B }, (_, row) => row);
  const chunks = pieces(rows, config.microbatchRows);
  for (const chunk of chunks) {
    const { logprob } = await policy.reference(tokenBatch(rollout, chunk, config.temperature));
    place(reference, all, chunk, logprob, "the reference's logprob");
  }
  for (const chunk of chunks) {
    const got = await policy.evaluate(tokenBatch(rollout, chunk, config.temperature));
    for (const name of ["logprob", "entropy", "value"] as const) {
      place(old[name], all, chunk, got[name], `the policy's ${name}`);
    }
  }
  const sampled = padRows(rollout.logprobs, all);
  const limit = config.scoreClip || Infinity;
  const score = Float32Array.from(scores, (s) => {
    if (s !== null && !Number.isFinite(s)) return s; // a fault to report, not a large score
    return Math.min(limit, Math.max(-limit, s ?? 0));
  });
  const kl = tokenKl(mask, { logprob: old.logprob, reference, estimator: config.klEstimator });
  const rewards = tokenRewards(grid, { kl, score, coefficient: klCoefficient });
  const variance = config.whitenAdvantages === "population" ? "population" : "sample";
  const reward = config.whitenRewards
    ? whiten(rewards.reward, mask, { variance, shiftMean: false })
    : rewards.reward;
  const bootstrap = config.truncated === "value"
    ? rows.map((b) => rollout.finished[b] ? 0 : old.value[b * grid.T + lastToken(all, b)])
    : undefined;
  const { gamma, lambda } = config;
  const raw = gae(grid, { reward, value: old.value, gamma, lambda, bootstrap });
  const advantage = config.whitenAdvantages === "off"
    ? raw.advantage
    : whiten(raw.advantage, mask, { variance, shiftMean: true });
  const { returns } = raw, { nonScore } = rewards;
  const fault = findFault(grid, { score, ...old, reference, sampled, advantage, returns });
  return { rollout, grid, score, judged, old, sampled, kl, nonScore, returns, advantage, fault };
}

function checkRollout(
  { B, length }: ResponseGrid,
  rollout: Rollout,
  scores: readonly (number | null)[],
): void {
  if (scores.length !== B) {
    throw new RangeError(
      `Cannot learn from a rollout as each of its ${B} responses needs one score: there are ${scores.length}`,
    );
  }
  scores.forEach((score, b) => {
    if (score !== null && typeof score !== "number") {
      throw new TypeError(
        `Cannot learn from response ${b} as its score must be a number, or null for "cannot judge": it is ${score}`,
      );
    }
  });
  length.forEach((tokens, b) => {
    if (tokens === 0) {
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
  if (from.length !== rows.length * T) {
    throw new RangeError(
      `Cannot use ${name} as it must be (${rows.length}, ${T}), ${
        rows.length * T
      } numbers: it has ${from.length}`,
    );
  }
  putRows(out, grid, { rows, from });
}

/** Names the first thing that makes a rollout unfit to learn from. */
function findFault(grid: ResponseGrid, arrays: Record<string, Float32Array>): string | undefined {
  if (countTokens(grid.mask) === 0) return "no response had a score";
  for (const [name, x] of Object.entries(arrays)) {
    const perRow = name === "score";
    for (let i = 0; i < x.length; i++) {
      if ((perRow || grid.mask[i]) && !Number.isFinite(x[i])) {
        return `${name} of response ${perRow ? i : Math.floor(i / grid.T)} is ${x[i]}`;
      }
    }
  }
}
