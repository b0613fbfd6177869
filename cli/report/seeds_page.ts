/** Writes docs/seeds.md, the published systems' settings beside ours: `deno task docs`. @module */
import { optionText } from "../../base/options.ts";
import { type Origin, type OriginRow, ORIGINS } from "../../experiment/presets/origins.ts";
import type { Preset } from "../../experiment/presets/preset.ts";
import { findPreset } from "../../experiment/presets/registry.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { markdownTable } from "./markdown.ts";

/** The page's text. */
export function seedsPage(): string {
  const parts = [
    "# Four published systems, rebuilt",
    "What each of them set, what its preset sets here, and why where the two differ. A preset has the original's " +
    "numbers; what was a fault of the original is right by default. A run with it takes its steps and its reward " +
    "too: `--steps` and `--reward` beside it win. Models and data sets of the hub are fetched once before: " +
    "`deno task fetch gpt2`, `deno task fetch --dataset openai/gsm8k`. Made by `deno task docs`; a test compares them.",
    ...ORIGINS.flatMap(partsOf),
  ];
  return parts.join("\n\n") + "\n";
}

function partsOf({ preset: name, title, story, runs, rows }: Origin): string[] {
  const preset = findPreset(name);
  return [
    `## ${title}`,
    `${story} Preset [\`${name}\`](presets.md#${name}), algorithm \`${preset.algorithm}\`.`,
    "```\n" + runs.map(([what, command]) => `# ${what}\ndeno task ${command}`).join("\n") + "\n```",
    markdownTable([
      ["setting", "theirs", "ours", "why"],
      ...rows.map((row) => cells(row, preset)),
    ]),
  ];
}

function cells(row: OriginRow, preset: Preset): string[] {
  const name = row.setting === undefined ? row.about! : `\`${row.setting}\``;
  return [name, row.theirs, oursOf(row, preset), row.why ?? ""];
}

/** What a run with the preset has; of what the preset does not say, the setting's default. */
export function oursOf({ setting, ours }: OriginRow, preset: Preset): string {
  if (setting === undefined) return ours!;
  const { rows } = settingsTable(findAlgorithm(preset.algorithm));
  if (!Object.hasOwn(rows, setting)) {
    throw new TypeError(`Cannot describe ${preset.name} as a run of it has no setting ${setting}`);
  }
  return optionText(preset.settings[setting] ?? rows[setting].default!);
}

if (import.meta.main) await Deno.writeTextFile("docs/seeds.md", seedsPage());
