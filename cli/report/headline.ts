/** What a report opens with: one sentence in large type, and the few numbers that stand below it. @module */
import { type Interval, meanInterval } from "../../base/statistics/intervals.ts";
import type { CompletionRow, Summary } from "../../experiment/observer.ts";
import { endOf } from "../../experiment/folder/history.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { duration, short } from "../terminal.ts";
import { escape } from "./html.ts";
import { ends } from "./report_words.ts";
import { bestPlayer, toldMeasure } from "./results.ts";
import { rewardWords } from "./reward_words.ts";
import { SERIES } from "./series.ts";
import { score } from "./table.ts";

/** A number that stands alone, and what it is. */
export interface Tile {
  name: string;
  value: string;
  note: string;
}

/** A share in whole percent, which no line break parts from its sign. */
export const percent = (share: number): string =>
  Number.isFinite(share) ? `${Math.round(100 * share)}\u00a0%` : "-";

/** The sentence, as markup. */
export function headline(run: RunData): string {
  if (!run.summary) return escape(cutShort(run));
  const { name, of } = toldMeasure(run.summary), { before, after } = run.summary.heldout;
  const [from, to] = [of(before), of(after)];
  const what = name === "exact" ? "Held-out exact answers" : `Held-out ${name}`;
  if (!Number.isFinite(from) || !Number.isFinite(to)) return `${escape(what)}: not measured`;
  const show = name === "exact" ? percent : score;
  const word = show(from) === show(to) ? "stayed at" : to > from ? "rose" : "fell";
  const [left, right] = [
    sure(intervalIn(run, "before", name, from), show),
    sure(intervalIn(run, "after", name, to), show),
  ];
  return word === "stayed at"
    ? `${escape(what)} stayed at <strong>${show(to)}</strong>${right}`
    : `${escape(what)} ${word} from <strong>${show(from)}</strong>${left} to <strong>${
      show(to)
    }</strong>${right}`;
}

/** An interval beside its figure. */
const sure = (interval: Interval | undefined, show: (value: number) => string): string =>
  interval ? ` <span class="sure">(${show(interval.low)} to ${show(interval.high)})</span>` : "";

/** Prompts beyond which an interval is narrow, and its bootstrap slow. */
const MOST = 5000;

/** Of the figure over held-out prompts; undefined where the completions that are kept are not those it is of. */
function intervalIn(
  { completions }: RunData,
  when: CompletionRow["phase"],
  name: string,
  figure: number,
): Interval | undefined {
  const values = completions.filter(({ phase, split }) => phase === when && split === "heldout")
    .map(({ reward, scores }) => scores[name] ?? (name === "reward" ? reward : null))
    .filter((value) => value !== null);
  if (values.length < 2 || values.length > MOST) return undefined;
  const interval = meanInterval(values);
  const isOfThem = Math.abs(interval.mean - figure) < 1e-6;
  return isOfThem && interval.method !== "none" ? interval : undefined;
}

/** What the sentence's brackets are; nothing where it has none. */
export function intervalWords(run: RunData): string {
  if (!run.summary) return "";
  const { name, of } = toldMeasure(run.summary);
  const found = intervalIn(run, "after", name, of(run.summary.heldout.after));
  if (!found) return "";
  const how = found.method === "wilson" ? "Wilson's" : "by the bootstrap";
  return `In brackets: intervals of 95 % (${how}) over the ${found.n} held-out prompts, of this one seed.`;
}

function cutShort({ config, metrics, history = [] }: RunData): string {
  const end = endOf(history), done = `${end?.step ?? metrics.at(-1)?.[0] ?? 0} of ${config.steps}`;
  if (end?.kind === "diverged") return `Diverged after step ${done}`;
  if (end?.kind === "failed") return `Failed after step ${done}`;
  if (end?.kind === "stopped") return `Stopped after step ${done}`;
  return `At step ${done}: it did not reach its end`;
}

/** Three or four of them. */
export function tiles(run: RunData): Tile[] {
  const { summary } = run;
  const found = summary ? ofResults(run, summary) : ofSteps(run);
  const kl = ends(run, SERIES.kl);
  if (kl) {
    found.push({
      name: "KL to the reference",
      value: short(kl.after),
      note: `nats per completion at the end, at most ${short(kl.most)}`,
    });
  }
  if (summary) {
    found.push({
      name: "Time",
      value: duration(summary.seconds),
      note: `${
        Math.round(summary.tokensPerSecond).toLocaleString("en-US")
      } tokens/s, ${summary.device.name}`,
    });
  }
  return found.slice(0, 4);
}

function ofResults({ config }: RunData, summary: Summary): Tile[] {
  const { name, of } = toldMeasure(summary), { train, heldout } = summary;
  const best = bestPlayer(summary);
  return [
    ...(name === "reward" ? [] : [{
      name: `Training prompts, ${name}`,
      ...moved(of(train.before), of(train.after), name === "exact" ? percent : score),
    }]),
    {
      name: "Held-out reward",
      value: `${score(heldout.before.reward)} → ${score(heldout.after.reward)}`,
      note: best
        ? `without a model: ${score(best.result.reward)}, to ${best.name}`
        : rewardWords(config),
    },
  ];
}

const moved = (before: number, after: number, show: (value: number) => string) => ({
  value: `${show(before)} → ${show(after)}`,
  note: "greedy, before and after",
});

function ofSteps(run: RunData): Tile[] {
  const reward = ends(run, SERIES.reward), exact = ends(run, SERIES.exact);
  const of = (steps: number) =>
    steps === 1 ? "first and last step" : `means of the first and last ${steps} steps`;
  const end = endOf(run.history ?? []), good = end?.from, saved = run.checkpoints?.at(-1);
  return [
    ...(reward
      ? [{
        name: "Reward, sampled",
        value: `${short(reward.before)} → ${short(reward.after)}`,
        note: of(reward.steps),
      }]
      : []),
    ...(exact
      ? [{
        name: "Exact, sampled",
        value: `${percent(exact.before)} → ${percent(exact.after)}`,
        note: of(exact.steps),
      }]
      : []),
    ...(good === undefined && saved === undefined ? [] : [{
      name: end?.kind === "diverged" ? "Last good checkpoint" : "Last checkpoint",
      value: `step ${good ?? saved}`,
      note: run.checkpoints ? `of ${run.checkpoints.length} in the folder` : "",
    }]),
  ];
}
