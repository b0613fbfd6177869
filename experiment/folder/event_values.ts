/** What of a run goes into its event file, and how it is named there: numbers as scalars, a few texts. @module */
import type { CompletionRow, EvaluationReport, Phase } from "../observer.ts";
import type { LogValue } from "./event_file.ts";

/** A text with nothing in it that acts or hides; made of JSON, so that lines are spelled out already. */
export type Spell = (json: string) => string;

/** Completions of an evaluation that are shown: the first, so that the same prompts come again. */
const ANSWERS = 8;
/** Completions of a step that are shown: so many of highest and of lowest reward. */
const EXTREMES = 2;

/** Whether a step's completions are shown: 1, 2 and 5 of each power of ten, wherever the run ends. */
export const isShown = (step: number): boolean => /^[125]0*$/.test(String(step));

/** The metrics that exist, under their names, and of some steps the completions of highest and lowest reward. */
export function stepValues(
  { step, metrics, completions }: {
    step: number;
    metrics: readonly (readonly [name: string, value: number])[];
    completions: readonly CompletionRow[];
  },
  spell?: Spell,
): LogValue[] {
  const values = numbers(metrics);
  if (!isShown(step)) return values;
  return [...values, ...texts("completions/train", extremes(completions), spell)];
}

/** Means of an evaluation under `evaluation/SPLIT/`, and of held-out prompts the first answers. */
export function evaluationValues(
  { split }: Phase,
  { completions, report }: {
    completions: readonly CompletionRow[];
    report?: EvaluationReport;
  },
  spell?: Spell,
): LogValue[] {
  const means = report === undefined ? [] : (["exact", "reward", "tokens"] as const)
    .map((name) => [`evaluation/${split}/${name}`, report[name]] as const);
  const shown = split === "heldout" ? completions.slice(0, ANSWERS) : [];
  return [...numbers(means), ...texts("completions/heldout", shown, spell)];
}

/** Settings as one text. */
export const configValue = (
  config: Readonly<Record<string, unknown>>,
  spell?: Spell,
): LogValue => ({
  tag: "config",
  text: literal(
    Object.entries(config).map(([name, value]) => `${name}: ${spelled(value, spell)}`),
  ),
});

const numbers = (pairs: readonly (readonly [tag: string, number: number])[]): LogValue[] =>
  pairs.filter(([, number]) => Number.isFinite(number)).map(([tag, number]) => ({ tag, number }));

function texts(tag: string, rows: readonly CompletionRow[], spell?: Spell): LogValue[] {
  if (rows.length === 0) return [];
  const lines = rows.flatMap(({ prompt, completion, answer, reward }, i) => [
    ...(i > 0 ? [""] : []),
    `reward      ${reward ?? "none"}`,
    ...Object.entries({ prompt, completion, answer })
      .map(([name, text]) => `${name.padEnd(10)}  ${spelled(text, spell)}`),
  ]);
  return [{ tag, text: literal(lines) }];
}

/** Of highest reward, then of lowest, each once; those that no reward could score are left out. */
function extremes(rows: readonly CompletionRow[]): CompletionRow[] {
  const scored = rows.filter(({ reward }) => reward !== null)
    .sort((a, b) => b.reward! - a.reward!);
  const high = scored.slice(0, EXTREMES);
  return [...high, ...scored.slice(EXTREMES).slice(-EXTREMES)];
}

/** One line, in which no line ends: what looks like Markdown or HTML is JSON within a block of code. */
const spelled = (value: unknown, spell: Spell = (json) => json): string =>
  spell(JSON.stringify(value) ?? "");

/** A block of code in Markdown: every line is indented, so that no text can end it. */
const literal = (lines: readonly string[]): string => lines.map((line) => `    ${line}`).join("\n");
