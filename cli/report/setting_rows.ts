/** The settings of a run beside their defaults, for pages about it. @module */
import { type Option, type OptionRows, optionText } from "../../base/options.ts";
import type { RunConfig } from "../../experiment/folder/run_data.ts";
import { listPresets } from "../../experiment/presets/registry.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import { listTasks } from "../../tasks/registry.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
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
  /** Who set it: "you", "the preset NAME" or "the task"; undefined for a default, or where it is not known. */
  by: string | undefined;
  /** Its row in the table of options; undefined where it has none. */
  option: Option | undefined;
}

/** All settings, in their own order. */
export function settingRows(
  { task, algorithm, config, request }: Pick<
    RunConfig,
    "task" | "algorithm" | "config" | "request"
  >,
): SettingRow[] {
  const ofTask = listTasks().find(({ name }) => name === task)?.options;
  const isThere = listAlgorithms().some(({ name }) => name === algorithm); // not one of a program's own
  const known = findAlgorithm(isThere ? algorithm : DEFAULT_ALGORITHM);
  const { seed, totalSteps } = trainerOptions(known as Algorithm<never>).rows; // fields of a request
  const rows: OptionRows = {
    ...settingsTable(known, listRewards(), ofTask).rows,
    seed,
    totalSteps,
  };
  return flatten(config).map(([key, value]) => {
    const last = key.slice(key.lastIndexOf(".") + 1);
    const option = Object.hasOwn(rows, last) ? rows[last] : undefined;
    const usual = option?.default === undefined ? undefined : optionText(option.default);
    const changed = usual !== undefined && usual !== value;
    return { key, value, usual, changed, by: setBy(last, changed, request), option };
  });
}

/** Names of fields of a request under which config.json has what they ask for. */
const FIELDS: Readonly<Record<string, string>> = { totalSteps: "steps" };

/**
 * What was asked for wins over the preset, and that over the task: what differs from the default and neither
 * set is the task's. A run of a program's own, or of an earlier version, does not say what was asked for.
 */
function setBy(
  name: string,
  changed: boolean,
  request: Readonly<Record<string, unknown>>,
): string | undefined {
  const asked = request.settings;
  if (typeof asked !== "object" || asked === null) return undefined;
  if (Object.hasOwn(asked, name) || request[FIELDS[name] ?? ""] !== undefined) return "you";
  const { preset } = request;
  const known = listPresets().find((one) => one.name === preset);
  if (!changed) return undefined;
  return known && Object.hasOwn(known.settings, name) ? `the preset ${known.name}` : "the task";
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
