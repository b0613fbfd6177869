/** Every preset, by name. @module */
import { unknownName } from "../../base/names.ts";
import type { Preset } from "./preset.ts";
import { PUBLISHED } from "./published.ts";
import { SEEDS } from "./systems.ts";

const PRESETS: readonly Preset[] = [...PUBLISHED, ...SEEDS];

/** All presets, in the order of `--list`. */
export const listPresets = (): readonly Preset[] => PRESETS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findPreset(name: string): Preset {
  const found = PRESETS.find((preset) => preset.name === name);
  if (!found) throw unknownName("preset", name, PRESETS.map((preset) => preset.name));
  return found;
}
