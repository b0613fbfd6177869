/** What a run is asked to do, and every setting of it filled in. @module */
import type { OptionValue } from "../base/options.ts";
import { markUsage } from "../base/usage.ts";
import type { DeviceChoice } from "../kernels/devices/open.ts";
import { type Algorithm, type Needs, needsOf } from "../rl/algorithm.ts";
import { findPreset } from "../rl/algorithms/presets.ts";
import { DEFAULT_ALGORITHM, findAlgorithm } from "../rl/algorithms/registry.ts";
import { findTask } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import { chooseRewards, type ChosenReward, type RewardRequest } from "./rewards.ts";
import {
  type ResolvedSettings,
  resolveSettings,
  type RunSettings,
  suitedSettings,
} from "./settings.ts";

/** What a run is asked to do; what is left out comes from the task. */
export interface TrainRequest {
  /** Name in the registry, or a task of your own. */
  task: string | Task;
  /** Name in the registry, or an algorithm of your own. Default: the preset's, else the registry's. */
  // deno-lint-ignore no-explicit-any -- any settings of its own
  algorithm?: string | Algorithm<any>;
  /** `NAME[:weight],…`, a reward of your own, or several of both. */
  reward?: RewardRequest;
  /** "tiny", or a folder in Hugging Face form. Default "tiny". */
  model?: string;
  /** Name in `rl/algorithms/presets.ts`; its settings take the place of the task's. */
  preset?: string;
  /** Rollouts. */
  steps?: number;
  /** Key of every random number. Default 1. */
  seed?: number;
  /** Default "auto". */
  device?: DeviceChoice;
  /** Steps between checkpoints; step 0 and the last always have one. 0: only they. Default 0. */
  saveEvery?: number;
  /** Settings that differ from the task's or the preset's, by the names of the command line. */
  settings?: Readonly<Record<string, OptionValue>>;
  /** Device memory that the run may take, GiB. Default: what the machine has free, where that is known. */
  memory?: number;
  /** Checkpoint folder to continue from; everything else must be as in the run that wrote it. */
  resume?: string;
}

/** A request with everything filled in, and nothing opened. */
export interface ResolvedRequest {
  task: Task;
  algorithm: Algorithm;
  /** What the algorithm needs of the models with these settings. */
  needs: Needs;
  rewards: ChosenReward[];
  model: string;
  /** For the trainer: the loop's settings and the algorithm's. */
  config: ResolvedSettings["config"];
  /** Of data, adapter, optimizer and memory. */
  settings: Readonly<RunSettings>;
  saveEvery: number;
}

/**
 * Fills in what the request leaves to task and preset.
 * @throws {TypeError|RangeError} marked as usage, for a request that names what there is not, or out of
 * range
 */
export const resolveRequest = (request: TrainRequest): ResolvedRequest =>
  markUsage(() => resolve(request));

function resolve(request: TrainRequest): ResolvedRequest {
  const task = typeof request.task === "string" ? findTask(request.task) : request.task;
  if (task.examples.train.length === 0) {
    throw new RangeError(`Cannot train on ${task.name} as it has no training prompts`);
  }
  checkIds(task);
  const preset = request.preset === undefined ? undefined : findPreset(request.preset);
  const algorithm = algorithmOf(request, preset?.algorithm);
  const { config, run: settings, values } = resolveSettings(algorithm, {
    suited: suitedSettings(task, preset).map(({ values }) => values),
    asked: request.settings ?? {},
    seed: request.seed ?? 1,
    totalSteps: request.steps ?? task.steps,
  });
  const needs = needsOf(algorithm, config);
  if (settings.batchSize % needs.groupSize !== 0) {
    throw new RangeError(
      `Cannot train as batchSize must be a multiple of the ${needs.groupSize} completions that ` +
        `${algorithm.name} compares: it is ${settings.batchSize}`,
    );
  }
  return {
    task,
    algorithm,
    needs,
    rewards: chooseRewards(request.reward ?? task.defaultRewards, values),
    model: request.model ?? "tiny",
    config,
    settings,
    saveEvery: request.saveEvery ?? 0,
  };
}

/** @throws {TypeError} where two examples have one id: the second would be asked the first one's prompt */
function checkIds({ name, examples }: Task): void {
  const seen = new Set<string>();
  for (const { id } of [...examples.train, ...examples.heldout]) {
    if (seen.has(id)) {
      throw new TypeError(
        `Cannot train on ${name} as each example has an id of its own: ${
          JSON.stringify(id)
        } comes twice`,
      );
    }
    seen.add(id);
  }
}

function algorithmOf(
  { algorithm, preset }: Pick<TrainRequest, "algorithm" | "preset">,
  ofPreset: string | undefined,
): Algorithm {
  const found = typeof algorithm === "object"
    ? algorithm
    : findAlgorithm(algorithm ?? ofPreset ?? DEFAULT_ALGORITHM);
  if (ofPreset === undefined || found.name === ofPreset) return found;
  throw new TypeError(
    `Cannot use the preset ${preset} with ${found.name} as it has the settings of ${ofPreset}: ` +
      "leave one of the two out",
  );
}
