/** Scored completions of whole groups: they are drawn, sorted out and put together. @module */
import type { Rollout } from "./policy.ts";
import type { CheckedScores, ScoreColumn, Scores } from "./scores.ts";

/** Completions with their scores; the members of a group are next to each other. */
export interface Drawn extends CheckedScores {
  rollout: Rollout;
  /** Like `scores`, of the greedy completion of each row's prompt, where the algorithm needs it. */
  greedyScores?: Scores;
}

/** Which rows have a score and, if that is needed, one of their prompt's greedy completion. */
export const scoredRows = (
  { scores, greedyScores }: Pick<Drawn, "scores" | "greedyScores">,
): boolean[] => scores.map((score, b) => score !== null && greedyScores?.[b] !== null);

/** Some groups of `size` completions, counted from 0, in the given order. */
export function takeGroups(
  { rollout: { prompts, responses, finished, logprobs }, scores, columns, greedyScores }: Drawn,
  groups: readonly number[],
  size: number,
): Drawn {
  const rows = groups.flatMap((group) => Array.from({ length: size }, (_, i) => group * size + i));
  const of = <T>(all: readonly T[]): T[] => rows.map((row) => all[row]);
  return {
    rollout: {
      prompts: of(prompts),
      responses: of(responses),
      finished: of(finished),
      logprobs: of(logprobs),
    },
    scores: of(scores),
    columns: columns.map((column) => ({ ...column, scores: of(column.scores) })),
    ...(greedyScores && { greedyScores: of(greedyScores) }),
  };
}

/**
 * All of them, one after the other; a reward's weight is that of the last.
 * @throws {TypeError} where the rewards of one are not those of another
 */
export function joinDrawn(parts: readonly Drawn[]): Drawn {
  const { columns } = parts[parts.length - 1];
  const names = (of: readonly ScoreColumn[]) => of.map(({ name }) => name).join(", ");
  const other = parts.find((part) => names(part.columns) !== names(columns));
  if (other) {
    throw new TypeError(
      `Cannot learn from groups together as each must have scores by the same rewards: some have ` +
        `${names(other.columns)}, others ${names(columns)}`,
    );
  }
  const of = <T>(pick: (part: Drawn) => T[]): T[] => parts.flatMap(pick);
  return {
    rollout: {
      prompts: of(({ rollout }) => rollout.prompts),
      responses: of(({ rollout }) => rollout.responses),
      finished: of(({ rollout }) => rollout.finished),
      logprobs: of(({ rollout }) => rollout.logprobs),
    },
    scores: of(({ scores }) => scores),
    columns: columns.map((column, k) => ({
      ...column,
      scores: parts.flatMap((part) => part.columns[k].scores),
    })),
    ...(parts.some(({ greedyScores }) => greedyScores) &&
      { greedyScores: of(({ greedyScores }) => greedyScores!) }),
  };
}
