/** What a preset is: every setting of a published system, where it is published, and what is not as there. @module */
import type { OptionValue } from "../../base/options.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { RUN_OPTIONS } from "../settings.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";

/** A named, complete set of settings. */
export interface Preset {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** Whose settings they are. */
  readonly algorithm: string;
  /** Where they are published. */
  readonly source: string;
  /** What a run with this preset does otherwise than its source: a sentence each. */
  readonly differences: readonly string[];
  /** Rollouts of the source's own run, where it names them. */
  readonly steps?: number;
  /** Rewards of the source's own run, where it names them. */
  readonly rewards?: string;
  /** A run takes `steps` and `rewards` of the preset where it names none; else it takes the task's. */
  readonly whole?: boolean;
  /** Every setting of the loop, the algorithm and the run, by the names of the command line. */
  readonly settings: Readonly<Record<string, OptionValue>>;
}

/** What a preset is made of: settings that it does not name have their defaults of today. */
export interface PresetParts extends Omit<Preset, "settings"> {
  readonly settings: Readonly<Record<string, OptionValue>> & { readonly batchSize: number };
}

/** What a run or a task decides is no part of a preset. */
const OF_THE_RUN: readonly string[] = ["seed", "totalSteps", "maxNewTokens"];

/**
 * Fills a preset up with the defaults, so that no value of a task's is left to chance.
 * @throws {TypeError|RangeError} for a setting that its algorithm does not have, or out of range
 */
export function definePreset({ settings, ...about }: PresetParts): Preset {
  const trainer = trainerOptions(findAlgorithm(about.algorithm) as never);
  const isRuns = (name: string) => Object.hasOwn(RUN_OPTIONS.rows, name);
  const part = (of: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => of(name)));
  const all = {
    ...trainer.resolve(part((name) => !isRuns(name))),
    ...RUN_OPTIONS.resolve(part(isRuns)),
  } as Record<string, OptionValue>;
  for (const name of OF_THE_RUN) if (!Object.hasOwn(settings, name)) delete all[name];
  return Object.freeze({ ...about, settings: Object.freeze(all) });
}
