/** What differs among the groups of a comparison, and how it is told. @module */
import { optionText } from "../../base/options.ts";

interface WithSettings {
  settings: Readonly<Record<string, unknown>>;
}

/** What a run is comes first, then its settings in their own order. */
const FIRST = ["task", "algorithm", "reward", "model", "steps"];

/**
 * Settings of which groups have different values. One that only some have, as they have another algorithm or
 * reward, differs only where those do.
 */
export function settingKeys(groups: readonly WithSettings[]): string[] {
  const names = new Set([...FIRST, ...groups.flatMap(({ settings }) => Object.keys(settings))]);
  return [...names].filter((name) => {
    const values = groups.filter(({ settings }) => Object.hasOwn(settings, name))
      .map(({ settings }) => JSON.stringify(settings[name]));
    return new Set(values).size > 1;
  });
}

/** A value for people; "" where a group does not have the setting. */
export const settingText = ({ settings }: WithSettings, name: string): string => {
  const value = settings[name];
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return optionText(value);
  }
  return value === undefined ? "" : JSON.stringify(value);
};

/** What tells a group from the others: `learningRate 1e-4, clipLow 0.2`; what it is where nothing does. */
export const groupName = (group: WithSettings, differing: readonly string[]): string =>
  told(group, differing, ["task", "algorithm", "reward", "model"]) ||
  ["task", "algorithm", "reward"].map((name) => settingText(group, name)).join(", ");

/** The settings that a group has, with their values; of those in `bare` the value says what it is. */
const told = (
  group: WithSettings,
  names: readonly string[],
  bare: readonly string[],
): string =>
  names.map((name) => [name, settingText(group, name)]).filter(([, text]) => text !== "")
    .map(([name, text]) => bare.includes(name) ? text : `${name} ${text}`).join(", ");

/**
 * Names that a chart has room for: of the differing settings the first ones that tell all groups apart, such as
 * `grpo, reward exact`; what they are where nothing does.
 */
export function shortNames(
  groups: readonly WithSettings[],
  differing: readonly string[],
): string[] {
  const keys: string[] = [];
  const apart = (names: readonly string[]): number =>
    new Set(groups.map((group) => JSON.stringify(names.map((name) => settingText(group, name)))))
      .size;
  for (const name of differing) {
    if (apart([...keys, name]) > apart(keys)) keys.push(name);
  }
  return groups.map((group) =>
    keys.length === 0 ? groupName(group, []) : told(group, keys, ["task", "algorithm", "model"])
  );
}
