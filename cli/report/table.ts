/** The last lines of a run: before and after, a few completions side by side, and where it lies. @module */
import { decimals } from "../../base/units.ts";
import type { SplitResult, Summary } from "../../experiment/observer.ts";
import { type Pair, pairs, type RunData } from "../../experiment/folder/run_data.ts";
import { sameText } from "../../rewards/exact.ts";
import {
  clip,
  clipStart,
  columns,
  duration,
  paint,
  printable,
  quoted,
  type Terminal,
} from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { measureOf, playerRows } from "./results.ts";
import { rewardSum } from "./reward_words.ts";

const SHOWN = 6; // completions side by side

const WIDE = 60; // columns of a terminal from which on tables have their results side by side
/** A mean score or share with three decimals, so that a column of them can be compared; `-` for none. */
export const score = (value: number | null): string =>
  value !== null && Number.isFinite(value) ? decimals(value, 3) : "-";

/** Lines of the closing table. */
export function closing(run: RunData, terminal: Terminal): string[] {
  const { summary, folder } = run, isWide = terminal.columns >= WIDE;
  if (!summary) return [];
  const wide = columns(sideBySide(summary));
  const fits = isWide && wide.every((line) => [...line].length <= terminal.columns);
  const scores = fits ? wide : columns(oneBelowAnother(summary));
  const all = pairs(run.completions, "heldout"), found = all.slice(0, SHOWN);
  const texts = isWide ? pairTable(found, terminal) : pairList(found, terminal);
  const ask = question(run, [...all, ...pairs(run.completions, "train")]);
  return [
    "",
    paint(terminal, "bold", scores[0]),
    ...scores.slice(1),
    ...sumWords(run, terminal),
    ...(found.length === 0 ? [] : ["", ...texts]),
    "",
    ...endWords(run, terminal),
    `done in ${duration(summary.seconds)}, ${Math.round(summary.tokensPerSecond)} tokens/s`,
    ...(isWide
      ? [`folder  ${folder}`, `report  ${folder}/report.html`]
      : ["folder", `  ${folder}`, "report", "  report.html there"]),
    ...(ask === undefined ? [] : isWide ? [`ask it  ${ask}`] : ["ask it", `  ${ask}`]),
  ];
}

/** What the column of rewards is the sum of, where that is not one reward as it is. */
function sumWords({ config }: RunData, { fancy, columns: room }: Terminal): string[] {
  const sum = rewardSum(config, fancy);
  return sum === config.rewards[0] ? [] : wrap(`reward = ${sum}`, room, 2);
}

/** Which step's answers to held-out prompts were best, and whether the run ended because none was better. */
function endWords({ summary, folder }: RunData, { columns: room }: Terminal): string[] {
  const { best, stoppedAfter, steps } = summary!;
  if (!best) return [];
  const early = stoppedAfter === undefined ? [] : [
    `ended early, at step ${steps}: ${
      evaluations(stoppedAfter)
    } no better than that of step ${best.step}`,
  ];
  const { name, of } = measureOf(summary!);
  const words = `best of held-out answers at step ${best.step}: ${name} ${score(of(best))}, ` +
    `reward ${score(best.reward)}; its checkpoint is ${folder}@best`;
  return [...early, words].flatMap((line) => wrap(line, room));
}

/** A count of evaluations. */
const evaluations = (count: number): string =>
  count === 1 ? "1 evaluation was" : `${count} evaluations were`;

/**
 * The command that answers a prompt as the trained model did: the first whose answer became right, else the
 * first whose answer became another; undefined where none did, or none can stand in a line as it is.
 */
function question({ folder, config }: RunData, found: readonly Pair[]): string | undefined {
  const other = found.filter(({ prompt, before, after }) => before !== after && isPlain(prompt));
  const right = other.find(({ before, after, answer }) =>
    sameText(after, answer) && !sameText(before, answer)
  );
  const { prompt } = right ?? other[0] ?? {};
  if (prompt === undefined || !isPlain(folder)) return undefined;
  const tokens = config.config.maxNewTokens; // one that learnt no end of text would go on
  const length = typeof tokens === "number" ? ` --tokens ${tokens}` : "";
  return `deno task generate --model ${quoted(folder)}${length} ${quoted(prompt)}`;
}

/** Nothing that a terminal is not shown, and no option. */
const isPlain = (text: string): boolean => printable(text) === text && !text.startsWith("-");

function sideBySide(summary: Summary): string[][] {
  const { name, of } = measureOf(summary), { train, heldout } = summary;
  const splits = [["training", train], ["held-out", heldout]] as const;
  return [
    ["", `${name} before`, "after", "reward before", "after"],
    ...splits.map(([name, { before, after }]) => [
      name,
      ...[of(before), of(after), before.reward, after.reward].map(score),
    ]),
    ...playerRows(summary).map(({ name, result }) => [
      ...[`  ${name}`, score(of(result)), "", score(result.reward), ""],
    ]),
  ];
}

function oneBelowAnother(summary: Summary): string[][] {
  const measure = measureOf(summary), { train, heldout } = summary;
  const splits = [["training", train], ["held-out", heldout]] as const;
  const rows = [measure, { name: "reward", of: ({ reward }: SplitResult) => reward }];
  return [
    ["", "before", "after"],
    ...rows.flatMap(({ name, of }) => [
      ...splits.map((
        [split, { before, after }],
      ) => [`${name}, ${split}`, score(of(before)), score(of(after))]),
      ...playerRows(summary, 10).map((
        player,
      ) => [`  ${player.name}`, score(of(player.result)), ""]),
    ]),
  ];
}

/** Prompts with their answers in columns that fit into the terminal. */
function pairTable(found: readonly Pair[], { columns: room, fancy }: Terminal): string[] {
  const answer = Math.min(20, Math.floor((room - 6) / 5)); // 3 answers, and a prompt of two widths
  const cell = (text: string) => clip(printable(text), answer, fancy);
  return columns([
    ["held-out prompt", "before", "after", "wanted"],
    ...found.map(({ prompt, before, after, answer: wanted }) => [
      clipStart(printable(prompt), Math.min(40, room - 6 - 3 * answer), fancy),
      ...[before, after, wanted].map(cell),
    ]),
  ]);
}

/** The same, one line below another. */
function pairList(found: readonly Pair[], { columns: room, fancy }: Terminal): string[] {
  return [
    "held-out prompts",
    ...found.flatMap(({ prompt, before, after, answer }) => [
      clipStart(printable(prompt), room, fancy),
      ...Object.entries({ before, after, wanted: answer }).map(([name, text]) =>
        `  ${name.padEnd(6)}  ${clip(printable(text), room - 10, fancy)}`
      ),
    ]),
  ];
}
