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
import { parentNotices } from "../rewards/parents/settings.ts";
import { listRewards } from "../rewards/registry.ts";
import { type OpenedTask, openTaskNow, type TaskRequest } from "../tasks/open.ts";
import { DEFAULT_MODEL, type Task } from "../tasks/task.ts";
import { checkConflicts, settingsNotices } from "./conflicts.ts";
import { fitNotices } from "./fits.ts";
import { findPreset } from "./presets/registry.ts";
import {
  chooseRewards,
  type ChosenReward,
  nameOf,
  ownDefinitions,
  type RewardRequest,
} from "./rewards.ts";
import { asksServers } from "./servers.ts";
import {
  type ResolvedSettings,
  resolveSettings,
  type RunSettings,
  settingsTable,
  suitedSettings,
} from "./settings.ts";

/** What a run is asked to do; what is left out comes from the task. */
export interface TrainRequest {
  /**
   * Name in the registry, the path of a module or a table of prompts, or a task of your own: its definition,
   * or the task itself.
   */
  task: TaskRequest;
  /** Name in the registry, or an algorithm of your own. Default: the preset's, else the task's, else PPO. */
  // deno-lint-ignore no-explicit-any -- any settings of its own
  algorithm?: string | Algorithm<any>;
  /** `NAME[:weight],…` where NAME may be a module's path, a reward of your own, or several of both. */
  reward?: RewardRequest;
  /** "tiny", "small", or a folder in Hugging Face form. Default: the task's, else "tiny". */
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
  /**
   * Whether players that learn nothing are scored before training: a few hundred scores where a reward may be
   * slow, thousands where none is. Default true.
   */
  players?: boolean;
  /** Settings that differ from the task's or the preset's, by the names of the command line. */
  settings?: Readonly<Record<string, OptionValue>>;
  /** Device memory that the run may take, GiB. Default: what the machine has free, where that is known. */
  memory?: number;
  /** Checkpoint folder to continue from; everything else must be as in the run that wrote it. */
  resume?: string;
  /**
   * What may differ from the run that wrote the checkpoint all the same, for whoever resumes asked for it:
   * names of settings, "totalSteps" among them, "device", and "files" for those of the user's own that task
   * and rewards are made of. Default none.
   */
  changed?: readonly string[];
  /**
   * Settings that a run to be resumed has, by the names of the command line, where its task may suggest
   * others by now: they win over what it suggests. Default none.
   */
  kept?: Readonly<Record<string, OptionValue>>;
  /** Commits of data sets that a run to be resumed read, by OWNER/NAME. Default: what was fetched last. */
  dataCommits?: Readonly<Record<string, string>>;
}

/** A request with everything filled in, and nothing opened. */
export interface ResolvedRequest {
  task: Task;
  /** The settings with which it was opened, the file that it came from, and what it read. */
  opened: Pick<OpenedTask, "settings" | "file" | "data">;
  algorithm: Algorithm;
  /** What the algorithm needs of the models with these settings. */
  needs: Needs;
  rewards: ChosenReward[];
  model: string;
  /** For the trainer: the loop's settings and the algorithm's. */
  config: ResolvedSettings["config"];
  /** Of data, adapter, optimizer and memory. */
  settings: Readonly<RunSettings>;
  /** Who gives the answers that rewards compare with. */
  parent: ResolvedSettings["parent"];
  /** How servers are asked, where the run asks any. */
  servers: ResolvedSettings["servers"];
  saveEvery: number;
  evaluateEvery: number;
  patience: number;
  /** Whether players that learn nothing are scored. */
  players: boolean;
  /** What was asked for and changes nothing: a sentence each, for people. */
  notices: string[];
}

// deno-fmt-ignore
const FIELDS = defineOptions("a run", {
  model: { kind: "text", otherwise: "the task's", doc: "where it starts", group: "Run" },
  preset: { kind: "text", doc: "a named set of settings", group: "Run" },
  steps: { kind: "integer", min: 1, max: MAX_STEPS, doc: "rollouts", group: "Run" },
  seed: { kind: "integer", default: 1, min: 0, max: 2 ** 32 - 1, doc: "key of all random numbers", group: "Run" },
  device: { kind: "choice", choices: ["auto", "webgpu", "cpu"], default: "auto", doc: "where kernels run", group: "Run" },
  saveEvery: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, doc: "steps between checkpoints", group: "Run" },
  evaluateEvery: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, doc: "steps between evaluations", group: "Run" },
  patience: { kind: "integer", default: 0, min: 0, max: MAX_STEPS, doc: "evaluations without a better one", group: "Run" },
  players: { kind: "boolean", default: true, doc: "score players that learn nothing", group: "Run" },
  memory: { kind: "number", min: 0, above: true, doc: "GiB that it may take", group: "Run" },
  resume: { kind: "text", doc: "checkpoint to continue from", group: "Run" },
});

/**
 * Fills in what the request leaves to task and preset. Nothing is read: a task or a reward in a file is
 * opened before, by `openRequest`.
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
  const { task, ...opened } = openTaskNow(request.task, request.settings);
  const preset = named === undefined ? undefined : findPreset(named);
  const ownRun = preset?.whole ? preset : undefined;
  const algorithm = algorithmOf(request, preset?.algorithm, task);
  const asked = request.settings ?? {},
    reward = request.reward ?? ownRun?.rewards ?? rewardsOf(task);
  const all = [...listRewards(), ...ownDefinitions(reward)];
  const { config, run: settings, parent, servers, values } = resolveSettings(algorithm, {
    suited: [...suitedSettings(task, preset).map(({ values }) => values), request.kept ?? {}],
    ...{ asked, seed, rewards: all, task: opened.options },
    totalSteps: steps ?? ownRun?.steps ?? task.steps,
  });
  const needs = needsOf(algorithm, config);
  const rewards = withMeasure(chooseRewards(reward, values), task, values);
  const answers = { parent, servers, asksServers: asksServers({ rewards, parent }) };
  const about = { algorithm: algorithm.name, needs, config, run: settings, rewards, asked };
  const used = { ...about, ...answers, task: { settings: opened.settings, idle: task.idle } };
  checkConflicts(used);
  const { rows } = settingsTable(algorithm, all, opened.options);
  return {
    ...{ task, opened, algorithm, needs, rewards, config, settings, parent, servers },
    model: model ?? task.model ?? DEFAULT_MODEL,
    ...everyOf(every, task),
    notices: [
      ...task.notices ?? [],
      ...fitNotices(task, rewards),
      ...settingsNotices(rows, all, used),
      ...idlePatience(every, config),
      ...parentNotices(parent),
      ...rewards.flatMap((one) =>
        "definition" in one ? one.definition.notice?.(one.settings) ?? [] : []
      ),
    ],
  };
}

/**
 * The rewards that a task suggests.
 * @throws {TypeError} where it suggests none, as its examples have no answers
 */
export function rewardsOf({ name, defaultRewards }: Task, action = "train on"): string {
  if (defaultRewards !== "") return defaultRewards;
  throw new TypeError(
    `Cannot ${action} ${name} without a reward as its examples have no answers to compare with: ` +
      "name one that needs none (--reward)",
  );
}

/** The rewards, and the task's own measure where that is not among them: measured, not trained on. */
export function withMeasure(
  rewards: ChosenReward[],
  { measure }: Task,
  values: Parameters<typeof chooseRewards>[1],
): ChosenReward[] {
  if (measure === undefined || rewards.some((one) => nameOf(one) === measure)) return rewards;
  return [...rewards, ...chooseRewards(measure, values).map((one) => ({ ...one, weight: 0 }))];
}

type Cadence = Pick<ResolvedRequest, "saveEvery" | "evaluateEvery" | "patience" | "players">;

/** @throws {TypeError} where evaluations are counted that there are not */
function everyOf({ saveEvery, evaluateEvery, patience, players }: Cadence, task: Task): Cadence {
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
  return { saveEvery, evaluateEvery, patience, players };
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
  { algorithm: ofTask }: Task,
): Algorithm {
  const found = asAlgorithm(
    algorithm === undefined ? ofPreset ?? ofTask ?? DEFAULT_ALGORITHM : algorithm,
  );
  if (ofPreset === undefined || found.name === ofPreset) return found;
  throw new TypeError(
    `Cannot use the preset ${preset} with ${found.name} as it has the settings of ${ofPreset}: ` +
      "leave one of the two out",
  );
}
