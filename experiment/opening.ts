/** The first stage of a run: opens the task that a request names, and loads rewards from their files. @module */
import { isPath } from "../base/own_file.ts";
import { asUsage } from "../base/usage.ts";
import type { OptionValue } from "../base/options.ts";
import { type OpenedTask, openTask, type TaskRequest } from "../tasks/open.ts";
import { type DataCommits, taskContext } from "./folder/data_file.ts";
import type { TrainRequest } from "./request.ts";
import { loadRewards } from "./rewards.ts";

/** A request of which nothing is left to read: its task is open, its rewards are loaded. */
export type OpenedRequest = TrainRequest & { task: OpenedTask };

/**
 * Opens what a request names. One that is open stays as it is.
 * @throws {TypeError|RangeError} marked as usage, for a task that there is not, or a value of its settings
 * that cannot be
 * @throws {Error} where a file is not what it must be, or data cannot be had
 */
export async function openRequest(request: TrainRequest): Promise<OpenedRequest> {
  const { task, reward, settings, dataCommits } = request;
  return {
    ...request,
    task: await openFrom(task, settings, dataCommits),
    ...(reward !== undefined && { reward: await loadRewards(reward) }),
  };
}

/** As `openTask` of tasks/open.ts, also from the path of a module or a table, with files to read. */
export async function openFrom(
  asked: TaskRequest,
  settings: Readonly<Record<string, OptionValue | undefined>> = {},
  commits?: DataCommits,
): Promise<OpenedTask> {
  const { task, file } = await findFrom(asked);
  try {
    return withFile(await openTask(task, settings, taskContext(commits)), file);
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError ? asUsage(error) : error;
  }
}

/** An opened task with the file that it came from, which is not its data. */
export function withFile(opened: OpenedTask, file: OpenedTask["file"]): OpenedTask {
  if (!file) return opened;
  const { data = [], ...rest } = opened;
  const others = data.filter(({ name }) => name !== file.path);
  return { ...rest, file, ...(others.length > 0 && { data: others }) };
}

/** What is opened: a module's or a table's definition where a path is asked for, with the file. */
export async function findFrom(
  asked: TaskRequest,
): Promise<{ task: TaskRequest; file?: OpenedTask["file"] }> {
  if (typeof asked !== "string" || !isPath(asked)) return { task: asked };
  const { loadTask } = await import("./folder/own_files.ts");
  const { definition, file } = await loadTask(asked);
  return { task: definition, file };
}
