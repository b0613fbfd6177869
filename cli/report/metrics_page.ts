/** Writes docs/metrics.md from the tables of metrics: `deno task docs`. @module */
import { listRewards } from "../../rewards/registry.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import type { MetricInfo } from "../../rl/metrics.ts";
import { wrap } from "../wrap.ts";

/** What a run adds to a step's metrics for its rewards; NAME is the name of a reward of the run. */
// deno-fmt-ignore
export function rewardMetrics(): readonly MetricInfo[] {
  return [
    { name: "rewards/exact/mean", unit: "", range: "0 to 1", healthy: "rises with score/mean", meaning: "share of this step's drawn completions that equal the answer; measured in every run, trained on only where asked for", alias: "", remedy: "Flat while another reward rises: that reward pays for something else than right answers." },
    { name: "rewards/exact/std", unit: "", range: "0 to 0.71", healthy: "above 0 until every answer is right", meaning: "sample standard deviation of these zeros and ones", alias: "", remedy: "At 0 all answers are right, or all are wrong." },
    { name: "rewards/NAME/mean", unit: "reward", range: "that of the reward", healthy: "rises, where its weight is above 0", meaning: "mean of one reward over the completions that it could score, before its weight", alias: "", remedy: "Flat: as score/std. One reward rises as another falls: they pull apart; change the weights." },
    { name: "rewards/NAME/std", unit: "reward", range: ">= 0", healthy: "above 0, where its weight is above 0", meaning: "sample standard deviation of one reward over the completions that it could score; 0 for one alone", alias: "", remedy: "At 0 this reward gives every completion the same and teaches nothing; as score/std." },
    ...listRewards().flatMap(({ name: reward, counts }) =>
      counts.map(({ name, ...count }) => ({ name: `rewards/${reward}/${name}`, unit: "completions", range: "0 to batch", alias: "", ...count }))
    ),
  ];
}

const WIDTH = 100; // as deno fmt wraps prose

/** The page's text, wrapped as `deno fmt` would. */
export function metricsPage(): string {
  const entry = ({ name, unit, range, healthy, meaning, alias, remedy }: MetricInfo) =>
    [
      `### \`${name}\``,
      wrapped(`${capital(meaning)}.`),
      [
        wrapped(`- unit: ${unit || "none"}; range: ${range}`, 2),
        wrapped(`- healthy: ${healthy}`, 2),
        wrapped(`- otherwise: ${remedy}`, 2),
        ...(alias ? [wrapped(`- elsewhere: \`${alias}\``, 2)] : []),
      ].join("\n"),
    ].join("\n\n");
  return [
    "# Metrics",
    wrapped(
      "Made from the tables of the algorithms and rewards by `deno task docs`; a test compares the " +
        "two. Each name is a column of `metrics.csv`. A number that does not exist, such " +
        "as the loss of a step without an update, is an empty cell there, never 0.",
    ),
    wrapped(
      "`elsewhere` is the name of the same quantity in TRL 0.11, or in runs of earlier versions, so that " +
        "curves can be laid over each other. Healthy ranges are rules of thumb for small models, not " +
        "limits; of the ratios, policy/approxkl and the value head they are what the default run of colors shows, of seeds 1, 2 and 3.",
    ),
    ...fourRuns(),
    ...algorithmParts(entry),
    "## Of the rewards",
    wrapped(
      "A run has mean and standard deviation of `exact` and of each of its rewards, and the counts that " +
        "its rewards keep.",
    ),
    ...rewardMetrics().map(entry),
  ].join("\n\n") + "\n";
}

/** One healthy run beside three sick ones, and which column tells. */
const fourRuns = (): string[] => [
  "## A healthy run and three sick ones",
  "![Six metrics of four runs](reading/figures/metrics-four-runs.svg)",
  wrapped("All are `deno task train colors --steps 12`, and beside it:"),
  [
    "healthy: nothing. The first step is the wildest, as the learning rate begins at its highest: an " +
    "approxkl of 0.2 and a ratio of 5 there are no illness.",
    "`lambda=0`: no credit for what comes later. Nothing looks wild; the score hardly rises, and " +
    "entropy does not fall. `score/mean` decides.",
    "`klCoefficient=1`: the penalty outweighs the score. The score rises once and comes back, as " +
    "`kl/reference` does, which ends near 0: the policy is pulled back to where it was.",
    "no clip, 16 epochs (the line below): the score rises, and hides the " +
    "illness. `policy/approxkl` is 11 in place of 0.2, the smallest ratio 1e-7, the largest 508. " +
    "Held-out answers tell as well: 0.67 right, against 0.97 in training. There is no " +
    "`kl/reference`, as nothing is priced by it.",
  ].map((words) => wrapped(`- ${words}`, 2)).join("\n"),
  "```sh\ndeno task train colors --steps 12 --reward exact epochs=16 learningRate=5e-4 klCoefficient=0 " +
  "valueCoefficient=0 lambda=1 clipLow=1 clipHigh=1000000\n```",
];

/** Algorithms that report the same have one part; what an earlier part explains is named, not repeated. */
function algorithmParts(entry: (metric: MetricInfo) => string): string[] {
  const explained = new Set<string>(), is = (metric: MetricInfo) => JSON.stringify(metric);
  return [...Map.groupBy(listAlgorithms(), ({ metrics }) => metrics)].flatMap(([metrics, all]) => {
    const before = metrics.filter((metric) => explained.has(is(metric))).map(({ name }) =>
      `\`${name}\``
    );
    const own = metrics.filter((metric) => !explained.has(is(metric)));
    for (const metric of own) explained.add(is(metric));
    return [
      `## Of every step of ${all.map(({ name }) => name).join(", ")}`,
      ...(before.length > 0 ? [wrapped(`Explained above: ${before.join(", ")}.`)] : []),
      ...own.map(entry),
    ];
  });
}

/** With a capital letter first. */
export const capital = (text: string): string =>
  /^[a-z]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;

/** Names of metrics and files in code marks. */
const quoted = (text: string): string =>
  text.replaceAll(
    /(?<!`)\b(?:(?:kl|entropy|policy|score|loss|value|returns|advantages|optimizer|sampling|rewards|tokens)\/[\w/]*\w|\w+\.csv|deno task \w+)(?!\S*`)/g,
    "`$&`",
  );

/** Lines as `deno fmt` would break them; all but the first start with `indent` spaces. */
const wrapped = (text: string, indent = 0): string => wrap(quoted(text), WIDTH, indent).join("\n");

if (import.meta.main) await Deno.writeTextFile("docs/metrics.md", metricsPage());
