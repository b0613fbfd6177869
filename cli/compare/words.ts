/** What `deno task compare` says. @module */
import { join } from "node:path";
import { score } from "../report/table.ts";
import { columns, paint, printable, short, type Terminal } from "../terminal.ts";
import { wrap, wrapIndented } from "../wrap.ts";
import { figure, type Told } from "./charts.ts";
import type { Comparison } from "./compare.ts";
import { figureText } from "./figures.ts";
import { opening } from "./page.ts";
import { groupName, settingText } from "./settings.ts";

/** Lines for people: what differs, the main figures, which is best, and where the page is. */
export function closing(
  comparison: Comparison,
  { folder, terminal }: { folder: string; terminal: Terminal },
): string[] {
  const { groups, differing, notices } = comparison, room = terminal.columns;
  const names = MAIN.filter((name) => groups.some((group) => figure(group, name)));
  const title = (name: string) =>
    groups.map((group) => figure(group, name)).find((one) => one !== undefined)!.title;
  const told = (group: Told, name: string) => {
    const one = figure(group, name);
    return one ? figureText(one, name === "kl" ? short : score) : "-";
  };
  const table = columns([
    ["", ...differing, "seeds", ...names.map(title)],
    ...groups.map((group) => [
      group.letter,
      ...differing.map((name) => settingText(group, name)),
      seeds(group),
      ...names.map((name) => told(group, name)),
    ]),
  ]);
  const isWide = table.every((line) => [...line].length <= room);
  const below = groups.flatMap((group) => [
    ...wrap(
      printable(`${group.letter}  ${groupName(group, differing)}, ${seedWords(group)}`),
      room,
      3,
    ),
    ...names.flatMap((name) =>
      wrapIndented(printable(`${title(name)} ${told(group, name)}`), room, 3)
    ),
  ]);
  return [
    ...(isWide ? [paint(terminal, "bold", table[0]), ...table.slice(1)] : below),
    "",
    ...[...notices, ...opening(comparison)].flatMap((line) => wrap(printable(line), room)),
    `page   ${join(folder, "compare.html")}`,
    `table  ${join(folder, "compare.csv")}`,
  ];
}

const MAIN = ["heldout_measure", "heldout_exact", "heldout_reward", "reward_late", "kl"];

const seeds = ({ runs }: Told): string => runs.map(({ config }) => config.seed).join(",");
const seedWords = (group: Told): string =>
  `${group.runs.length === 1 ? "seed" : "seeds"} ${seeds(group)}`;
