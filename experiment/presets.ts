/** Named sets of settings that take the place of a task's own. @module */
import { unknownName } from "../base/names.ts";
import { PPO_DEFAULTS } from "../rl/config.ts";
import type { TaskSettings } from "../tasks/task.ts";

/** A named set of settings. */
export interface Preset {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  readonly settings: Partial<TaskSettings>;
}

// What a run or a task decides is no part of an algorithm's defaults.
const { seed: _seed, totalSteps: _steps, maxNewTokens: _tokens, ...trl } = PPO_DEFAULTS;

const PRESETS: readonly Preset[] = [
  {
    name: "trl-0.11",
    summary: "the defaults of TRL 0.11's PPO: small steps for a model of GPT-2's size",
    settings: { ...trl, batchSize: 128, maxGradNorm: 0 },
  },
];

/** All presets, in the order of `--list`. */
export const listPresets = (): readonly Preset[] => PRESETS;

/** @throws TypeError for an unknown name, with the nearest one. */
export function findPreset(name: string): Preset {
  const found = PRESETS.find((preset) => preset.name === name);
  if (!found) throw unknownName("preset", name, PRESETS.map((preset) => preset.name));
  return found;
}
