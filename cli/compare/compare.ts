/** A comparison: its groups with their figures, its table as CSV and JSON, and what is said of it. @module */
import { csvLines, givenCell, guard, numberCell } from "../../experiment/folder/csv.ts";
import type { Told } from "./charts.ts";
import { figuresOf } from "./figures.ts";
import { type Compared, type Grouped, grouped } from "./groups.ts";
import { settingText, shortNames } from "./settings.ts";

/** All that a page, a table and the terminal show. */
export interface Comparison extends Grouped {
  groups: Told[];
  /** The line that makes it again. */
  command: string;
}

/** Puts runs beside each other. `passedOver`: what was asked for and cannot be read, each with the reason. */
export function comparisonOf(
  runs: readonly Compared[],
  command: string,
  passedOver: readonly string[] = [],
): Comparison {
  const { groups, differing, notices } = grouped(runs);
  const names = shortNames(groups, differing);
  const told = groups.map((group, i) => ({
    ...group,
    label: `${group.letter} ${names[i]}`.trimEnd(),
    figures: figuresOf(group),
  }));
  const left = passedOver.map((line) => `passed over ${line}`);
  return {
    groups: told,
    differing,
    notices: [...rewardNotices(told), ...notices, ...left],
    command,
  };
}

/** Where rewards differ, their sums are on different scales. */
function rewardNotices(groups: readonly Told[]): string[] {
  const byReward = Map.groupBy(groups, (group) => settingText(group, "reward"));
  const byTask = Map.groupBy(groups, (group) => settingText(group, "task"));
  const told = (all: ReadonlyMap<string, readonly Told[]>) =>
    [...all].map(([name, of]) => `${of.map(({ letter }) => letter).join(", ")}: ${name}`).join(
      "; ",
    );
  const notices: string[] = [];
  if (byReward.size > 1) {
    notices.push(
      `Rewards differ (${
        told(byReward)
      }): the heights of their sums cannot be compared; exact answers can.`,
    );
  }
  if (byTask.size > 1) {
    notices.push(
      `Tasks differ (${told(byTask)}): so do their prompts, and what a reward means there.`,
    );
  }
  return notices;
}

/** The table as CSV: settings, then mean, ends and count of each figure. */
export function compareTable({ groups, differing }: Comparison): string {
  const names = [...new Set(groups.flatMap(({ figures }) => figures.map(({ name }) => name)))];
  return csvLines([
    [
      "group",
      ...differing.map(guard),
      "seeds",
      ...names.flatMap((name) => [name, `${name}_low`, `${name}_high`, `${name}_n`]),
    ],
    ...groups.map((group) => [
      group.letter,
      ...differing.map((name) => givenCell(settingText(group, name))),
      group.runs.map(({ config }) => config.seed).join(" "),
      ...names.flatMap((name) => {
        const over = group.figures.find((one) => one.name === name)?.over;
        if (!over) return ["", "", "", "0"];
        return [...[over.mean, over.low, over.high].map(numberCell), String(over.n)];
      }),
    ]),
  ]);
}

/** The same for programs, with the value of every seed. */
export const compareObject = ({ groups, differing, notices, command }: Comparison) => ({
  command,
  notices,
  differing,
  groups: groups.map(({ letter, settings, runs, figures }) => ({
    group: letter,
    settings,
    runs: runs.map(({ folder, state, config: { seed }, done }) => ({ folder, seed, state, done })),
    figures: Object.fromEntries(
      figures.map(({ name, doc, values, over: { mean, low, high, n } }) => [
        name,
        { doc, mean, low, high, n, values },
      ]),
    ),
  })),
});
