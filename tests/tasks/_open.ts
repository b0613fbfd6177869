/** Opens a task as the command line does, on a file that is here as text. @module */
import type { OptionValue } from "../../base/options.ts";
import { openTask } from "../../tasks/open.ts";
import type { Task, TaskDefinition } from "../../tasks/task.ts";

/** The task on a file of that name and content. */
export async function openOn(
  // deno-lint-ignore no-explicit-any -- any settings of its own
  definition: TaskDefinition<any>,
  [name, content]: [string, string | Uint8Array],
  settings: Record<string, OptionValue> = {},
): Promise<Task> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const readData = (asked: string) => Promise.resolve({ name: asked, bytes });
  const { task } = await openTask(definition, { ...settings, data: name }, { readData });
  return task;
}

/** All examples of a task. */
export const allOf = ({ examples: { train, heldout } }: Task) => [...train, ...heldout];

/** Records as JSONL. */
export const lines = (records: readonly unknown[]): string =>
  records.map((record) => JSON.stringify(record)).join("\n");
