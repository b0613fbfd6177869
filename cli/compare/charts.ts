/**
 * The sheets of a comparison, as the study of reward structures draws them: two by two for a group (rewards, loss
 * and KL, learning rate, length of completions), three by two across groups (final reward, final KL, rewards by
 * task, KL, learning rates). Several seeds are one line, the mean, in a band from the least to the largest.
 * @module
 */
import { columnOf } from "../../experiment/columns.ts";
import type { Interval } from "../../base/statistics/intervals.ts";
import { type BarChart, barChart } from "../../web/view/bars.ts";
import { type Line, type LineChart, lineChart } from "../../web/view/lines.ts";
import type { Span } from "../../web/view/scale.ts";
import { barTable, lineTable } from "../../web/view/table.ts";
import type { Drawn } from "../report/plots.ts";
import { short } from "../terminal.ts";
import type { Figure } from "./figures.ts";
import type { Compared, Group } from "./groups.ts";
import { settingText } from "./settings.ts";

/** Lines that one chart tells apart. */
export const MOST_LINES = 6;

/** A group with its figures. */
export interface Told extends Group {
  figures: readonly Figure[];
  /** What charts call it: its letter, and what tells it from the others. */
  label: string;
}

/** A figure of a group by name. */
export const figure = ({ figures }: Told, name: string): Figure | undefined =>
  figures.find((one) => one.name === name);

/** Metric and words of a chart of lines. */
interface Curve {
  metric: string;
  title: string;
  unit: string;
  span: Span;
}

const REWARD = { title: "Reward", unit: "mean per completion", span: "zero" } as const;
const EXACT: Curve = {
  metric: "rewards/exact/mean",
  title: "Exact answers, sampled",
  unit: "share, 0 to 1",
  span: "share",
};
const KL: Curve = {
  metric: "kl/reference",
  title: "KL to the reference",
  unit: "nats per completion",
  span: "zero",
};
const RATE: Curve = {
  metric: "optimizer/learning_rate",
  title: "Learning rate",
  unit: "AdamW step size",
  span: "zero",
};

/** The six charts across groups. Of more than six groups those of most reward are drawn as lines. */
export function acrossCharts(groups: readonly Told[]): Drawn[] {
  const shown = mostReward(groups);
  const tasks = [...new Set(groups.map((group) => settingText(group, "task")))];
  const rewards = tasks.map((task): [Curve, Told[]] => [
    {
      ...REWARD,
      metric: "score/mean",
      title: tasks.length === 1 ? "Reward" : `Reward on ${task}`,
    },
    shown.filter((group) => settingText(group, "task") === task),
  ]);
  const lines: [Curve, Told[]][] = [
    ...rewards,
    ...(tasks.length === 1 ? [[EXACT, shown] as [Curve, Told[]]] : []),
    [KL, shown],
    [RATE, shown],
  ];
  return [
    bars(groups, "reward_late", { title: "Reward at the end", unit: "mean of the last steps" }),
    bars(groups, "kl", { title: "KL at the end", unit: "nats per completion, last step" }),
    ...lines.map(([curve, of]) => lineOf(curve, of, toneIn(groups))),
  ].flatMap((chart, i) => chart === undefined ? [] : [draw(chart, `across-${i}`)]);
}

/** The chart of held-out answers before and after, where there are any. */
export function heldoutChart(groups: readonly Told[]): Drawn | undefined {
  const name = ["measure", "exact", "reward"].find((name) =>
    groups.every((group) => figure(group, `heldout_${name}`) !== undefined)
  );
  if (name === undefined) return undefined;
  const title = `Held-out prompts, greedy: ${figure(groups[0], `heldout_${name}`)!.title.slice(9)}`;
  const names = [`heldout_${name}_before`, `heldout_${name}`], tone = toneIn(groups);
  return draw({
    title,
    unit: "mean, with 95 % intervals over seeds",
    description: `${title}, before and after training: ` +
      groups.map((group) =>
        `${group.label} ${names.map((one) => short(figure(group, one)?.over.mean)).join(" to ")}`
      ).join("; ") + ".",
    span: name === "exact" ? "share" : "zero",
    series: ["before", "after"],
    groups: groups.map((group) => ({
      name: group.label,
      tone: tone(group),
      bars: names.map((one) => barOf(figure(group, one)?.over, name === "exact")),
    })),
  }, "heldout");
}

/** The four charts of one group. */
export function groupCharts(group: Told): Drawn[] {
  const { runs, letter } = group;
  const rewards = [...new Set(runs.flatMap(({ config }) => config.rewards))];
  const one = (name: string, metric: string): Line[] => {
    const line = meanLine(runs, metric, name);
    return line ? [line] : [];
  };
  const charts: LineChart[] = [
    {
      ...REWARD,
      title: rewards.length > 1 ? "Reward and its parts" : "Reward",
      lines: [
        ...one("sum", "score/mean"),
        ...(rewards.length > 1
          ? rewards.flatMap((name) => one(name, `rewards/${name}/mean`)).slice(0, MOST_LINES - 1)
          : []),
      ],
    },
    {
      title: "Loss and KL",
      unit: "policy loss per token; KL in nats",
      span: "fit" as const,
      lines: [...one("policy loss", "loss/policy"), ...one("KL", "kl/reference")],
    },
    { ...RATE, lines: one("learning rate", RATE.metric) },
    {
      title: "Length of completions",
      unit: "tokens, mean and one standard deviation",
      span: "zero" as const,
      lines: lengthLine(runs),
    },
  ].map((chart) => ({ ...chart, description: describe(chart) }));
  return charts.filter(({ lines }) => lines.length > 0)
    .map((chart, i) => draw(chart, `group-${letter}-${i}`));
}

/** The colour of a group in every chart: that of its line, null where it has none. */
function toneIn(groups: readonly Told[]): (group: Told) => number | null {
  const shown = mostReward(groups);
  return (group) => shown.includes(group) ? shown.indexOf(group) : null;
}

/** Groups whose lines are drawn, in their own order. */
export function mostReward(groups: readonly Told[]): Told[] {
  const late = (group: Told) => figure(group, "reward_late")?.over.mean ?? -Infinity;
  const best = groups.toSorted((a, b) => late(b) - late(a)).slice(0, MOST_LINES);
  return groups.filter((group) => best.includes(group));
}

const isLines = (chart: LineChart | BarChart): chart is LineChart => "lines" in chart;

const draw = (chart: LineChart | BarChart, id: string): Drawn =>
  isLines(chart)
    ? { svg: lineChart(chart, id), table: lineTable(chart) }
    : { svg: barChart(chart, id), table: barTable(chart) };

function lineOf(
  { metric, ...words }: Curve,
  groups: readonly Told[],
  tone: (group: Told) => number | null,
): LineChart | undefined {
  const lines = groups.flatMap((group) => {
    const line = meanLine(group.runs, metric, group.label);
    return line ? [{ ...line, tone: tone(group) ?? undefined }] : [];
  });
  if (lines.length === 0) return undefined;
  return { ...words, lines, description: describe({ ...words, lines }) };
}

function bars(
  groups: readonly Told[],
  name: string,
  { title, unit }: { title: string; unit: string },
): BarChart | undefined {
  const found = groups.map((group) => ({ group, over: figure(group, name)?.over }));
  if (found.every(({ over }) => over === undefined)) return undefined;
  const tone = toneIn(groups);
  return {
    title,
    unit: `${unit}, 95 % intervals`,
    description: `${title}: ${
      found.map(({ group, over }) => `${group.label} ${short(over?.mean)}`).join("; ")
    }.`,
    span: "zero",
    series: [title],
    groups: found.map(({ group, over }) => ({
      name: group.label,
      tone: tone(group),
      bars: [barOf(over)],
    })),
  };
}

/** Of one seed there is no interval. A share's ends at 0 and 1. */
function barOf(over: Interval | undefined, isShare = false) {
  const { mean = NaN, low = NaN, high = NaN } = over ?? {};
  if (!Number.isFinite(low)) return { value: mean };
  const cut = (x: number) => isShare ? Math.min(1, Math.max(0, x)) : x;
  return { value: mean, low: cut(low), high: cut(high) };
}

/** The mean over seeds by step, of those that came so far; undefined where none has the metric. */
export function meanLine(
  runs: readonly Compared[],
  metric: string,
  name: string,
): Line | undefined {
  const byStep = new Map<number, number[]>();
  for (const run of runs) {
    for (const [i, value] of (columnOf(run, metric) ?? []).entries()) {
      if (!Number.isFinite(value)) continue;
      const step = run.metrics[i][0];
      byStep.set(step, [...byStep.get(step) ?? [], value]);
    }
  }
  if (byStep.size === 0) return undefined;
  const steps = [...byStep.keys()].sort((a, b) => a - b),
    all = steps.map((step) => byStep.get(step)!);
  const values = all.map((of) => of.reduce((a, b) => a + b, 0) / of.length);
  if (runs.length === 1) return { name, steps, values };
  return {
    name,
    steps,
    values,
    band: { low: all.map((of) => Math.min(...of)), high: all.map((of) => Math.max(...of)) },
  };
}

function lengthLine(runs: readonly Compared[]): Line[] {
  const mean = meanLine(runs, "tokens/responses_len_mean", "tokens");
  const spread = meanLine(runs, "tokens/responses_len_std", "tokens");
  if (!mean || !spread) return mean ? [mean] : [];
  const around = (sign: number) =>
    mean.values.map((x, i) => Math.max(0, x + sign * spread.values[i]));
  return [{ ...mean, band: { low: around(-1), high: around(1) } }];
}

function describe({ title, unit, lines }: Pick<LineChart, "title" | "unit" | "lines">): string {
  const told = lines.map(({ name, values }) =>
    `${name} from ${short(values[0])} to ${short(values.at(-1))}`
  );
  return `${title} by step, ${unit}: ${told.join("; ")}.`;
}
