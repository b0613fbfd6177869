/** Every task, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../base/names.ts";
import { definition as analogies } from "./analogies.ts";
import { definition as categories } from "./categories.ts";
import { definition as colors } from "./colors.ts";
import { definition as copy } from "./copy.ts";
import { definition as dialogue } from "./dialogue.ts";
import { definition as imdb } from "./imdb.ts";
import { definition as math } from "./math.ts";
import { definition as negative } from "./negative.ts";
import { definition as opposites } from "./opposites.ts";
import { definition as shades } from "./shades.ts";
import type { TaskDefinition } from "./task.ts";

// deno-lint-ignore no-explicit-any -- each has settings of its own
const TASKS: readonly TaskDefinition<any>[] = [
  colors,
  shades,
  opposites,
  categories,
  copy,
  negative,
  analogies,
  math,
  dialogue,
  imdb,
];

/** All tasks, in the order of `--list`. */
export const listTasks = (): readonly TaskDefinition[] => TASKS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findTask(name: string): TaskDefinition {
  const found = TASKS.find((task) => task.name === name);
  if (found) return found;
  throw unknownName("task", name, TASKS.map((task) => task.name));
}
