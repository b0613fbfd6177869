/** What `train` may be given as key=value beside its flags, with the defaults that hold there. @module */
import { type OptionRows, optionText } from "../../base/options.ts";
import { settingsTable, suitedSettings } from "../../experiment/settings.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { findPreset, listPresets } from "../../experiment/presets/registry.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { listRewards } from "../../rewards/registry.ts";
import { listTasks } from "../../tasks/registry.ts";
import { DEFAULT_MODEL, type TaskDefinition } from "../../tasks/task.ts";
import type { FlagValues, Settings } from "../command.ts";
import { type Ready, readyNow } from "./ready.ts";
import { algorithmOf, known } from "./request.ts";

type Names = { algorithm?: string; preset?: string };

/**
 * The settings of the algorithm that the flags mean, and of a task in `words`. Of that, and of a preset, the
 * values that take the place of defaults are shown as such.
 * @param ready the task, and rewards of one's own, where they were read beforehand
 * @throws {UsageError} for a name that is not there
 */
export function settingsFor(
  flags: Readonly<FlagValues>,
  [name]: readonly string[] = [],
  { algorithms = listAlgorithms(), tasks = listTasks(), ready }: {
    algorithms?: readonly Algorithm[];
    tasks?: readonly TaskDefinition[];
    ready?: Ready;
  } = {},
): Settings {
  const { preset } = flags as Names;
  const meant = ready ?? (name === undefined ? undefined : readyNow(name));
  const task = meant?.opened?.task;
  if (preset !== undefined) known("preset", preset, listPresets());
  const parts = { algorithms, presets: listPresets(), task };
  const algorithm = algorithmOf(flags as Names, parts);
  const suited = suitedSettings(task, preset === undefined ? undefined : findPreset(preset));
  const { rows } = settingsTable(
    algorithms.find(({ name }) => name === algorithm)!,
    [...listRewards(), ...meant?.definitions ?? []],
    meant?.options,
  );
  return {
    rows: withSuited(rows, suited),
    note: noteOf(algorithm, suited, meant),
    elsewhere: (name) => ofAnother(name, algorithm, algorithms) ?? ofTask(name, meant, tasks),
  };
}

/** Whose settings those are, and what else the task decides. */
function noteOf(algorithm: string, suited: Suited, meant: Ready | undefined): string {
  const which = suited.length > 0
    ? `Where a value is said to be of ${suited.map(({ by }) => by).join(" or ")}, it wins over ` +
      "the setting's own default; what you give wins over both."
    : "A task's own values win over these defaults, a preset's over both: with a task beside it, " +
      "--help shows which hold.";
  const task = meant?.opened?.task;
  const given = task && [
    `--steps ${task.steps}`,
    ...(task.defaultRewards === "" ? [] : [`--reward ${task.defaultRewards}`]),
    `--model ${task.model ?? DEFAULT_MODEL}`,
    ...(task.algorithm === undefined ? [] : [`--algorithm ${task.algorithm}`]),
  ];
  return [
    `Those are the settings of ${algorithm}; --algorithm NAME --help shows another's.`,
    "Several values of a number, a choice or true and false, as in learningRate=1e-4,1e-3, make a sweep.",
    which,
    ...(given ? [`Of ${task.name}: ${given.join(" ")}.`] : []),
    ...(meant?.fault ? [`${meant.asked} cannot be opened so: ${meant.fault.message}`] : []),
  ].join("\n");
}

type Suited = ReturnType<typeof suitedSettings>;

/** The rows with the defaults that hold: the last of `suited` that has one, else the row's own. */
function withSuited(
  rows: OptionRows,
  suited: Suited,
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

/** The sentence for a setting that only other tasks have. */
function ofTask(
  name: string,
  meant: Ready | undefined,
  tasks: readonly TaskDefinition[],
): string | undefined {
  const owners = tasks.filter(({ options }) => Object.hasOwn(options.rows, name))
    .map((task) => task.name);
  if (owners.length === 0) return undefined;
  const not = meant === undefined ? "" : `, not of ${meant.asked}`;
  return `Cannot set ${name} as it is a setting of the task ${owners.join(", ")}${not}. ` +
    `See: deno task train ${owners[0]} --help`;
}
