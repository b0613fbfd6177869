/**
 * Every setting of PPO, once: the table gives name, kind, default, limits, unit and usual range, and
 * defaults, validation, `--help` and docs are read from it.
 * @module
 */
import type { KlEstimator } from "./kl.ts";
import type { ScheduleKind } from "../base/schedules.ts";

/** Settings of a PPO run. The defaults are those of TRL 0.11 where it has the setting. */
export interface PpoConfig {
  /** Key of all random numbers: an integer, 0 to 2^32 - 1. */
  seed: number;
  /** Rollouts of the run; the schedules end here. */
  totalSteps: number;
  /** Longest response, tokens, EOS included; 4 to 256. */
  maxNewTokens: number;
  /** Divides the logits in sampling, training and reference; 0.7 to 1. */
  temperature: number;
  /** Passes over each rollout; 1 to 4. */
  epochs: number;
  /** Optimiser steps an epoch; 1 to 8. */
  minibatches: number;
  /** Rows in one forward and backward pass, to save memory; 0 is a whole minibatch. */
  microbatchRows: number;
  /** AdamW step size; 1e-6 to 1e-3, larger for smaller models. */
  learningRate: number;
  /** How the learning rate goes from `learningRate` to `learningRateFinal`. */
  learningRateSchedule: ScheduleKind;
  /** Learning rate at the end of a linear or cosine schedule; 0 to `learningRate`. */
  learningRateFinal: number;
  /** Rollouts over which the learning rate grows to its peak; 0 to 10 % of the run. */
  warmupSteps: number;
  /** How far below 1 a ratio still pulls; 0.1 to 0.3. */
  clipLow: number;
  /** How far above 1 a ratio still pulls; 0.1 to 0.3. */
  clipHigh: number;
  /** How far a value may leave its old estimate, in reward units; 0.2, more for large rewards. */
  valueClip: number;
  /** Weight of the value loss; 0.1 to 1. */
  valueCoefficient: number;
  /** Reward for entropy, loss per nat; 0 to 0.02. */
  entropyCoefficient: number;
  /** How the entropy coefficient goes to 0 over the run. */
  entropySchedule: ScheduleKind;
  /** Discount per token; 1 for responses of a few hundred tokens. */
  gamma: number;
  /** GAE: 0 trusts the value head, 1 the rewards; 0.9 to 1. */
  lambda: number;
  /** What follows a response cut off without EOS: nothing, or the last value estimate. */
  truncated: "zero" | "value";
  /** Advantages to mean 0 and deviation 1 over the rollout, with this variance; or not at all. */
  whitenAdvantages: "sample" | "population" | "off";
  /** Per-token rewards to deviation 1, their mean kept. */
  whitenRewards: boolean;
  /** Scores are held within this many reward units of 0; 0 is off. */
  scoreClip: number;
  /** Estimate of the per-token KL that is subtracted from the reward. */
  klEstimator: KlEstimator;
  /** How the KL coefficient changes after each rollout. */
  klControl: "fixed" | "adaptive" | "linear";
  /** KL coefficient at the start, reward units a nat; 0 to 0.5, 0 for no penalty. */
  klCoefficient: number;
  /** adaptive: wanted KL, nats a sequence; 1 to 10. */
  klTarget: number;
  /** adaptive: episodes over which the coefficient may change by its own size. */
  klHorizon: number;
  /** linear: KL coefficient at step `totalSteps`. */
  klFinal: number;
  /**
   * Stop learning from a rollout when `ppo/policy/approxkl` of a minibatch, measured before its
   * step, is above this, nats a token; 0.01 to 0.1, 0 is off.
   */
  targetKl: number;
}

/** One row of the table of settings. */
export interface PpoOption {
  /** Field of `PpoConfig`. */
  name: keyof PpoConfig;
  /** What it may be; a list is the choices. */
  kind: "integer" | "number" | "boolean" | readonly string[];
  /** Value where none is given. */
  default: number | boolean | string;
  /** Smallest number allowed. */
  min?: number;
  /** Largest number allowed. */
  max?: number;
  /** True where `min` itself is not allowed. */
  above?: boolean;
  /** "" for a plain number. */
  unit: string;
  /** What people use. */
  usual: string;
  /** One line. */
  meaning: string;
}

type Extra = Pick<PpoOption, "unit" | "usual" | "meaning"> & { above?: boolean };
const option = (
  name: keyof PpoConfig,
  kind: PpoOption["kind"],
  value: PpoOption["default"],
  [min, max]: readonly [number?, number?],
  [unit, usual, meaning]: readonly [string, string, string],
  extra: Partial<Extra> = {},
): PpoOption => ({ name, kind, default: value, min, max, unit, usual, meaning, ...extra });

const SHAPES = ["constant", "linear", "cosine"] as const;
const above = { above: true };

/** All settings, in reading order. */
// deno-fmt-ignore
export const PPO_OPTIONS: readonly PpoOption[] = Object.freeze([
  option("seed", "integer", 1, [0, 2 ** 32 - 1], ["", "1, 2, 3", "key of all random numbers"]),
  option("totalSteps", "integer", 100, [1], ["rollouts", "20 to 500", "length of the run; the schedules end here"]),
  option("maxNewTokens", "integer", 16, [1], ["tokens", "4 to 256", "longest response, EOS included"]),
  option("temperature", "number", 1, [0], ["", "0.7 to 1", "divides the logits in sampling, training and reference"], above),
  option("epochs", "integer", 4, [1], ["", "1 to 4", "passes over each rollout"]),
  option("minibatches", "integer", 1, [1], ["", "1 to 8", "optimiser steps an epoch"]),
  option("microbatchRows", "integer", 0, [0], ["rows", "0, 8 to 64", "rows a pass, to save memory; 0 is a whole minibatch"]),
  option("learningRate", "number", 1.41e-5, [0], ["", "1e-6 to 1e-3", "AdamW step size; larger for smaller models"]),
  option("learningRateSchedule", SHAPES, "constant", [], ["", "constant", "way from learningRate to learningRateFinal"]),
  option("learningRateFinal", "number", 0, [0], ["", "0 to learningRate", "learning rate at the end of a linear or cosine way"]),
  option("warmupSteps", "integer", 0, [0], ["rollouts", "0 to 10 % of the run", "growth of the learning rate to its peak"]),
  option("clipLow", "number", 0.2, [0, 1], ["", "0.1 to 0.3", "how far below 1 a ratio still pulls"]),
  option("clipHigh", "number", 0.2, [0], ["", "0.1 to 0.3", "how far above 1 a ratio still pulls"]),
  option("valueClip", "number", 0.2, [0], ["reward", "0.2 to 1", "how far a value may leave its old estimate"]),
  option("valueCoefficient", "number", 0.1, [0], ["", "0.1 to 1", "weight of the value loss"]),
  option("entropyCoefficient", "number", 0, [0], ["loss a nat", "0 to 0.02", "reward for entropy"]),
  option("entropySchedule", SHAPES, "constant", [], ["", "constant", "way of entropyCoefficient to 0 over the run"]),
  option("gamma", "number", 1, [0, 1], ["a token", "1", "discount"]),
  option("lambda", "number", 0.95, [0, 1], ["", "0.9 to 1", "GAE: 0 trusts the value head, 1 the rewards"]),
  option("truncated", ["zero", "value"], "zero", [], ["", "zero", "what follows a response without EOS: nothing, or its last value estimate"]),
  option("whitenAdvantages", ["sample", "population", "off"], "sample", [], ["", "sample", "advantages to mean 0, deviation 1, by this variance"]),
  option("whitenRewards", "boolean", false, [], ["", "false", "per-token rewards to deviation 1, mean kept"]),
  option("scoreClip", "number", 0, [0], ["reward", "0, 1 to 10", "scores are held within this of 0; 0 is off"]),
  option("klEstimator", ["k1", "k2", "k3"], "k1", [], ["", "k1", "estimate of the per-token KL in the reward"]),
  option("klControl", ["fixed", "adaptive", "linear"], "adaptive", [], ["", "adaptive", "how the KL coefficient changes after a rollout"]),
  option("klCoefficient", "number", 0.2, [0], ["reward a nat", "0 to 0.5", "KL coefficient at the start; 0 is no penalty"]),
  option("klTarget", "number", 6, [0], ["nats a sequence", "1 to 10", "adaptive: wanted KL"], above),
  option("klHorizon", "number", 10000, [0], ["episodes", "1e3 to 1e5", "adaptive: slowness of the coefficient"], above),
  option("klFinal", "number", 0, [0], ["reward a nat", "0 to klCoefficient", "linear: KL coefficient at the end"]),
  option("targetKl", "number", 0, [0], ["nats a token", "0, 0.01 to 0.1", "stop learning from a rollout above this approxkl; 0 is off"]),
].map((row) => Object.freeze(row)));

/** The default of every setting; frozen. */
export const PPO_DEFAULTS: Readonly<PpoConfig> = Object.freeze(
  Object.fromEntries(PPO_OPTIONS.map((row) => [row.name, row.default])),
) as unknown as Readonly<PpoConfig>;

/**
 * Fills in defaults and checks every value; the result is frozen.
 * @throws {TypeError} for an unknown name, a value of the wrong kind or an unknown choice.
 * @throws {RangeError} for a number outside its limits.
 */
export function resolvePpoConfig(settings: Partial<PpoConfig> = {}): Readonly<PpoConfig> {
  const names = new Set<string>(PPO_OPTIONS.map((row) => row.name));
  for (const name of Object.keys(settings)) {
    if (!names.has(name)) {
      throw new TypeError(
        `Cannot configure PPO as it has no setting "${name}": it has ${[...names].join(", ")}`,
      );
    }
  }
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const config = { ...PPO_DEFAULTS, ...Object.fromEntries(given) };
  for (const row of PPO_OPTIONS) check(row, config[row.name]);
  return Object.freeze(config);
}

function check({ name, kind, min, max, above }: PpoOption, value: unknown): void {
  const shown = typeof value === "string" ? `"${value}"` : String(value);
  const cannot = (rule: string) =>
    `Cannot configure PPO as ${name} must be ${rule}: it is ${shown}`;
  if (kind === "boolean") {
    if (typeof value !== "boolean") throw new TypeError(cannot("true or false"));
  } else if (kind === "integer" || kind === "number") {
    if (typeof value !== "number") {
      throw new TypeError(cannot(`a${kind === "integer" ? "n" : ""} ${kind}`));
    }
    if (!Number.isFinite(value)) throw new RangeError(cannot("finite"));
    if (kind === "integer" && !Number.isInteger(value)) {
      throw new RangeError(cannot("a whole number"));
    }
    if (min !== undefined && (above ? value <= min : value < min)) {
      throw new RangeError(cannot(above ? `above ${min}` : `at least ${min}`));
    }
    if (max !== undefined && value > max) throw new RangeError(cannot(`at most ${max}`));
  } else if (!kind.includes(value as string)) {
    throw new TypeError(cannot(`one of ${kind.join(", ")}`));
  }
}
