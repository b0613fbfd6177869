/** The settings of a run beside those of its algorithm and rewards, and all of them joined. @module */
import {
  defineOptions,
  joinOptions,
  type Option,
  type OptionRows,
  type OptionTable,
  type OptionValue,
  type OptionValues,
} from "../base/options.ts";
import type { LoraOptions } from "../model/lora/lora.ts";
import { PARENT_OPTIONS, type ParentSettings } from "../rewards/parents/settings.ts";
import { listRewards, rewardSetting } from "../rewards/registry.ts";
import type { RewardDefinition } from "../rewards/reward.ts";
import { SERVER_OPTIONS, type ServerLimits } from "../rewards/servers/limits.ts";
import type { Algorithm } from "../rl/algorithm.ts";
import { FAULT_NAMES, NO_FAULT } from "./faults/registry.ts";
import type { Preset } from "./presets/preset.ts";
import { MAX_ROWS, type TrainerConfig, trainerOptions } from "../rl/trainer_options.ts";
import type { Task } from "../tasks/task.ts";

// deno-fmt-ignore
const ROWS = {
  batchSize: { kind: "integer", default: 48, otherwise: "the task's own", unit: "completions", min: 1, max: MAX_ROWS, doc: "completions per step", group: "Sampling" },
  maxGradNorm: { kind: "number", default: 1, min: 0, usual: "0, 0.5 to 1", doc: "gradients are scaled down to this global L2 norm; 0 is off", group: "Updates" },
  adamBeta1: { kind: "number", default: 0.9, min: 0, max: 0.999999, usual: "0.9", doc: "AdamW: decay of the mean gradient", group: "Updates" },
  adamBeta2: { kind: "number", default: 0.999, min: 0, max: 0.999999, usual: "0.95 to 0.999", doc: "AdamW: decay of the mean squared gradient", group: "Updates" },
  adamEps: { kind: "number", default: 1e-8, min: 1e-30, max: 1, usual: "1e-8 to 1e-5", doc: "AdamW: added to the root of the mean squared gradient", group: "Updates" },
  weightDecay: { kind: "number", default: 0, min: 0, max: 1e6, usual: "0 to 0.1", doc: "AdamW: share of matrices and embeddings that a step takes off, times learningRate", group: "Updates" },
  valueWeightDecay: { kind: "number", min: 0, max: 1e6, otherwise: "weightDecay", usual: "0 to 0.1", doc: "AdamW: the same of the value head, times its learning rate", group: "Updates" },
  loraRank: { kind: "integer", default: 0, unit: "0 = train all weights", min: 0, max: 65536, usual: "4 to 64", doc: "rank of the adapter that is trained while the weights stay", group: "Updates" },
  loraAlpha: { kind: "number", default: 16, min: 0, above: true, usual: "1 or 2 times loraRank", only: { loraRank: { not: 0 } }, doc: "the low-rank update is scaled by loraAlpha / loraRank", group: "Updates" },
  loraTargets: { kind: "text", default: "auto", unit: "auto, all-linear or NAME,...", only: { loraRank: { not: 0 } }, doc: "linear layers with an adapter; auto is c_attn, or q_proj and v_proj", group: "Updates" },
  recompute: { kind: "boolean", default: false, doc: "backward computes activations again: less memory, more time, same bits", group: "Updates" },
  sharePrefixes: { kind: "choice", choices: ["on", "off", "check"], default: "on", doc: "texts that begin alike go through a pass once: less time, same bits forward; check makes each pass both ways and compares", group: "Updates" },
  frozenDtype: { kind: "choice", choices: ["f32", "f16"], default: "f32", doc: "storage of weights that do not learn; f16 is half", group: "Updates" },
  fault: { kind: "choice", choices: FAULT_NAMES, default: NO_FAULT, doc: "a mistake of published systems, made on purpose to see what it costs; the run says so wherever it is shown", group: "Faults, for studies" },
} as const satisfies OptionRows;

/**
 * Settings of data, adapter, optimizer and memory. `frozenDtype` stores the matrices that are not
 * trained: of the reference or an adapter's base, and of a reward's network; where a reference's numbers
 * are no f16, KL is not exactly 0 before the first update.
 */
export type RunSettings = OptionValues<typeof ROWS>;

/** All settings of the run itself, in reading order. */
export const RUN_OPTIONS: OptionTable<RunSettings> = defineOptions("a run", ROWS);

/** The settings of a reward under their names on the command line. */
export function rewardRows(reward: RewardDefinition): Record<string, Option> {
  return Object.fromEntries(
    Object.entries(reward.options.rows).map((
      [option, row],
    ) => [rewardSetting(reward, option), row]),
  );
}

/**
 * Every setting that a run with this algorithm has: of the loop, the algorithm, the run, the rewards and the
 * task. Seed and steps are not among them, as a request has fields for both.
 * @throws {TypeError} where two of them have a setting of one name
 */
export function settingsTable(
  algorithm: Algorithm,
  rewards: readonly RewardDefinition[] = listRewards(),
  task?: Pick<OptionTable<Record<string, OptionValue>>, "rows" | "owner">,
): OptionTable<Record<string, OptionValue>> {
  const { batchSize, ...run } = RUN_OPTIONS.rows;
  const trainer = trainerOptions(algorithm as Algorithm<never>);
  const { seed, totalSteps, ...loop } = trainer.rows;
  const of = (owner: string, rows: OptionRows) => ({ owner, rows });
  if (task) joinOptions(task.owner, [of("a run", { seed, totalSteps }), task]); // nor may it have them
  return joinOptions(`a run with ${algorithm.name}`, [
    of(RUN_OPTIONS.owner, { batchSize: { ...batchSize, default: undefined } }), // the task's own
    of(trainer.owner, loop),
    of(RUN_OPTIONS.owner, run),
    ...(rewards.length === 0 ? [] : [
      ...rewardTables(rewards),
      of(PARENT_OPTIONS.owner, PARENT_OPTIONS.rows),
      of(SERVER_OPTIONS.owner, SERVER_OPTIONS.rows),
    ]),
    ...(task ? [task] : []),
  ]);
}

/** The settings of the rewards; a family has one table. */
export function rewardTables(
  rewards: readonly RewardDefinition[],
): { owner: string; rows: OptionRows }[] {
  const families = Map.groupBy(rewards, ({ name, family = name }) => family);
  return [...families].map(([owner, members]) => ({
    owner,
    rows: Object.assign({}, ...members.map(rewardRows)),
  }));
}

type Values = Readonly<Record<string, OptionValue>>;

/** The settings of a run, for each who owns some. */
export interface ResolvedSettings {
  /** For the trainer: the loop's and the algorithm's. */
  config: Readonly<TrainerConfig & Record<string, unknown>>;
  /** Of data, adapter, optimizer and memory. */
  run: Readonly<RunSettings>;
  /** Who gives the answers. */
  parent: Readonly<ParentSettings>;
  /** How servers are asked. */
  servers: Readonly<ServerLimits>;
  /** All that were named, by the names of the command line: the rewards' are among them. */
  values: Values;
}

/** What a task and a preset suggest, in place of a setting's own default: the later win over the earlier. */
export const suitedSettings = (
  task: Pick<Task, "name" | "settings" | "maxNewTokens"> | undefined,
  preset: Preset | undefined,
): { by: string; values: Values }[] => [
  ...(task
    ? [{
      by: task.name, // a preset is complete, also where it leaves a setting to follow another one
      values: { ...(preset ? {} : task.settings), maxNewTokens: task.maxNewTokens } as Values,
    }]
    : []),
  ...(preset ? [{ by: `the preset ${preset.name}`, values: preset.settings }] : []),
];

/**
 * Fills in and checks every setting of a run. What is `asked` wins over `suited`, of which the later win
 * over the earlier.
 * @throws {TypeError|RangeError} for what is asked and does not exist, or a value out of range
 */
export function resolveSettings(
  algorithm: Algorithm,
  { suited, asked, seed, totalSteps, rewards, task }: {
    /** Of the task and the preset; those that the algorithm does not have are left out. */
    suited: readonly Values[];
    asked: Values;
    seed: number;
    totalSteps: number;
    /** All that the run may have settings of. Default: the registry's. */
    rewards?: readonly RewardDefinition[];
    /** The task's own settings. */
    task?: Parameters<typeof settingsTable>[2];
  },
): ResolvedSettings {
  const table = settingsTable(algorithm, rewards, task);
  table.resolve(asked); // names and ranges as they were given, before they are parted
  const given: Values = Object.assign({}, ...[...suited, asked].map((some) => known(table, some)));
  const values = { ...given, seed, totalSteps };
  const trainer = trainerOptions(algorithm as Algorithm<never>);
  return {
    config: trainer.resolve(known(trainer, values)) as ResolvedSettings["config"],
    run: RUN_OPTIONS.resolve(known(RUN_OPTIONS, values)),
    parent: PARENT_OPTIONS.resolve(known(PARENT_OPTIONS, values)),
    servers: SERVER_OPTIONS.resolve(known(SERVER_OPTIONS, values)),
    values,
  };
}

/** The values that a table has rows for; what is undefined counts as not given. */
export const known = (table: Pick<OptionTable<never>, "rows">, values: Values): Values =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name, value]) => value !== undefined && Object.hasOwn(table.rows, name)),
  );

/** The adapter that a run trains; undefined where it trains all weights. */
export function loraOf(
  { loraRank, loraAlpha, loraTargets }: Pick<
    RunSettings,
    "loraRank" | "loraAlpha" | "loraTargets"
  >,
): LoraOptions | undefined {
  if (loraRank === 0) return undefined;
  const targets = loraTargets === "auto"
    ? {}
    : { targets: loraTargets === "all-linear" ? loraTargets : loraTargets.split(",") };
  return { rank: loraRank, alpha: loraAlpha, ...targets };
}
