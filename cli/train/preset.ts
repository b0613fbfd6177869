/** `train --preset NAME --show`: a preset in full, with its source and where ours differs. @module */
import { type OptionRows, optionText, type OptionValue } from "../../base/options.ts";
import type { Preset } from "../../experiment/presets/preset.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { jsonLine } from "../printable.ts";
import { columns, paint, type Terminal } from "../terminal.ts";
import { wrapIndented } from "../wrap.ts";

/** Prints a preset; gives the exit code. */
export function showPreset(preset: Preset, json: boolean, terminal: Terminal): number {
  if (json) terminal.out(jsonLine(preset));
  else for (const line of presetLines(preset, terminal)) terminal.out(line);
  return 0;
}

/** What `showPreset` prints for people. */
export function presetLines(preset: Preset, terminal: Terminal): string[] {
  const { name, summary, algorithm, source, differences, steps, rewards, whole, settings } = preset;
  const width = terminal.fancy ? terminal.columns : 100;
  const said = (text: string): string[] => wrapIndented(text, width, 2);
  const bold = (text: string): string => paint(terminal, "bold", text);
  const own = [
    ...(steps === undefined ? [] : [`--steps ${steps}`]),
    ...(rewards === undefined ? [] : [`--reward ${rewards}`]),
  ];
  const had = whole ? "a run has" : "its own run had";
  return [
    bold(name),
    ...said(summary),
    ...said(`--algorithm ${algorithm}${own.length > 0 ? `; ${had} ${own.join(" ")}` : ""}`),
    bold("Source"),
    ...said(source),
    ...(differences.length > 0 ? [bold("Where this project differs")] : []),
    ...differences.flatMap((text) => {
      const [first, ...more] = wrapIndented(text, width, 4);
      return [`  - ${first.trimStart()}`, ...more];
    }),
    ...settingLines(settings, settingsTable(findAlgorithm(algorithm)).rows, bold),
  ];
}

/** Group by group; of a value that is not the algorithm's default, that too. */
function settingLines(
  settings: Readonly<Record<string, OptionValue>>,
  rows: OptionRows,
  bold: (text: string) => string,
): string[] {
  const groups = Map.groupBy(Object.entries(settings), ([name]) => rows[name].group);
  return [...groups].flatMap(([group, members]) => [
    bold(group),
    ...columns(members.map(([name, value]) => {
      const usual = rows[name].default;
      const note = usual === undefined || usual === value ? "" : `default ${optionText(usual)}`;
      return [`  ${name}`, optionText(value), note];
    })).map((line) => line.trimEnd()),
  ]);
}
