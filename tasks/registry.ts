/** Every task, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../base/names.ts";
import { colors } from "./colors.ts";
import type { Task } from "./task.ts";

const TASKS: readonly (() => Task)[] = [colors];

/** All tasks, in the order of `--list`. */
export function listTasks(): Task[] {
  return TASKS.map((load) => load());
}

/** @throws TypeError for an unknown name, with the nearest one. */
export function findTask(name: string): Task {
  const tasks = listTasks();
  const found = tasks.find((task) => task.name === name);
  if (found === undefined) throw unknownName("task", name, tasks.map((task) => task.name));
  return found;
}
