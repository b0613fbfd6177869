/** Opens a task: by name, by its definition, or one that a program hands in. @module */
import { defineOptions, type OptionTable, type OptionValue } from "../base/options.ts";
import { findTask } from "./registry.ts";
import {
  checkTask,
  type DataFile,
  type DataSource,
  type Task,
  type TaskContext,
  type TaskDefinition,
} from "./task.ts";

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
  /** What else was read for it; absent where nothing was. */
  readonly data?: readonly DataSource[];
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
  const read: DataFile[] = [];
  const { task, ...rest } = begin(asked, given, noting(context, read));
  const opened = { ...rest, task: checkTask(await task) };
  return read.length === 0 ? opened : { ...opened, data: await Promise.all(read.map(sourceOf)) };
}

/** The context, which adds each file to `read` that it gives. */
function noting({ readData, readDataFiles }: TaskContext, read: DataFile[]): TaskContext {
  return {
    ...(readData && {
      async readData(name) {
        const file = await readData(name);
        read.push(file);
        return file;
      },
    }),
    ...(readDataFiles && {
      async readDataFiles(name) {
        const files = await readDataFiles(name);
        read.push(...files);
        return files;
      },
    }),
  };
}

async function sourceOf({ name, bytes, of }: DataFile): Promise<DataSource> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return { name, sha256: new Uint8Array(hash).toHex(), ...of };
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
