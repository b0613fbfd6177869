/** Flags and settings in the words of `--help`. @module */
import { type Option, optionFacts } from "../base/options.ts";
import type { Settings } from "./command.ts";
import { NARROW, wrapIndented } from "./wrap.ts";

/** A flag's line: what it does, then what it may be. */
export function flagHelp(option: Option): string {
  const facts = optionFacts(option);
  return facts ? `${option.doc} (${facts})` : option.doc;
}

/** Settings are given as key=value, so that a boolean's two words are worth saying. */
export const settingFacts = (option: Option): string =>
  option.kind === "boolean" ? `true | false, ${defaultOf(option)}` : optionFacts(option);

const defaultOf = ({ default: value, otherwise }: Option): string =>
  value === undefined ? `default: ${otherwise}` : `default ${value}`;

/** Columns that help takes where nobody says how many there are. */
export const HELP_WIDTH = 100;

/** All settings, group by group: what each does, and below it what it may be. */
export function settingsHelp({ rows, note }: Settings, columns: number): string {
  const entries = Object.entries(rows);
  const longest = Math.max(...entries.map(([key]) => key.length));
  const at = columns < NARROW ? 6 : longest + 4;
  const groups = Map.groupBy(entries, ([, option]) => option.group);
  const entry = ([key, option]: [string, Option]): string[] => {
    const lines = [option.doc, `(${settingFacts(option)})`]
      .flatMap((text) => wrapIndented(text, columns, at));
    if (columns < NARROW) return [`  ${key}`, ...lines];
    return [`  ${key.padEnd(longest)}  ${lines[0].slice(at)}`, ...lines.slice(1)];
  };
  const parts = [...groups].map(([group, members]) =>
    [`Settings, ${group}:`, ...members.flatMap(entry)].join("\n")
  );
  const notes = note === undefined ? [] : [
    note.split("\n").flatMap((line) => wrapIndented(line, columns, 0)).join("\n"),
  ];
  return [...parts, ...notes].join("\n\n");
}

/** What an option does, up to the first pause, and what it may be: for one line of an error. */
export const inShort = (option: Option): string =>
  [option.doc.split(/[;,:]/)[0], optionFacts(option)].filter((part) => part !== "").join(", ");
