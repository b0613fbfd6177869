/** Flags and settings in the words of `--help`. @module */
import { type Option, optionFacts } from "../base/options.ts";
import type { Settings } from "./command.ts";

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

/** All settings, group by group, two lines each. */
export function settingsHelp({ rows, note }: Settings): string {
  const entries = Object.entries(rows);
  const width = Math.max(...entries.map(([key]) => key.length));
  const groups = Map.groupBy(entries, ([, option]) => option.group);
  const parts = [...groups].map(([group, members]) =>
    [
      `Settings, ${group}:`,
      ...members.map(([key, option]) =>
        `  ${key.padEnd(width)}  ${option.doc}\n  ${" ".repeat(width)}  (${settingFacts(option)})`
      ),
    ].join("\n")
  );
  return [...parts, ...(note === undefined ? [] : [note])].join("\n\n");
}

/** What an option does, up to the first pause, and what it may be: for one line of an error. */
export const inShort = (option: Option): string =>
  [option.doc.split(/[;,:]/)[0], optionFacts(option)].filter((part) => part !== "").join(", ");
