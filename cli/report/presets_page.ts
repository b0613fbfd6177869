/** Writes docs/presets.md from the presets: `deno task docs`. @module */
import { optionText } from "../../base/options.ts";
import type { Preset } from "../../experiment/presets/preset.ts";
import { listPresets } from "../../experiment/presets/registry.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { markdownTable } from "./markdown.ts";

/** The page's text. */
export function presetsPage(): string {
  const parts = [
    "# Presets",
    "Settings of published systems, each complete: what a preset does not name has this project's default of " +
    "today, never a task's. `deno task train colors --preset NAME` trains with one, settings beside it win; " +
    "`deno task train --preset NAME --show` prints all of its settings. Length of a response, steps and reward " +
    "stay the task's where nothing else is said. Made by `deno task docs`; a test compares them.",
    ...listPresets().flatMap(partsOf),
  ];
  return parts.join("\n\n") + "\n";
}

function partsOf(preset: Preset): string[] {
  const { name, summary, algorithm, source, differences, steps, rewards, whole } = preset;
  const { rows } = settingsTable(findAlgorithm(algorithm));
  const named = Object.entries(preset.settings)
    .filter(([key, value]) => rows[key].default !== value)
    .map((
      [key, value],
    ) => [`\`${key}\``, optionText(value), optionText(rows[key].default ?? "the task's")]);
  const own = [
    ...(steps === undefined ? [] : [`\`--steps ${steps}\``]),
    ...(rewards === undefined ? [] : [`\`--reward ${rewards}\``]),
  ];
  return [
    `## ${name}`,
    `${summary[0].toUpperCase()}${summary.slice(1)}. Algorithm \`${algorithm}\`` +
    `${own.length > 0 ? `; ${whole ? "a run has" : "its own run had"} ${own.join(" and ")}` : ""}.`,
    `Source: ${source}.`,
    markdownTable([["setting", "here", "default"], ...named]),
    ...(differences.length > 0
      ? ["Where this project differs:", differences.map((text) => `- ${text}`).join("\n")]
      : []),
  ];
}

if (import.meta.main) await Deno.writeTextFile("docs/presets.md", presetsPage());
