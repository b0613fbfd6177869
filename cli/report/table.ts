/** The last lines of a run: before and after, a few completions side by side, and where it lies. @module */
import { pairs, type RunData } from "../../experiment/folder/run_data.ts";
import {
  clip,
  clipStart,
  columns,
  duration,
  paint,
  printable,
  type Terminal,
} from "../terminal.ts";

const SHOWN = 6; // completions side by side

/** A mean score or share with three decimals, so that a column of them can be compared; `-` for none. */
export const score = (value: number | null): string =>
  value !== null && Number.isFinite(value) ? value.toFixed(3) : "-";

/** Lines of the closing table. */
export function closing(run: RunData, terminal: Terminal): string[] {
  const { summary, folder } = run;
  if (!summary) return [];
  const cell = (text: string) => clip(printable(text), 20, terminal.fancy);
  const scores = columns([
    ["", "exact before", "after", "reward before", "after"],
    ...([["training", summary.train], ["held-out", summary.heldout]] as const).map((
      [name, { before, after }],
    ) => [
      name,
      ...[before.exact, after.exact, before.reward, after.reward].map(score),
    ]),
  ]);
  const found = pairs(run.completions, "heldout");
  const texts = found.length === 0 ? [] : [
    "",
    ...columns([
      ["held-out prompt", "before", "after", "wanted"],
      ...found.slice(0, SHOWN).map((pair) => [
        clipStart(printable(pair.prompt), 40, terminal.fancy),
        cell(pair.before),
        cell(pair.after),
        cell(pair.answer),
      ]),
    ]),
  ];
  return [
    "",
    paint(terminal, "bold", scores[0]),
    ...scores.slice(1),
    ...texts,
    "",
    `done in ${duration(summary.seconds)}, ${Math.round(summary.tokensPerSecond)} tokens/s`,
    `folder  ${folder}`,
    `report  ${folder}/report.html`,
  ];
}
