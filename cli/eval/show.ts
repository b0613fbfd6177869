/** What an evaluation came to, as a terminal shows it: three columns, or where it is narrow one below the other. @module */
import type { Interval } from "../../base/statistics/intervals.ts";
import { decimals } from "../../base/units.ts";
import type { EvalResult, EvalSummary } from "../../experiment/eval/eval.ts";
import type { Figure, Figures, PromptAnswers } from "../../experiment/eval/figures.ts";
import { clip, clipStart, paint, printable, short, type Terminal } from "../terminal.ts";
import { shownWidth, wrap } from "../wrap.ts";

/** The lines of an evaluation; none is wider than the terminal, but for a word that is. */
export function evalLines(
  { summary, greedy }: Pick<EvalResult, "summary" | "greedy">,
  terminal: Pick<Terminal, "columns" | "fancy">,
): string[] {
  const { sampled, temperature } = summary, { columns } = terminal;
  const words = (text: string) => wrap(text, columns);
  const part = (title: string, figures: Figures) => [
    "",
    ...words(title).map((line) => paint(terminal as Terminal, "bold", line)),
    ...figureLines(figures, summary, columns),
    ...comparedWords(figures).flatMap(words),
  ];
  return [
    ...words(subjectWords(summary)),
    ...[summary.tuned, summary.base].flatMap(({ run }) => run ? endWords(run) : []).flatMap(words),
    ...words(`reward: ${weightsWords(summary.weights)}`),
    ...part("greedy, one answer to each prompt", summary.greedy),
    ...(sampled
      ? part(`sampled, ${sampled.samples} to each prompt at temperature ${temperature}`, sampled)
      : []),
    ...extremes(greedy, terminal),
    "",
    ...closingWords(summary).flatMap(words),
  ];
}

function subjectWords({ tuned, base, prompts, of, split, task }: EvalSummary): string {
  const [which, other] = [tuned, base].map(({ run, name }) => run ? checkpointWords(run) : name);
  const some = prompts < of ? `${prompts} of ${of}` : String(prompts);
  const kind = split === "heldout" ? "held-out" : "training";
  return printable(
    `tuned: ${which}; base: ${other}; ${some} ${kind} prompts of ${task}`,
  );
}

type Run = NonNullable<EvalSummary["tuned"]["run"]>;

const WHICH: Readonly<Record<Run["which"], string>> = {
  last: " (its last)",
  best: " (its best)",
  named: "",
};

const checkpointWords = ({ folder, step, of, which }: Run): string =>
  `${folder}, step ${step} of ${of}${WHICH[which]}`;

/** How a run ended that has not all of its steps: its figures are then no end of it. */
function endWords({ folder, step, state, cause = "", good }: Run): string[] {
  const why = cause === "" ? "" : ` (${cause.replace(/\.$/, "")})`;
  if (state === "finished") return [];
  if (state === "running") return [printable(`${folder} is still being trained.`)];
  if (state !== "diverged") {
    return [printable(`${folder} ${state === "failed" ? "failed" : "was cut short"}${why}.`)];
  }
  const is = good === undefined || step > good
    ? `step ${step} may be from after it went astray` +
      (good === undefined ? "" : `, the last that is good is step ${good}`)
    : `step ${step} is from before it went astray`;
  return [printable(`${folder} diverged${why}: ${is}.`)];
}

/** `0.5 semantic + exact`; what is measured alone counts nothing. */
function weightsWords(weights: EvalSummary["weights"]): string {
  const terms = Object.entries(weights).filter(([, weight]) => weight !== 0);
  return printable(
    terms.map(([name, weight]) => weight === 1 ? name : `${short(weight)} ${name}`).join(" + "),
  );
}

/** Figures by the name that is shown. A reward that is all of the trained one is not told twice. */
function namedFigures(
  { reward, rewards, positive, tokens, distinct1, distinct2, perplexity }: Figures,
  { weights }: Pick<EvalSummary, "weights">,
): [name: string, figure: Figure][] {
  const counted = Object.entries(weights).filter(([, weight]) => weight !== 0);
  const isAll = (name: string) => counted.length === 1 && weights[name] === 1;
  return [
    ["reward", reward],
    ...Object.entries(rewards).filter(([name, { base, tuned }]) =>
      !isAll(name) && base.n + tuned.n > 0
    ),
    ["above 0", positive],
    ["tokens", tokens],
    ["distinct-1", distinct1],
    ["distinct-2", distinct2],
    ["perplexity", perplexity],
  ];
}

const HEAD = ["", "base", "tuned", "difference"];

function figureLines(figures: Figures, summary: EvalSummary, columns: number): string[] {
  const rows = namedFigures(figures, summary).map(([name, { base, tuned, difference }]) => [
    printable(name),
    intervalText(base),
    intervalText(tuned),
    intervalText(difference, true),
  ]);
  const widths = HEAD.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => shownWidth(row[i])))
  );
  const wide = widths.reduce((sum, width) => sum + width) + 2 * (HEAD.length - 1);
  if (wide > columns) {
    return rows.flatMap(([name, ...cells]) => [
      clip(name, columns),
      ...cells.map((cell, i) => `  ${["base", "tuned", "diff"][i].padEnd(6)}${cell}`),
    ]);
  }
  return [HEAD, ...rows].map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd()
  );
}

/** `0.605 [0.45, 0.74]`, of a difference with its sign; without brackets where there is no interval. */
function intervalText({ mean, low, high, method }: Interval, signed = false): string {
  if (Number.isNaN(mean)) return "-";
  const of = (value: number, places: number) => {
    const text = numberText(value, places);
    return signed && !/^[-+]|^[0.]+$/.test(text) ? `+${text}` : text;
  };
  const middle = of(mean, 3), space = /^[-+]/.test(middle) ? "" : " ";
  return method === "none" ? space + middle : `${space}${middle} [${of(low, 2)}, ${of(high, 2)}]`;
}

/** With so many places below 10, one fewer below 100, none above. */
function numberText(value: number, places: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(1);
  return decimals(value, size < 10 ? places : size < 100 ? places - 1 : 0);
}

function comparedWords({ wins, tests: { t, wilcoxon }, unscored, same }: Figures): string[] {
  const all = wins.wins + wins.ties + wins.losses, lines: string[] = [];
  if (all > 0) {
    lines.push(
      `tuned wins ${intervalText(wins.interval).trim()} of pairs, a tie as half: ` +
        `${wins.wins} won, ${wins.ties} tied, ${wins.losses} lost; ${same} say the same`,
    );
  }
  if (!Number.isNaN(wilcoxon.p)) {
    lines.push(
      `p of the difference in reward: ${pText(t.p)} (paired t), ${pText(wilcoxon.p)} (Wilcoxon)`,
    );
  }
  const without = Object.entries(unscored).filter(([, count]) => count > 0)
    .map(([side, count]) => `${count} of ${side}`);
  if (without.length > 0) lines.push(`without a score: ${without.join(", ")}`);
  return lines;
}

const pText = (p: number): string =>
  Number.isNaN(p) ? "-" : p < 0.001 ? "below 0.001" : p.toFixed(3);

/** The greedy answers whose reward rose most and fell most. */
function extremes(
  greedy: readonly PromptAnswers[],
  { columns, fancy }: Pick<Terminal, "columns" | "fancy">,
): string[] {
  const gain = ({ base: [base], tuned: [tuned] }: PromptAnswers) =>
    base.reward === null || tuned.reward === null ? 0 : tuned.reward - base.reward;
  const sorted = [...greedy].sort((a, b) => gain(b) - gain(a));
  const show = (title: string, { prompt, base: [base], tuned: [tuned] }: PromptAnswers) => {
    const line = (side: string, { completion, reward }: PromptAnswers["base"][number]) => {
      const score = short(reward), room = Math.max(8, Math.min(60, columns - 10 - score.length));
      return `  ${side.padEnd(6)}${clip(printable(completion), room, fancy).padEnd(room)}  ${score}`
        .trimEnd();
    };
    const room = Math.max(8, columns - title.length - 1);
    return [
      `${title} ${clipStart(printable(prompt), room, fancy)}`.trimEnd(),
      line("base", base),
      line("tuned", tuned),
    ];
  };
  const [up, down] = [sorted[0], sorted.at(-1)!];
  const lines = [
    ...(gain(up) > 0 ? show("gained most:", up) : []),
    ...(gain(down) < 0 ? show("lost most:", down) : []),
  ];
  return lines.length > 0 ? ["", ...lines] : [];
}

function closingWords({ tuned, greedy }: EvalSummary): string[] {
  const one = tuned.run ? " Of one run: another seed may differ by more than they say." : "";
  const figures = Object.values(greedy.rewards).concat(greedy.reward, greedy.positive);
  const isBare = figures.some(({ base, tuned, difference }) =>
    [base, tuned, difference].some(({ n, method }) => n > 0 && method === "none")
  );
  const bare = isBare ? " None where all prompts give the same number." : "";
  return [
    `[ ] are intervals of 95 % over prompts; differences are paired.${bare}${one}`,
    "distinct: different words, and pairs of words, per word. perplexity: of the answers, under the base.",
  ];
}
