/** What a run reports of its rewards beside their sum. @module */
import type { CombinedReward } from "../rewards/combine.ts";
import { meanAndStd } from "../rl/stats.ts";
import { type CompletionRow, type Phase, phaseText } from "./observer.ts";

/** A sentence for each reward that could not score some of `answers` because a server did not. */
export function fallbackNotes(
  counts: Readonly<Record<string, number>>,
  answers: number,
  phase: Phase,
): string[] {
  return Object.entries(counts)
    .filter(([name, count]) => count > 0 && name.endsWith("/fallbacks"))
    .map(([name, count]) => `note: ${name} is ${count} of ${answers} answers, ${phaseText(phase)}`);
}

/** Each reward's mean and spread over the completions that it could score, and what it counted. */
export function rewardMetrics(
  rewards: CombinedReward,
  { completions, counts }: {
    completions: readonly CompletionRow[];
    counts: Readonly<Record<string, number>>;
  },
): [name: string, value: number][] {
  const names = new Set(["exact", ...Object.keys(rewards.weights)]);
  return [
    ...[...names].flatMap((name): [string, number][] => {
      const values = completions.map(({ scores }) => scores[name]);
      const { mean, std } = meanAndStd(values.filter((value) => value !== null));
      return [[`rewards/${name}/mean`, mean], [`rewards/${name}/std`, std]];
    }),
    ...Object.entries(counts).map((
      [name, count],
    ): [string, number] => [`rewards/${name}`, count]),
  ];
}
