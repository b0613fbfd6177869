/** Named sets of settings that take the place of a task's own. @module */
import { unknownName } from "../../base/names.ts";
import type { OptionValue } from "../../base/options.ts";
import { TRAINER_OPTIONS } from "../trainer_options.ts";
import { ppo } from "./ppo.ts";

/** A named set of settings. */
export interface Preset {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** Whose settings they are. */
  readonly algorithm: string;
  /** Settings of the loop, the algorithm and the run, by the names of the command line. */
  readonly settings: Readonly<Record<string, OptionValue>>;
}

// What a run or a task decides is no part of the defaults.
const { seed: _seed, totalSteps: _steps, maxNewTokens: _tokens, ...trainer } =
  TRAINER_OPTIONS.defaults;

const PRESETS: readonly Preset[] = [
  {
    name: "trl-0.11",
    summary: "the defaults of TRL 0.11's PPO: small steps for a model of GPT-2's size",
    algorithm: ppo.name,
    settings: { ...trainer, ...ppo.options.defaults, batchSize: 128, maxGradNorm: 0 },
  },
];

/** All presets, in the order of `--list`. */
export const listPresets = (): readonly Preset[] => PRESETS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findPreset(name: string): Preset {
  const found = PRESETS.find((preset) => preset.name === name);
  if (!found) throw unknownName("preset", name, PRESETS.map((preset) => preset.name));
  return found;
}
