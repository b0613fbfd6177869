/** Every task, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../base/names.ts";
import { definition as colors } from "./colors.ts";
import type { TaskDefinition } from "./task.ts";

// deno-lint-ignore no-explicit-any -- each has settings of its own
const TASKS: readonly TaskDefinition<any>[] = [colors];

/** All tasks, in the order of `--list`. */
export const listTasks = (): readonly TaskDefinition[] => TASKS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findTask(name: string): TaskDefinition {
  const found = TASKS.find((task) => task.name === name);
  if (found) return found;
  throw unknownName("task", name, TASKS.map((task) => task.name));
}
