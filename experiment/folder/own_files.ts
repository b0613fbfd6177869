/** Tasks and rewards from files of a user's own: modules are imported, tables read when they are opened. @module */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { described, excerpt } from "../../base/excerpt.ts";
import { nearest } from "../../base/names.ts";
import { isModuleFile, isTableFile, rewardNameOf, taskNameOf } from "../../base/own_file.ts";
import { defineOptions } from "../../base/options.ts";
import { asUsage } from "../../base/usage.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { listRewards } from "../../rewards/registry.ts";
import { functionReward, type RewardFunction } from "../../rewards/own.ts";
import type { Reward, RewardDefinition } from "../../rewards/reward.ts";
import { csvDefinition } from "../../tasks/csv.ts";
import { isDefinition } from "../../tasks/open.ts";
import type { Task, TaskDefinition } from "../../tasks/task.ts";
import type { OwnFile } from "../observer.ts";
import { listFolder } from "./files.ts";
import { fault, guarded } from "./own_errors.ts";
import { lookedIn } from "./named_model.ts";

/**
 * The task in a module or a table of prompts. What opens a module's task speaks of the file where it fails.
 * @throws {Error} marked as usage where there is no such file; where it does not load, or exports no task
 */
export async function loadTask(
  path: string,
): Promise<{ definition: TaskDefinition; file: OwnFile }> {
  if (!isModuleFile(path) && !isTableFile(path)) {
    throw asUsage(
      new TypeError(
        `Cannot train on ${
          excerpt(path)
        } as a task's own file is a module (.ts, .mts, .js, .mjs) or a ` +
          "table (.csv): rename it, or name a task of the registry",
      ),
    );
  }
  const file = await fileAt(path, "the task");
  if (isTableFile(path)) {
    return { definition: csvDefinition(path) as unknown as TaskDefinition, file };
  }
  const found = await exported(path, "the task", ["default", "definition", "task"]);
  return { definition: definitionOf(found, path), file };
}

/**
 * The reward in a module; a function gets the file's name.
 * @throws {Error} marked as usage where there is no such file; where it does not load, or exports no reward
 */
export async function loadReward(
  path: string,
): Promise<{ reward: Reward | RewardDefinition; file: OwnFile }> {
  const file = await fileAt(path, "the reward");
  const found = await exported(path, "the reward", ["default", "definition", "reward"]);
  if (typeof found === "function") {
    const reward = functionReward(rewardNameOf(path), found as RewardFunction);
    return { reward: guarded(path, reward), file };
  }
  const parts = (found ?? {}) as Partial<Reward & RewardDefinition>;
  if (typeof parts.score === "function" || typeof parts.open === "function") {
    const reward = found as Reward | RewardDefinition;
    const isRegistrys = listRewards().some((known) => known === reward);
    return { reward: isRegistrys ? reward : guarded(path, reward, ["open"]), file };
  }
  throw new TypeError(
    `Cannot use ${path} as a reward's file exports one (an object with name and score()), its definition ` +
      `(with open()) or a function, as default: its default is ${described(found)}`,
  );
}

/** A definition of what a module exports as its task. */
function definitionOf(found: unknown, path: string): TaskDefinition {
  const opened = (give: () => unknown) => async (): Promise<Task> => {
    try {
      const task = await give() as Task;
      return typeof task === "object" && task !== null ? guarded(path, task, ["parent"]) : task;
    } catch (error) {
      throw fault(path, "the task", error);
    }
  };
  if (isDefinition(found)) {
    const { options = defineOptions(`the task of ${path}`, {}) } = found as Partial<TaskDefinition>;
    return {
      name: found.name ?? taskNameOf(path),
      summary: found.summary ?? "",
      options,
      open: (...all) => opened(() => found.open(...all))(),
    };
  }
  const none = defineOptions(`the task of ${path}`, {});
  const about = { name: taskNameOf(path), summary: `the task of ${path}`, options: none };
  if (typeof found === "function") return { ...about, open: opened(() => found()) };
  if (typeof found === "object" && found !== null && "examples" in found) {
    return { ...about, open: () => guarded(path, found as unknown as Task, ["parent"]) };
  }
  throw new TypeError(
    `Cannot train on ${path} as a task's file exports one (tasks/task.ts says what that is), its definition ` +
      `(with open()) or a function that gives one, as default: its default is ${described(found)}`,
  );
}

/** The first of these exports that a module has. @throws {Error} where it does not load, or has none */
async function exported(path: string, what: string, names: readonly string[]): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw fault(path, what, error);
  }
  const name = names.find((name) => Object.hasOwn(module, name));
  if (name !== undefined) return module[name];
  const all = Object.keys(module);
  throw new TypeError(
    `Cannot use ${path} as ${what} must be its default export: it exports ${
      all.length === 0 ? "nothing" : all.join(", ")
    }; write: export default …`,
  );
}

/** @throws {Error} marked as usage, where there is no such file */
async function fileAt(path: string, what: string): Promise<OwnFile> {
  const kind = await kindOf(path);
  if (kind === "file") {
    const bytes = await Deno.readFile(path);
    return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  const names = await listFolder(dirname(path)).catch(() => []),
    near = kind === undefined ? nearest(basename(path), names) : undefined;
  const found = kind === "folder" ? "it is a folder" : `it is not there${lookedIn(path)}`;
  throw asUsage(
    new TypeError(
      `Cannot read ${what} ${path} as it must be a file: ${found}.` +
        (near === undefined ? "" : ` Did you mean ${join(dirname(path), near)}?`),
    ),
  );
}
