/** Opens a task: by name, by its definition, or one that a program hands in. @module */
import { defineOptions, type OptionTable, type OptionValue } from "../base/options.ts";
import { findTask } from "./registry.ts";
import { checkTask, type Task, type TaskContext, type TaskDefinition } from "./task.ts";

/** A task as it may be asked for: a name in the registry, a definition, or a task that is open. */
// deno-lint-ignore no-explicit-any -- any settings of its own
export type TaskRequest = string | Task | TaskDefinition<any>;

/** A task that is open, and the settings with which it was opened. */
export interface OpenedTask {
  readonly task: Task;
  /** The settings of its own. */
  readonly options: OptionTable<Record<string, OptionValue>>;
  /** Their values, all of them. */
  readonly settings: Readonly<Record<string, OptionValue>>;
}

type Values = Readonly<Record<string, OptionValue | undefined>>;

const NONE: OptionTable<Record<string, OptionValue>> = defineOptions("a task without settings", {});

/** What of the registry is meant, or what is handed in. @throws {TypeError} for an unknown name */
const found = (asked: TaskRequest): Task | TaskDefinition =>
  typeof asked === "string" ? findTask(asked) : asked;

const isDefinition = (task: Task | TaskDefinition): task is TaskDefinition =>
  typeof (task as Partial<TaskDefinition> | undefined)?.open === "function";

/** Its own settings among those `given`; where there are others, they are somebody else's. */
function begin(asked: TaskRequest, given: Values, context: TaskContext) {
  const task = found(asked);
  if (!isDefinition(task)) return { options: NONE, settings: {}, task };
  const { options } = task;
  const settings = options.resolve(
    Object.fromEntries(options.names.map((name) => [name, given[name]])) as Record<
      string,
      OptionValue
    >,
  );
  return { options, settings, task: task.open(settings, context) };
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
  throw new TypeError(
    `Cannot use the task ${found(asked).name} at once as it reads files: await openTask()`,
  );
}
