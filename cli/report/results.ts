/** What tables of a run's results show: its measure beside the reward, and what players earn that learn nothing. @module */
import type { SplitResult, Summary } from "../../experiment/observer.ts";
import { clip, printable } from "../terminal.ts";

/** The measure of answers: `exact`, or the task's own. */
export interface ShownMeasure {
  name: string;
  of(result: SplitResult): number;
}

/** The measure of a run. */
export const measureOf = ({ measure }: Pick<Summary, "measure">): ShownMeasure =>
  measure === undefined
    ? { name: "exact", of: ({ exact }) => exact }
    : { name: measure, of: (result) => result.measure ?? NaN };

/** The measure that charts and sentences tell: that of the run, or the reward where no prompt has an answer. */
export function toldMeasure(summary: Pick<Summary, "measure" | "train" | "heldout">): ShownMeasure {
  const { train, heldout } = summary, measure = measureOf(summary);
  const all = [train.before, train.after, heldout.before, heldout.after].map(measure.of);
  return all.some(Number.isFinite) ? measure : { name: "reward", of: ({ reward }) => reward };
}

/**
 * What a run is rewarded by, `semantic x 0.5 + format x 0.2`; a weight of 1 goes without saying. Runs of
 * earlier versions kept no weights: their rewards are named.
 */
export function rewardSum(
  { rewards, weights = {} }: {
    rewards: readonly string[];
    weights?: Readonly<Record<string, number>>;
  },
  fancy: boolean,
): string {
  const terms = rewards.map((name) =>
    [1, undefined].includes(weights[name]) ? name : `${name} ${fancy ? "×" : "x"} ${weights[name]}`
  );
  return terms.join(" + ");
}

/** One player that learns nothing: what it does, in the words of a table, and what it earns. */
export interface PlayerRow {
  name: string;
  result: SplitResult;
}

/** Such players; none where a run had none. An answer takes at most `width` characters. */
export function playerRows({ players }: Pick<Summary, "players">, width = 24): PlayerRow[] {
  if (!players) return [];
  const { copy, constant, nothing } = players;
  const said = constant && clip(printable(constant.answer.trim()), width);
  return [
    { name: "copy the last word", result: copy },
    ...(constant ? [{ name: `always say "${said}"`, result: constant }] : []),
    { name: "say nothing", result: nothing },
  ];
}

/** The player that earns most, where what it earns is a number; the earlier of equal ones. */
export function bestPlayer(summary: Pick<Summary, "players">): PlayerRow | undefined {
  return playerRows(summary).filter(({ result }) => Number.isFinite(result.reward))
    .reduce<PlayerRow | undefined>(
      (best, one) => best && best.result.reward >= one.result.reward ? best : one,
      undefined,
    );
}
