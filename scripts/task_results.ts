/**
 * Trains every task but colors by its own model, algorithm, reward and settings with several seeds, and writes the
 * second table of docs/results.md: `deno task results:tasks`. Runs that are there are not run again.
 * @module
 */
import { parseArgs } from "node:util";
import { seedInterval } from "../base/statistics/intervals.ts";
import { markdownTable } from "../cli/report/markdown.ts";
import { readRunConfig, readSummary } from "../experiment/folder/run_data.ts";
import { intervalWords } from "../experiment/studies/results.ts";
import type { SplitResult, Summary } from "../experiment/observer.ts";
import { listTasks } from "../tasks/registry.ts";
import { trainRun, withTable } from "./results.ts";

/** One finished run: what it was, and its summary. */
export interface TaskRun {
  summary: Summary;
  /** Rewards with their weights. */
  rewards: string;
}

/** Mean with its 95 % interval over seeds; of one seed its value alone. */
const meanText = (values: readonly number[]): string => intervalWords(seedInterval(values));

/** The task of the first table. */
const FIRST = "colors";

const exactOf = ({ exact }: SplitResult): number => exact;
const rewardOf = ({ reward }: SplitResult): number => reward;

/** A row a task, in the order in which they first come. */
export function taskTable(runs: readonly TaskRun[]): string {
  const rows = [...Map.groupBy(runs, ({ summary }) => summary.task)].map(([task, all]) => {
    const [{ summary: { algorithm, model, heldout: { before }, players }, rewards }] = all;
    const after = (of: (result: SplitResult) => number) =>
      meanText(all.map(({ summary }) => of(summary.heldout.after)));
    const played = Object.entries({
      "copy": players?.copy,
      "one answer": players?.constant,
      "nothing": players?.nothing,
    }).filter(([, result]) => result !== undefined) as [string, SplitResult][];
    const [name, best] = played.reduce((a, b) => rewardOf(b[1]) > rewardOf(a[1]) ? b : a);
    const hasAnswers = Number.isFinite(before.exact);
    return [
      `\`${task}\``,
      `${algorithm}, ${rewards}, ${model}`,
      ...(hasAnswers ? [before.exact.toFixed(3), after(exactOf)] : ["-", "-"]),
      ...[before.reward.toFixed(3), `**${after(rewardOf)}**`],
      `${name} ${best.reward.toFixed(3)}`,
    ];
  });
  return markdownTable([
    [
      ...["task", "how", "exact before", "exact after", "reward before"],
      ...["reward after: mean (95 % interval)", "best that learns nothing"],
    ],
    ...rows,
  ]);
}

/** What a finished run came to. */
export async function taskRunOf(folder: string): Promise<TaskRun> {
  const summary = await readSummary(folder), { weights = {} } = await readRunConfig(folder);
  if (!summary) throw new Error(`Cannot tell the results of ${folder} as it is not finished`);
  const named = Object.entries(weights).filter(([, weight]) => weight !== 0);
  return { summary, rewards: named.map(([name, w]) => w === 1 ? name : `${name}:${w}`).join("+") };
}

if (import.meta.main) {
  const { values: { seeds, only } } = parseArgs({
    options: { seeds: { type: "string", default: "1,2,3" }, only: { type: "string" } },
  });
  const all = listTasks().map(({ name }) => name).filter((name) => name !== FIRST);
  const names = only?.split(",") ?? all;
  const runs: TaskRun[] = [];
  for (const seed of seeds.split(",")) {
    for (const task of names) {
      const out = `runs/results-tasks/${task}-${seed}`;
      if (!await readSummary(out).catch(() => undefined)) await trainRun([task], { seed, out });
      runs.push(await taskRunOf(out));
    }
  }
  const table = taskTable(
    names.flatMap((name) => runs.filter(({ summary }) => summary.task === name)),
  );
  if (only !== undefined) console.log(table);
  else {
    const page = "docs/results.md";
    await Deno.writeTextFile(page, withTable(await Deno.readTextFile(page), table, "tasks"));
  }
}
