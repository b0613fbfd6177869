/** The report's opening paragraph: sentences made by rules from the numbers, never more than they say. @module */
import { mean } from "../../base/statistics/moments.ts";
import { finiteColumn } from "../../experiment/columns.ts";
import { faultWords } from "../../experiment/faults/registry.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { isRunaway } from "../../experiment/runaway.ts";
import { SERIES, type Series, SKIPPED } from "./series.ts";
import { duration, short } from "../terminal.ts";
import { bestPlayer, measureOf, toldMeasure } from "./results.ts";
import { score } from "./table.ts";

const ENDS = 0.1; // share of the run that "began" and "ended" average over

/** What no run can say for itself. */
export const ONE_SEED =
  "One seed proves little: repeat the run with other seeds before you believe it.";

/** What was run and, of a run with an end, what came of the prompts that it never trained on. */
export function opening(run: RunData): string[] {
  const { config, metrics, summary } = run;
  const last = metrics.at(-1)?.[0] ?? 0;
  const start =
    `${config.model} was trained on ${config.task} with ${config.algorithm.toUpperCase()} ` +
    `for ${last} of ${config.steps} steps (seed ${config.seed})`;
  const end = summary
    ? ` in ${duration(summary.seconds)} on ${config.device.name}.`
    : "; it did not reach its end, so there is no comparison of before and after.";
  if (!summary) return [start + end];
  const { name, of } = toldMeasure(summary), { before, after } = summary.heldout;
  const what = name === "exact" ? "Exact answers" : `The mean of ${name}`;
  return [start + end, change(`${what} on held-out prompts`, of(before), of(after))];
}

/** What the numbers of the steps say; a table of before and after stands beside it. */
export function findings(run: RunData): string[] {
  const sentences: string[] = [];
  const reward = ends(run, SERIES.reward);
  if (reward) sentences.push(moved("The mean reward of sampled completions", reward));
  const kl = ends(run, SERIES.kl);
  if (kl) {
    sentences.push(
      `The policy is ${short(kl.after)} nats per completion from the model that it started as ` +
        `(at most ${short(kl.most)} on the way).`,
    );
  }
  const entropy = ends(run, SERIES.entropy);
  if (entropy) sentences.push(moved("Entropy", entropy, " nats per token"));
  return [...sentences, ...bestOf(run)];
}

/** The step whose held-out answers were best; nothing of a run that asked only before and after. */
function bestOf({ summary, folder }: RunData): string[] {
  if (!summary?.best) return [];
  const { best, best: { step, reward }, stoppedAfter } = summary;
  const { name, of } = measureOf(summary);
  return [
    `Held-out answers were best after step ${step}: ${name} ${score(of(best))}, reward ${
      score(reward)
    }. ` +
    `That checkpoint is ${folder}@best.`,
    ...(stoppedAfter === undefined
      ? []
      : [`The run ended early, as the last evaluations were no better: ${stoppedAfter} of them.`]),
  ];
}

/** What in the numbers deserves a second look. */
export function warnings(run: RunData): string[] {
  const fault = faultWords(run.config.config.fault), { summary } = run;
  const found = [
    ...(fault === undefined ? [] : [`${fault[0].toUpperCase()}${fault.slice(1)}.`]),
    ...astray(run),
  ];
  if (summary && summary.train.after.exact - summary.heldout.after.exact > 0.2) {
    found.push(
      `Training prompts are answered better than held-out ones by ${
        short(summary.train.after.exact - summary.heldout.after.exact)
      }: part of what was learned is memory.`,
    );
  }
  if (
    summary && summary.heldout.after.reward > summary.heldout.before.reward &&
    summary.heldout.after.exact < summary.heldout.before.exact
  ) {
    found.push(
      "Reward rose while exact answers fell: the reward pays for something else than right answers.",
    );
  }
  const player = summary && bestPlayer(summary);
  if (player && player.result.reward >= summary.heldout.after.reward) {
    found.push(
      `To ${player.name} earns ${
        short(player.result.reward)
      } on held-out prompts and takes no model: the ` +
        `trained policy earns ${short(summary.heldout.after.reward)}.`,
    );
  }
  const skipped = sumOf(run, SKIPPED);
  if (skipped > 0) {
    found.push(
      `${skipped} of ${run.metrics.length} updates skipped: a number was not finite, or no ` +
        "completion had a score; optimizer/skipped_updates is 1 in these steps.",
    );
  }
  const entropy = ends(run, SERIES.entropy);
  if (entropy && entropy.before > 0 && entropy.after < 0.05 * entropy.before) {
    found.push("Entropy fell to less than a twentieth: the policy hardly explores any more.");
  }
  const clipped = ends(run, SERIES.clipped);
  if (clipped && clipped.most > 0.4) {
    found.push(
      `Up to ${short(100 * clipped.most)} % of tokens were clipped in a step: ` +
        "the updates are too large; lower learningRate or epochs.",
    );
  }
  const kl = ends(run, SERIES.kl);
  if (kl && kl.least < -1) {
    found.push(
      `The KL estimate fell to ${short(kl.least)}: sampled text and scored text do not come from ` +
        "the same distribution.",
    );
  }
  return found;
}

/** That an update ran away, of a run that reached its end all the same. */
function astray({ names, metrics, summary }: RunData): string[] {
  if (!summary) return []; // the page says why it ended
  let before: Record<string, number> | undefined;
  for (const [step, ...values] of metrics) {
    const now = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    // One that was skipped moved nothing, and is told apart.
    if (isRunaway({ ...now, [SKIPPED]: 0 }, before)) {
      return [
        `Step ${step} shows a policy that was moved by more than 3 nats per token, further than learning moves ` +
        "it: what came later is of no use. Repeat the run with a tenth of its learningRate.",
      ];
    }
    before = now;
  }
  return [];
}

/** Sum over the steps that have the number. */
const sumOf = (run: RunData, name: string): number =>
  finiteColumn(run, name).reduce((sum, x) => sum + x, 0);

/** A number at either end of a run, and its extremes. */
export interface Ends {
  before: number;
  after: number;
  least: number;
  most: number;
  /** Steps at either end that its mean is of. */
  steps: number;
}

/** Means of the first and the last tenth of the run (at least a step each), and the extremes; nothing without numbers. */
export function ends(run: RunData, series: Series): Ends | undefined {
  const values = finiteColumn(run, series.name);
  if (values.length < 2) return undefined;
  const n = Math.max(1, Math.floor(values.length * ENDS));
  return {
    before: mean(values.slice(0, n)),
    after: mean(values.slice(-n)),
    least: values.reduce((a, b) => Math.min(a, b)),
    most: values.reduce((a, b) => Math.max(a, b)),
    steps: n,
  };
}

const verb = (before: number, after: number): string =>
  short(after) === short(before) ? "stayed at" : after > before ? "rose" : "fell";

function moved(what: string, { before, after, steps }: Ends, unit = ""): string {
  const word = verb(before, after);
  const of = steps === 1 ? "first and last step" : "means of the run's first and last tenth";
  return word === "stayed at"
    ? `${what} stayed at ${short(after)}${unit}.`
    : `${what} ${word} from ${short(before)} to ${short(after)}${unit} (${of}).`;
}

function change(what: string, before: number, after: number): string {
  const word = verb(before, after);
  return word === "stayed at"
    ? `${what} stayed at ${score(after)}.`
    : `${what} ${word} from ${score(before)} to ${score(after)}.`;
}
