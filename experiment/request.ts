/** What a run is asked to do, and every setting of it filled in. @module */
import { defineOptions, type OptionValue } from "../base/options.ts";
import { markUsage } from "../base/usage.ts";
import type { DeviceChoice } from "../kernels/devices/open.ts";
import type { Device } from "../kernels/device.ts";
import { type AdapterTuning, useTuning } from "../kernels/tuning.ts";
import type { Algorithm, Needs } from "../rl/algorithm.ts";
import { asAlgorithm, DEFAULT_ALGORITHM } from "../rl/algorithms/registry.ts";
import { needsOf } from "../rl/needs.ts";
import { MAX_STEPS } from "../rl/trainer_options.ts";
import { listRewards } from "../rewards/registry.ts";
import { findTask } from "../tasks/registry.ts";
import { checkTask, type Task } from "../tasks/task.ts";
import { checkConflicts, settingsNotices } from "./conflicts.ts";
import { findPreset } from "./presets/registry.ts";
import { chooseRewards, type ChosenReward, type RewardRequest } from "./rewards.ts";
import {
  type ResolvedSettings,
  resolveSettings,
  type RunSettings,
  settingsTable,
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
  /** Name in `experiment/presets/registry.ts`; its settings take the place of the task's. */
  preset?: string;
  /** Rollouts. */
  steps?: number;
  /** Key of every random number. Default 1. */
  seed?: number;
  /** Default "auto". */
  device?: DeviceChoice;
  /**
   * Choices of kernels for one adapter, in place of those built in. Bits differ by rounding, so that the run
   * keeps them: whoever resumes gives the same. Default none.
   */
  tuning?: AdapterTuning;
  /** Steps between checkpoints; step 0 and the last always have one. 0: only they. Default 0. */
  saveEvery?: number;
  /** Steps between evaluations on held-out prompts, beside those before and after. 0: only they. Default 0. */
  evaluateEvery?: number;
  /** The run ends early after so many evaluations that were no better than the best. 0: never. Default 0. */
  patience?: number;
  /** Settings that differ from the task's or the preset's, by the names of the command line. */
  settings?: Readonly<Record<string, OptionValue>>;
  /** Device memory that the run may take, GiB. Default: what the machine has free, where that is known. */
  memory?: number;
  /** Checkpoint folder to continue from; everything else must be as in the run that wrote it. */
  resume?: string;
  /**
   * What may differ from the run that wrote the checkpoint all the same, for whoever resumes asked for it:
   * names of settings, "totalSteps" among them, and "device". Default none.
   */
  changed?: readonly string[];
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
  evaluateEvery: number;
  patience: number;
  /** What was asked for and changes nothing: a sentence each, for people. */
  notices: string[];
}

// deno-fmt-ignore
const FIELDS = defineOptions("a run", {
  model: { kind: "text", default: "tiny", doc: "where it starts", group: "Run" },
  preset: { kind: "text", doc: "a named set of settings", group: "Run" },
  steps: { kind: "integer", min: 1, max: MAX_STEPS, doc: "rollouts", group: "Run" },
  seed: { kind: "integer", default: 1, min: 0, max: 2 ** 32 - 1, doc: "key of all random numbers", group: "Run" },
  device: { kind: "choice", choices: ["auto", "webgpu", "cpu"], default: "auto", doc: "where kernels run", group: "Run" },
  saveEvery: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, doc: "steps between checkpoints", group: "Run" },
  evaluateEvery: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, doc: "steps between evaluations", group: "Run" },
  patience: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, doc: "evaluations without a better one", group: "Run" },
  memory: { kind: "number", min: 0, above: true, doc: "GiB that it may take", group: "Run" },
  resume: { kind: "text", doc: "checkpoint to continue from", group: "Run" },
});

/**
 * Fills in what the request leaves to task and preset.
 * @throws {TypeError|RangeError} marked as usage, for a request that names what there is not, out of range,
 * or whose parts cannot hold together
 */
export const resolveRequest = (request: TrainRequest): ResolvedRequest =>
  markUsage(() => resolve(request));

/**
 * Has `device` run by the request's tuning. Whoever resumes on another device leaves it behind.
 * @throws {Error} when it is not that adapter's
 */
export function tuneFor(
  { tuning, changed = [] }: Pick<TrainRequest, "tuning" | "changed">,
  device: Device,
): void {
  if (!tuning || (changed.includes("device") && tuning.adapter !== device.name)) return;
  useTuning(device, tuning);
}

function resolve(request: TrainRequest): ResolvedRequest {
  const { model, preset: named, steps, seed, ...every } = FIELDS.resolve(
    Object.fromEntries(FIELDS.names.map((name) => [name, request[name]])),
  );
  const task = checkTask(
    typeof request.task === "string" ? findTask(request.task) : request.task,
  );
  const preset = named === undefined ? undefined : findPreset(named);
  const algorithm = algorithmOf(request, preset?.algorithm);
  const asked = request.settings ?? {};
  const { config, run: settings, values } = resolveSettings(algorithm, {
    suited: suitedSettings(task, preset).map(({ values }) => values),
    asked,
    seed,
    totalSteps: steps ?? task.steps,
  });
  const needs = needsOf(algorithm, config);
  const rewards = chooseRewards(request.reward ?? task.defaultRewards, values);
  const used = { algorithm: algorithm.name, needs, config, run: settings, rewards, asked };
  checkConflicts(used);
  const { rows } = settingsTable(algorithm);
  return {
    task,
    algorithm,
    needs,
    rewards,
    model,
    config,
    settings,
    ...everyOf(every, task),
    notices: [...settingsNotices(rows, listRewards(), used), ...idlePatience(every, config)],
  };
}

type Cadence = Pick<ResolvedRequest, "saveEvery" | "evaluateEvery" | "patience">;

/** @throws {TypeError} where evaluations are counted that there are not */
function everyOf({ saveEvery, evaluateEvery, patience }: Cadence, task: Task): Cadence {
  if (patience > 0 && evaluateEvery === 0) {
    throw new TypeError(
      `Cannot end a run early as patience ${patience} counts evaluations during training: ` +
        "there are none; set evaluateEvery (--evaluate-every)",
    );
  }
  if (evaluateEvery > 0 && task.examples.heldout.length === 0) {
    throw new TypeError(
      `Cannot evaluate every ${evaluateEvery} steps as that is on held-out prompts: ` +
        `${task.name} has none; leave evaluateEvery (--evaluate-every) out`,
    );
  }
  return { saveEvery, evaluateEvery, patience };
}

/** Says that so many evaluations do not come before the run's end anyway. */
function idlePatience(
  { evaluateEvery, patience }: Cadence,
  { totalSteps }: ResolvedSettings["config"],
): string[] {
  if (patience === 0 || patience * evaluateEvery < totalSteps) return [];
  return [
    `patience=${patience} changes nothing as evaluateEvery=${evaluateEvery} makes no more than ` +
    `${Math.floor(totalSteps / evaluateEvery)} evaluations in ${totalSteps} steps`,
  ];
}

function algorithmOf(
  { algorithm, preset }: Pick<TrainRequest, "algorithm" | "preset">,
  ofPreset: string | undefined,
): Algorithm {
  const found = asAlgorithm(algorithm === undefined ? ofPreset ?? DEFAULT_ALGORITHM : algorithm);
  if (ofPreset === undefined || found.name === ofPreset) return found;
  throw new TypeError(
    `Cannot use the preset ${preset} with ${found.name} as it has the settings of ${ofPreset}: ` +
      "leave one of the two out",
  );
}
