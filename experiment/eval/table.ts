/** Every answer of an evaluation as one table, both models side by side. @module */
import { csvLines, guard, numberCell } from "../folder/csv.ts";
import type { EvalResult } from "./eval.ts";
import type { ModelAnswer, PromptAnswers } from "./figures.ts";

const SIDES = ["base", "tuned"] as const;
/** What is told of each answer beside its text, its reward and its scores. */
const NUMBERS = {
  tokens: ({ tokens }: ModelAnswer) => tokens,
  nats: ({ nats }: ModelAnswer) => nats.sum,
  scored_tokens: ({ nats }: ModelAnswer) => nats.tokens,
};

/**
 * The text of `eval_results.csv`, a row for each pair of answers: the greedy ones first, then samples 1, 2, … of
 * each prompt. Texts are guarded as in `completions.csv`.
 */
export function evalTableText({ greedy, sampled }: Pick<EvalResult, "greedy" | "sampled">): string {
  const names = Object.keys(greedy[0].base[0].scores);
  const header = [
    ...["id", "draw", "prompt", "answer", "base_response", "tuned_response"],
    ...["base_reward", "tuned_reward", "difference"],
    ...names.flatMap((name) => SIDES.map((side) => `${side}_score:${name}`)),
    ...Object.keys(NUMBERS).flatMap((name) => SIDES.map((side) => `${side}_${name}`)),
  ];
  const rows = [
    ...greedy.map((one) => cellsOf(one, 0, { names, draw: "greedy" })),
    ...sampled.flatMap((one) =>
      one.base.map((_, k) => cellsOf(one, k, { names, draw: String(k + 1) }))
    ),
  ];
  return csvLines([header, ...rows]);
}

function cellsOf(
  { id, prompt, answer, base, tuned }: PromptAnswers,
  k: number,
  { names, draw }: { names: readonly string[]; draw: string },
): string[] {
  const pair = [base[k], tuned[k]], [before, after] = pair.map(({ reward }) => reward);
  const both = (value: (one: ModelAnswer) => number | null) =>
    pair.map((one) => numberCell(value(one)));
  return [
    ...[id, draw, prompt, answer, base[k].completion, tuned[k].completion].map(guard),
    ...[before, after, before === null || after === null ? null : after - before].map(numberCell),
    ...names.flatMap((name) => both(({ scores }) => scores[name])),
    ...Object.values(NUMBERS).flatMap(both),
  ];
}
