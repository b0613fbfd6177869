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
export function groupName(group: WithSettings, differing: readonly string[]): string {
  const told = differing.filter((name) => settingText(group, name) !== "");
  if (told.length === 0) {
    return ["task", "algorithm", "reward"].map((name) => settingText(group, name)).join(", ");
  }
  return told.map((name) =>
    FIRST.includes(name) && name !== "steps"
      ? settingText(group, name)
      : `${name} ${settingText(group, name)}`
  ).join(", ");
}

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
  if (keys.length === 0) return groups.map((group) => groupName(group, []));
  return groups.map((group) =>
    keys.filter((name) => settingText(group, name) !== "").map((name) =>
      BARE.includes(name) ? settingText(group, name) : `${name} ${settingText(group, name)}`
    ).join(", ")
  );
}

/** Settings whose values say what they are. */
const BARE = ["task", "algorithm", "model"];
