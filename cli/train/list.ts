/** `train --list`: every task, algorithm, reward and preset, with what each brings. @module */
import { DEFAULT_ALGORITHM, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { listRewards, rewardSetting } from "../../rewards/registry.ts";
import { openTask } from "../../tasks/open.ts";
import { listTasks } from "../../tasks/registry.ts";
import { DEFAULT_MODEL, type TaskDefinition } from "../../tasks/task.ts";
import { jsonLine } from "../printable.ts";
import { paint, type Terminal } from "../terminal.ts";
import { beside } from "../wrap.ts";
import { DATA } from "./ready.ts";
import type { Catalogue, Entry } from "./request.ts";

/** A task, and what a run of it has that says nothing else. */
export interface TaskEntry extends Entry {
  /** Names of its own settings. */
  settings: string[];
  model?: string;
  algorithm?: string;
  /** As `--reward` takes it; "" where a run must name one. */
  reward?: string;
  steps?: number;
  prompts?: { train: number; heldout: number };
  /** Names of the rewards that make sense for it. */
  fits?: string[];
  /** The reward that is its own measure, where that is not `exact`. */
  measure?: string;
  /** Why the rest is not known here, where it is not: its data is missing. */
  missing?: string;
}

/** The catalogue with what each entry brings; those that are not of the registries stay as they are. */
export async function detailed(catalogue: Catalogue): Promise<Catalogue> {
  const tasks = await Promise.all(catalogue.tasks.map(async (entry) => {
    const definition = listTasks().find(({ name }) => name === entry.name);
    return definition ? await taskEntry(entry, definition) : entry;
  }));
  return {
    tasks,
    algorithms: catalogue.algorithms.map((entry) => {
      const paper = listAlgorithms().find(({ name }) => name === entry.name)?.paper;
      return paper === undefined ? entry : { ...entry, paper };
    }),
    rewards: catalogue.rewards.map((entry) => {
      const reward = listRewards().find(({ name }) => name === entry.name);
      return reward
        ? { ...entry, settings: reward.options.names.map((one) => rewardSetting(reward, one)) }
        : entry;
    }),
    presets: catalogue.presets,
  };
}

/** What opening it with its own defaults tells. */
export async function taskEntry(entry: Entry, definition: TaskDefinition): Promise<TaskEntry> {
  const settings = [...definition.options.names];
  try {
    const { task } = await openTask(definition, {}, DATA);
    const { train, heldout } = task.examples;
    return {
      ...{ ...entry, settings, model: task.model ?? DEFAULT_MODEL },
      algorithm: task.algorithm ?? DEFAULT_ALGORITHM,
      ...{ reward: task.defaultRewards, steps: task.steps },
      prompts: { train: train.length, heldout: heldout.length },
      fits: [...task.fits ?? listRewards().map(({ name }) => name)],
      ...(task.measure !== undefined && { measure: task.measure }),
    };
  } catch (error) {
    return { ...entry, settings, missing: error instanceof Error ? error.message : String(error) };
  }
}

/** Prints it; gives the exit code. */
export function showList(catalogue: Catalogue, json: boolean, terminal: Terminal): number {
  if (json) {
    terminal.out(jsonLine(catalogue));
    return 0;
  }
  const kinds = Object.entries(catalogue) as [string, readonly Entry[]][];
  for (const [i, [kind, entries]] of kinds.entries()) {
    if (i > 0) terminal.out("");
    terminal.out(paint(terminal, "bold", `${kind}:`));
    const rows = entries.map((one) => [one.name, [one.doc, ...facts(one)]] as const);
    const lines = rows.length > 0 ? beside(rows, terminal.columns) : ["  none"];
    for (const line of lines) terminal.out(line);
  }
  return 0;
}

/** What is said of a task below its summary, a part each. */
function facts(
  { model, algorithm, reward, prompts, fits, settings, missing }: Partial<TaskEntry>,
): string[] {
  if (missing !== undefined) return [`not here: ${missing}`];
  if (!prompts) return [];
  const isAny = fits?.length === listRewards().length;
  return [
    `--model ${model} --algorithm ${algorithm}${reward === "" ? "" : ` --reward ${reward}`}`,
    `${prompts.train} prompts to train on, ${prompts.heldout} held out`,
    isAny ? "any reward" : `rewards ${fits!.join(", ")}`,
    ...(settings && settings.length > 0 ? [`settings ${settings.join(", ")}`] : []),
  ];
}
