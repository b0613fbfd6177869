import assert from "node:assert/strict";
import { presetLines } from "../../cli/train/preset.ts";
import { findPreset } from "../../experiment/presets/registry.ts";

const shown = (name: string, columns: number): string[] =>
  presetLines(findPreset(name), {
    ...{ out: () => {}, write: () => {}, err: () => {} },
    ...{ fancy: false, columns },
  });

Deno.test("--show writes numbers as --help does, and a default beside what differs from it", () => {
  const lines = shown("dapo", 100);
  const find = (name: string) => lines.find((line) => line.trim().split(/\s+/)[0] === name)!;
  assert.match(find("learningRate"), /^ {2}learningRate +1e-6 +default 1\.41e-5$/);
  assert.match(find("adamEps"), /^ {2}adamEps +1e-8$/);
  assert.match(find("groupSize"), /^ {2}groupSize +16 +default 8$/);
});
