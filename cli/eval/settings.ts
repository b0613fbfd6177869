/** What `eval` may be given as key=value: settings of rewards, parent, servers and the task. @module */
import { isPath } from "../../base/own_file.ts";
import { evalTable } from "../../experiment/eval/settings.ts";
import type { RewardDefinition } from "../../rewards/reward.ts";
import { isDefinition, type OpenedTask, type TaskRequest } from "../../tasks/open.ts";
import { findTask, listTasks } from "../../tasks/registry.ts";
import type { Glance, Settings } from "../command.ts";
import { known } from "../train/request.ts";

/** What had to be read for it: the settings of a task and of rewards in files. */
export interface EvalReady {
  task?: OpenedTask["options"];
  definitions?: readonly RewardDefinition[];
}

/** The settings there are. */
export function evalSettings({ task, definitions }: EvalReady = {}): Settings {
  return {
    rows: evalTable(definitions, task).rows,
    note:
      "Where a run is evaluated on its own task, its own values win over these defaults; what you give " +
      "wins over both." +
      (task === undefined ? " Beside a task, --help shows its settings too." : ""),
    elsewhere: (name) => ofTask(name),
  };
}

/** Words of a command line that are no settings: the model, and the task. */
const names = ({ words }: Pick<Glance, "words">): string[] =>
  words.filter((word) => !word.includes("="));

/**
 * Reads what a command line names: the run's task where it names none.
 * @throws {Error} marked as usage, for a name that there is not
 */
export async function evalReady(glance: Glance): Promise<EvalReady> {
  const [model, asked] = names(glance), { reward, step } = glance.flags;
  const task = asked ?? (model === undefined ? undefined : await taskOfRun(model, step));
  const options = task === undefined ? undefined : await optionsOf(task);
  if (typeof reward !== "string" || !isPath(reward)) return { task: options };
  const { loadRewards, ownDefinitions } = await import("../../experiment/rewards.ts");
  return { task: options, definitions: ownDefinitions(await loadRewards(reward)) };
}

/** The run's task, where it is one of the registry; what else is wrong with it is said when it is opened. */
async function taskOfRun(model: string, step: unknown): Promise<string | undefined> {
  const { namedCheckpoint } = await import("../../experiment/folder/named_checkpoint.ts");
  const { readRunConfig } = await import("../../experiment/folder/run_data.ts");
  try {
    const at = step === undefined ? undefined : Number(step);
    const { run } = await namedCheckpoint(model, { step: at, action: "evaluate" });
    const task = run && (await readRunConfig(run.folder)).task;
    return listTasks().some(({ name }) => name === task) ? task : undefined;
  } catch {
    return undefined;
  }
}

async function optionsOf(asked: string): Promise<EvalReady["task"]> {
  let task: TaskRequest;
  if (isPath(asked)) {
    ({ task } = await (await import("../../experiment/opening.ts")).findFrom(asked));
  } else {
    known("task", asked, listTasks());
    task = findTask(asked);
  }
  return isDefinition(task) ? task.options as EvalReady["task"] : undefined;
}

/** The sentence for a setting that only other tasks have. */
function ofTask(name: string): string | undefined {
  const owners = listTasks().filter(({ options }) => Object.hasOwn(options.rows, name));
  if (owners.length === 0) return undefined;
  const all = owners.map((task) => task.name).join(", ");
  return `Cannot set ${name} as it is a setting of the task ${all}: name it behind the model`;
}
