/** The settings of a run beside their defaults, for pages about it. @module */
import { type Option, optionText } from "../../base/options.ts";
import type { RunConfig } from "../../experiment/folder/run_data.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import { listTasks } from "../../tasks/registry.ts";
import { DEFAULT_ALGORITHM, findAlgorithm, listAlgorithms } from "../../rl/algorithms/registry.ts";

/** One setting of a run. */
export interface SettingRow {
  /** With dots where config.json nests it. */
  key: string;
  value: string;
  /** The default; undefined where there is no fixed one. */
  usual: string | undefined;
  /** Whether it differs from a fixed default. */
  changed: boolean;
  /** Its row in the table of options; undefined where it has none. */
  option: Option | undefined;
}

/** All settings, in their own order. */
export function settingRows(
  { task, algorithm, config }: Pick<RunConfig, "task" | "algorithm" | "config">,
): SettingRow[] {
  const ofTask = listTasks().find(({ name }) => name === task)?.options;
  const isThere = listAlgorithms().some(({ name }) => name === algorithm); // not one of a program's own
  const { rows } = settingsTable(
    findAlgorithm(isThere ? algorithm : DEFAULT_ALGORITHM),
    listRewards(),
    ofTask,
  );
  return flatten(config).map(([key, value]) => {
    const last = key.slice(key.lastIndexOf(".") + 1);
    const option = Object.hasOwn(rows, last) ? rows[last] : undefined;
    const usual = option?.default === undefined ? undefined : optionText(option.default);
    return { key, value, usual, changed: usual !== undefined && usual !== value, option };
  });
}

/** Nested objects as dotted keys, in their own order. */
function flatten(value: Readonly<Record<string, unknown>>, before = ""): [string, string][] {
  return Object.entries(value).flatMap(([key, part]) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? flatten(part as Record<string, unknown>, `${before}${key}.`)
      : [[`${before}${key}`, textOf(part)]]
  ) as [string, string][];
}

const textOf = (part: unknown): string =>
  typeof part === "string" || typeof part === "number"
    ? optionText(part)
    : JSON.stringify(part) ?? "";
