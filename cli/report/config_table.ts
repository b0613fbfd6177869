/** The report's tables of settings and of metrics. @module */
import { changesOf } from "../../experiment/folder/history.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { MetricInfo } from "../../rl/metrics.ts";
import { cell, number, stacked, text } from "./html.ts";
import { rewardMetrics } from "./metrics_page.ts";
import { type SettingRow, settingRows } from "./setting_rows.ts";

const LONG = 24; // letters of a value from which on it may be broken

/** What differs from the defaults, and folded below it what does not. */
export function configTable({ config, history = [] }: RunData): string {
  const { steps, settings } = changesOf(history), { request } = config;
  // What was asked for when it was resumed is asked for too.
  const asked: Record<string, unknown> = request.settings === undefined ? request : {
    ...request,
    steps: steps ?? request.steps,
    settings: { ...request.settings, ...settings },
  };
  const rows = settingRows({ ...config, request: asked });
  const differ = rows.filter(({ changed, by }) => changed || by === "you")
    .sort((a, b) => rankOf(a) - rankOf(b));
  const others = rows.filter((row) => !differ.includes(row));
  return `${
    differ.length === 0
      ? `<p class="soft">Every setting is at its default.</p>`
      : `<p class="soft">What differs from the defaults, and who set it: you on the command line, the preset, or ` +
        `the task, which has settings that suit it.</p>
<div class="scroll">${table(differ)}</div>`
  }
<details><summary>${
    differ.length === 0 ? "All" : "The other"
  } ${others.length} settings: at their defaults, or without one</summary>
<div class="scroll">${table(others)}</div></details>`;
}

const rankOf = ({ by }: SettingRow): number => by === "you" ? 0 : by === "the task" ? 2 : 1;

const table = (rows: readonly SettingRow[]): string =>
  stacked(
    ["key", "value", "default", "set by", "meaning"],
    rows.map(({ key, value, usual = "", changed, by = "", option }) =>
      `<tr${changed ? ' class="changed"' : ""}>${text("key", key, " name")}${
        text("value", value, breaking(value))
      }${text("default", usual, breaking(usual))}${
        cell("set by", by, by === "you" ? "d you" : "d")
      }${
        cell("meaning", option ? [option.doc, option.unit].filter(Boolean).join("; ") : "", "m")
      }</tr>`
    ),
  );

/** A value is not broken amid a word, unless no screen has room for it. */
const breaking = (value: string): string => value.length > LONG ? "" : " name";

/** Each metric with its last value, what it is, and what it is in a run that learns. */
export function glossary(run: RunData): string {
  const last = run.metrics.at(-1) ?? [];
  const rows = run.names.map((name, i) => {
    const known = explained(name, run.config.algorithm);
    return `<tr>${text("metric", name, " name")}${number("last", last[i + 1] ?? null)}` +
      cell("unit", known?.unit ?? "") + cell("meaning", known?.meaning ?? "", "m") +
      `${cell("healthy", known?.healthy ?? "")}</tr>`;
  });
  const heads = ["metric", "last|", "unit", "meaning", "in a run that learns"];
  return `<details><summary>${run.names.length} metrics, each with its last value</summary>
<div class="scroll">${stacked(heads, rows)}</div></details>`;
}

/** The table's row; one of a reward stands under `rewards/NAME/` where it has none of its own. */
function explained(name: string, algorithm: string): MetricInfo | undefined {
  const own = listAlgorithms().find((one) => one.name === algorithm)?.metrics ?? [];
  const table = [...own, ...rewardMetrics()];
  const general = name.replace(/^rewards\/[^/]+\//, "rewards/NAME/");
  return table.find((row) => row.name === name) ?? table.find((row) => row.name === general);
}
