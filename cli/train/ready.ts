/** What `train` must read before it can tell its settings: a task, and rewards in files. @module */
import { isPath } from "../../base/own_file.ts";
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  parseOption,
} from "../../base/options.ts";
import type { OptionValue } from "../../base/options.ts";
import { asUsage } from "../../base/usage.ts";
import type { RewardRequest } from "../../experiment/rewards.ts";
import type { RewardDefinition } from "../../rewards/reward.ts";
import {
  isDefinition,
  type OpenedTask,
  openTask,
  openTaskNow,
  type TaskRequest,
} from "../../tasks/open.ts";
import { findTask, listTasks } from "../../tasks/registry.ts";
import type { TaskContext } from "../../tasks/task.ts";
import type { Glance } from "../command.ts";
import { known } from "./request.ts";

type Options = OptionTable<Record<string, OptionValue>>;

/** A task, and rewards of one's own, as far as they could be read. */
export interface Ready {
  /** As it was asked for. */
  readonly asked: string;
  /** The settings of the task's own. */
  readonly options: Options;
  /** Absent where it could not be opened: `fault` says why. */
  readonly opened?: OpenedTask;
  readonly fault?: Error;
  /** What --reward asks for, loaded. */
  readonly reward?: RewardRequest;
  /** The definitions among them that are not the registry's. */
  readonly definitions: readonly RewardDefinition[];
}

/**
 * Reads what a command line asks for; undefined where it names no task. A task that cannot be opened is a
 * fault only where a run, not help, is asked for.
 * @throws {UsageError} for a name that there is not
 * @throws {Error} where a file is not what it must be
 */
export async function readyFor({ words, flags, help }: Glance): Promise<Ready | undefined> {
  const asked = words.find((word) => !word.includes("="));
  if (asked === undefined) return undefined;
  const { task, file } = await found(asked), reward = await loaded(flags.reward);
  const ready = {
    ...{ asked, reward, options: isDefinition(task) ? task.options as Options : NONE },
    definitions: await definitionsIn(reward),
  };
  try {
    const opened = await openTask(task, ownSettings(words, ready.options.rows), DATA);
    if (!file) return { ...ready, opened };
    const { withFile } = await import("../../experiment/opening.ts"); // which read the file
    return { ...ready, opened: withFile(opened, file) };
  } catch (error) {
    if (help && error instanceof Error) return { ...ready, fault: error };
    throw error instanceof TypeError || error instanceof RangeError ? asUsage(error) : error;
  }
}

/** Loaded when it is called: most tasks read nothing. */
const reading = () => import("../../experiment/folder/data_file.ts");

/** How tasks read files. */
export const DATA: TaskContext = {
  readData: async (name) => await (await reading()).readData(name),
  readDataFiles: async (name) => await (await reading()).readDataFiles(name),
};

async function found(asked: string): Promise<{ task: TaskRequest; file?: OpenedTask["file"] }> {
  if (isPath(asked)) return await (await import("../../experiment/opening.ts")).findFrom(asked);
  known("task", asked, listTasks());
  return { task: findTask(asked) };
}

/** What --reward asks for; undefined where it names no file, or nothing. */
async function loaded(text: unknown): Promise<RewardRequest | undefined> {
  if (typeof text !== "string" || !isPath(text)) return undefined; // which each has a file's ending
  const { loadRewards } = await import("../../experiment/rewards.ts");
  return await loadRewards(text);
}

async function definitionsIn(reward: RewardRequest | undefined): Promise<RewardDefinition[]> {
  if (reward === undefined) return [];
  return (await import("../../experiment/rewards.ts")).ownDefinitions(reward);
}

const NONE: Options = defineOptions("a task without settings", {});

/** A task of the registry that reads nothing; without what opening it gives where it reads files. */
export function readyNow(asked: string): Ready {
  known("task", asked, listTasks());
  const { options } = findTask(asked), ready = { asked, options, definitions: [] };
  try {
    return { ...ready, opened: openTaskNow(asked) };
  } catch (error) {
    return { ...ready, fault: error as Error };
  }
}

/** The settings of the task among the words. The parser says what is wrong with the others. */
function ownSettings(words: readonly string[], rows: OptionRows): Record<string, OptionValue> {
  const found: Record<string, OptionValue> = {};
  for (const word of words) {
    const at = word.indexOf("="), name = word.slice(0, at);
    if (at < 1 || !Object.hasOwn(rows, name)) continue;
    try {
      found[name] = parseOption(name, rows[name], word.slice(at + 1));
    } catch (error) {
      throw asUsage(error as Error);
    }
  }
  return found;
}
