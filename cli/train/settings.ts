/** What `train` may be given as key=value beside its flags, with the defaults that hold there. @module */
import { type OptionRows, optionText, type OptionValue } from "../../base/options.ts";
import { settingsTable, suitedSettings } from "../../experiment/settings.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { findPreset, listPresets } from "../../experiment/presets/registry.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { openTaskNow } from "../../tasks/open.ts";
import { listTasks } from "../../tasks/registry.ts";
import type { FlagValues, Settings } from "../command.ts";
import { algorithmOf, known } from "./request.ts";

type Names = { algorithm?: string; preset?: string };

/**
 * The settings of the algorithm that the flags mean. Of a task in `words`, and of a preset, the values
 * that take the place of defaults are shown as such.
 * @throws {UsageError} for a name that is not there
 */
export function settingsFor(
  flags: Readonly<FlagValues>,
  [task]: readonly string[] = [],
  algorithms: readonly Algorithm[] = listAlgorithms(),
): Settings {
  const { preset } = flags as Names;
  if (task !== undefined) known("task", task, listTasks());
  if (preset !== undefined) known("preset", preset, listPresets());
  const algorithm = algorithmOf(flags as Names, { algorithms, presets: listPresets() });
  const found = task === undefined ? undefined : openTaskNow(task).task;
  const suited = suitedSettings(
    found,
    preset === undefined ? undefined : findPreset(preset),
  );
  const { rows } = settingsTable(algorithms.find(({ name }) => name === algorithm)!);
  const which = suited.length > 0
    ? `Where a value is said to be of ${suited.map(({ by }) => by).join(" or ")}, it wins over ` +
      "the setting's own default; what you give wins over both."
    : "A task's own values win over these defaults, a preset's over both: with a task beside it, " +
      "--help shows which hold.";
  const lines = [
    `Those are the settings of ${algorithm}; --algorithm NAME --help shows another's.`,
    which,
    ...(found
      ? [`Of ${found.name}: --steps ${found.steps} --reward ${found.defaultRewards}.`]
      : []),
  ];
  return {
    rows: withSuited(rows, suited),
    note: lines.join("\n"),
    elsewhere: (name) => ofAnother(name, algorithm, algorithms),
  };
}

/** The rows with the defaults that hold: the last of `suited` that has one, else the row's own. */
function withSuited(
  rows: OptionRows,
  suited: readonly { by: string; values: Readonly<Record<string, OptionValue>> }[],
): OptionRows {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => {
      const winner = suited.findLast(({ values }) => values[name] !== undefined);
      if (!winner || winner.values[name] === row.default) return [name, row];
      const own = row.default === undefined ? "" : `, in place of ${optionText(row.default)}`;
      const otherwise = `${optionText(winner.values[name])} of ${winner.by}${own}`;
      return [name, { ...row, default: undefined, otherwise }];
    }),
  );
}

/** The sentence for a setting that only other algorithms have. */
function ofAnother(
  name: string,
  algorithm: string,
  algorithms: readonly Algorithm[],
): string | undefined {
  const owners = algorithms.filter((one) => Object.hasOwn(settingsTable(one).rows, name))
    .map((one) => one.name);
  if (owners.length === 0 || owners.includes(algorithm)) return undefined;
  return `Cannot set ${name} as it is a setting of ${owners.join(", ")}, not of ${algorithm}. ` +
    `See: deno task train --algorithm ${owners[0]} --help`;
}
