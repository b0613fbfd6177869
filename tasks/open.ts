/** Opens a task: by name, by its definition, or one that a program hands in. @module */
import { defineOptions, type OptionTable, type OptionValue } from "../base/options.ts";
import { findTask } from "./registry.ts";
import { checkTask, type Task, type TaskContext, type TaskDefinition } from "./task.ts";

/** A task as it may be asked for: a name in the registry, a definition, a task, or one that is open. */
// deno-lint-ignore no-explicit-any -- any settings of its own
export type TaskRequest = string | TaskDefinition<any> | Task | OpenedTask;

/** A task that is open, and the settings with which it was opened. */
export interface OpenedTask {
  readonly task: Task;
  /** The settings of its own. */
  readonly options: OptionTable<Record<string, OptionValue>>;
  /** Their values, all of them. */
  readonly settings: Readonly<Record<string, OptionValue>>;
  /** Where it came from a file: which one, and the SHA-256 of its bytes in hexadecimal digits. */
  readonly file?: { readonly path: string; readonly sha256: string };
}

type Values = Readonly<Record<string, OptionValue | undefined>>;

const NONE: OptionTable<Record<string, OptionValue>> = defineOptions("a task without settings", {});

/** True where it is a definition, and no task yet. */
export const isDefinition = (task: unknown): task is TaskDefinition =>
  typeof (task as Partial<TaskDefinition> | undefined)?.open === "function";

/** True for what `openTask` gave. */
export const isOpened = (task: TaskRequest): task is OpenedTask =>
  typeof task === "object" && task !== null && "task" in task && "options" in task;

/** Opens it with its own settings among those `given`; where there are others, they are somebody else's. */
function begin(
  asked: TaskRequest,
  given: Values,
  context: TaskContext,
): Omit<OpenedTask, "task"> & { task: Task | Promise<Task> } {
  const found = typeof asked === "string" ? findTask(asked) : asked;
  if (isOpened(found)) return found;
  if (!isDefinition(found)) return { options: NONE, settings: {}, task: found as Task };
  const { options } = found, own = options.names.map((name) => [name, given[name]]);
  const settings = options.resolve(Object.fromEntries(own));
  return { options, settings, task: found.open(settings, context) };
}

/**
 * Opens a task with those of `given` that are its own settings.
 * @throws {TypeError|RangeError} for an unknown name, a value of a setting that cannot be, what is no task
 * @throws {Error} where what it needs cannot be had
 */
export async function openTask(
  asked: TaskRequest,
  given: Values = {},
  context: TaskContext = {},
): Promise<OpenedTask> {
  const { task, ...rest } = begin(asked, given, context);
  return { ...rest, task: checkTask(await task) };
}

/**
 * As `openTask`, for a task that reads nothing.
 * @throws {TypeError} for one that must be waited for
 */
export function openTaskNow(asked: TaskRequest, given: Values = {}): OpenedTask {
  const { task, ...rest } = begin(asked, given, {});
  if (!(task instanceof Promise)) return { ...rest, task: checkTask(task) };
  task.catch(() => {}); // said below in other words
  const name = typeof asked === "string" ? asked : (asked as TaskDefinition).name;
  throw new TypeError(`Cannot use the task ${name} at once as it reads files: await openTask()`);
}
