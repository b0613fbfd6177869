/**
 * How the settings of a run stand to each other. One rule: what cannot be done together is refused before
 * anything is opened; what was asked for and changes nothing, or turns against its name, is a notice, and
 * the run goes on. A row of a table says of itself what it needs (`Option.only`); here is the rest.
 * @module
 */
import { optionNotices, type OptionRows, type OptionValue } from "../base/options.ts";
import type { ParentSettings } from "../rewards/parents/settings.ts";
import type { RewardDefinition } from "../rewards/reward.ts";
import { SERVER_OPTIONS } from "../rewards/servers/limits.ts";
import type { Needs } from "../rl/algorithm.ts";
import { scheduleSteps } from "../rl/phases.ts";
import type { TrainerConfig } from "../rl/trainer_options.ts";
import type { Task } from "../tasks/task.ts";
import { faultWords, findFault } from "./faults/registry.ts";
import { networksOf } from "./reward_networks.ts";
import { type ChosenReward, settingsOfRewards } from "./rewards.ts";
import { rewardRows, type RunSettings } from "./settings.ts";

/** The settings of a run, and which of them were asked for. */
export interface SettingsInUse {
  /** Name of the algorithm, and what it needs of the run. */
  algorithm: string;
  needs: Needs;
  config: Readonly<TrainerConfig & Record<string, unknown>>;
  run: Readonly<RunSettings>;
  rewards: readonly ChosenReward[];
  /** Who gives the answers. */
  parent: Readonly<ParentSettings>;
  /** The task's own, and those of them that change nothing, with the reason. */
  task: { settings: Readonly<Record<string, OptionValue>> } & Pick<Task, "idle">;
  /** Whether any of them asks a server. */
  asksServers: boolean;
  /** By the names of the command line. */
  asked: Readonly<Record<string, OptionValue | undefined>>;
}

/** @throws {RangeError} where two settings cannot both hold */
export function checkConflicts(used: SettingsInUse): void {
  const { algorithm, needs, config, run, asked } = used;
  const { batchSize } = run, { minibatches, warmupSteps } = config;
  const cannot = (rule: string, now: number) =>
    new RangeError(`Cannot train as ${rule}: it is ${now}`);
  if (batchSize % needs.groupSize !== 0) {
    throw cannot(
      `batchSize must be a multiple of the ${needs.groupSize} completions that ${algorithm} compares`,
      batchSize,
    );
  }
  if (minibatches > batchSize) {
    throw cannot(
      `minibatches must be at most batchSize=${batchSize}, one completion for each`,
      minibatches,
    );
  }
  if (needs.sync) checkSync(run);
  const refused = findFault(run.fault)?.refuses?.(used);
  if (refused !== undefined) {
    throw new RangeError(`Cannot train with fault=${run.fault} as ${refused}`);
  }
  const steps = scheduleSteps(config);
  if (asked.warmupSteps !== undefined && warmupSteps > steps) {
    throw cannot(`warmupSteps must be at most the ${steps} steps of the run`, warmupSteps);
  }
  const { learningRate, valueLearningRate = learningRate } = config;
  const { weightDecay, valueWeightDecay = weightDecay } = run;
  const share = Math.max(learningRate * weightDecay, Number(valueLearningRate) * valueWeightDecay);
  if (share > 1) {
    throw cannot(
      "a learning rate times its weight decay is the share of a weight that a step takes off, at most 1",
      share,
    );
  }
}

/** @throws {RangeError} where the reference is to move and cannot */
function checkSync({ loraRank, frozenDtype }: Readonly<RunSettings>): void {
  const cannot = (rule: string, now: string) =>
    new RangeError(`Cannot sync the reference as ${rule}: ${now}, or leave out referenceSync`);
  if (loraRank > 0) {
    throw cannot(
      "an adapter has none of its own, it is the policy with the adapter off",
      `loraRank is ${loraRank}; set loraRank=0`,
    );
  }
  if (frozenDtype !== "f32") {
    throw cannot(
      "its weights must be f32 to take up small changes",
      `frozenDtype is ${frozenDtype}; set frozenDtype=f32`,
    );
  }
}

/** What was asked for and changes nothing, or turns against its name: one sentence each. */
export function settingsNotices(
  rows: OptionRows,
  all: readonly RewardDefinition[],
  { needs, config, run, rewards, parent, task, asksServers, asked }: SettingsInUse,
): string[] {
  const values = {
    ...{ ...config, ...run, ...settingsOfRewards(rewards) },
    ...{ ...parent, ...task.settings },
  };
  const fault = faultWords(run.fault);
  const notices = [
    ...(fault === undefined ? [] : [fault]),
    ...optionNotices(rows, { asked, values }),
  ];
  const add = (when: boolean, name: string, reason: string): void => {
    if (when && asked[name] !== undefined) {
      notices.push(`${name}=${asked[name]} changes nothing as ${reason}`);
    }
  };
  for (const [name, owners] of ownersOf(all)) {
    const used = rewards.some((one) => "definition" in one && owners.includes(one.definition.name));
    add(!used, name, `${owners.join(" or ")} is not among the run's rewards by name`);
  }
  for (const [name, reason] of Object.entries(task.idle ?? {})) add(true, name, reason);
  for (const name of SERVER_OPTIONS.names) add(!asksServers, name, "the run asks no server");
  const { batchSize, loraRank } = run, { microbatchRows, epochs, minibatches } = config;
  add(microbatchRows >= batchSize, "microbatchRows", `batchSize=${batchSize} is no more`);
  add(
    epochs * minibatches === 1 && config.targetKl > 0,
    "targetKl",
    "each rollout has one optimizer step (epochs=1, minibatches=1), before which no policy moves",
  );
  add(
    config.advantageScale === "none" && config.rewardAggregation !== "normalise-then-sum",
    "advantageEpsilon",
    "advantageScale=none",
  );
  const frozen = loraRank > 0 || needs.reference ||
    networksOf(rewards).some(({ name }) => name !== "policy");
  add(!frozen && run.frozenDtype === "f16", "frozenDtype", "all weights of the run learn");
  for (const name of ["klIn", "klGradient", "klEstimator", "klControl"]) {
    add(!needs.reference && config.klCoefficient === 0, name, "klCoefficient=0");
  }
  const every = needs.sync?.every ?? 0, ends = `the run ends after ${config.totalSteps} steps`;
  add(every >= config.totalSteps, "referenceSync", ends);
  add(!needs.value, "valueWeightDecay", "the algorithm has no value head");
  return [...notices, ...scheduleNotices(config)];
}

/** What the length of the run leaves no room for. */
function scheduleNotices(config: SettingsInUse["config"]): string[] {
  const { criticWarmup, totalSteps } = config, notices: string[] = [];
  if (Number(criticWarmup ?? 0) >= totalSteps) {
    notices.push(
      `criticWarmup=${criticWarmup} leaves none of the ${totalSteps} steps of the run: the value head ` +
        "alone learns, the policy stays as it is",
    );
  }
  if (config.warmupSteps > scheduleSteps(config)) {
    notices.push(
      `warmupSteps=${config.warmupSteps} is more than the ${
        scheduleSteps(config)
      } steps of the run: ` +
        "the learning rate does not reach its peak",
    );
  }
  return notices;
}

/** The rewards that have a setting, by its name. */
function ownersOf(all: readonly RewardDefinition[]): Map<string, string[]> {
  const pairs = all.flatMap((one) => Object.keys(rewardRows(one)).map((name) => [name, one.name]));
  const groups = Map.groupBy(pairs, ([name]) => name);
  return new Map([...groups].map(([name, of]) => [name, of.map(([, owner]) => owner)]));
}
