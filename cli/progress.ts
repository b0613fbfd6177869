/** What the terminal shows during a run: a bar, a line now and then, two completions each. @module */
import process from "node:process";
import cliProgress from "npm:cli-progress@3.12.0";
import type {
  CompletionRow,
  EvaluationReport,
  Phase,
  Players,
  RunInfo,
  RunObserver,
  StepReport,
  Summary,
} from "../experiment/observer.ts";
import { harmlessLine } from "./printable.ts";
import { playerRows } from "./report/results.ts";
import { rewardSum } from "./report/reward_words.ts";
import { SERIES, valueOf } from "./report/series.ts";
import {
  barStream,
  clip,
  clipStart,
  cutMark,
  deviceWords,
  duration,
  joinedLines,
  paint,
  printable,
  short,
  type Terminal,
} from "./terminal.ts";
import { wrap } from "./wrap.ts";

// The library reads it whenever it makes a bar; where the terminal is gone by then, the first time throws.
void process.stderr;

const LINES = 20; // log lines of a whole run
const QUIET_SECONDS = 30; // never silent for longer than this
/** Columns of the progress table, with their widths, and which of them a narrow terminal goes without. */
const COLUMNS = [
  ["step", 6],
  ["reward", 8],
  ["", 1],
  ["KL", 9],
  ["entropy", 9],
  ["clipped", 9],
  ["tok/s", 8],
  ["left", 9],
] as const;
const LEFT_OUT = ["tok/s", "clipped", "entropy", "KL"]; // the first ones first
const WIDE = widthOf(COLUMNS);

/** How long steps take, and when a line is due. */
export class Pace {
  readonly every: number;
  #started = false;
  #recent: number[] = []; // seconds of the last steps
  #lastStep: number;
  #lastLine: number;

  constructor(readonly steps: number, readonly now: () => number) {
    this.every = Math.max(1, Math.ceil(steps / LINES));
    this.#lastStep = this.#lastLine = now();
  }

  /** Time that passed outside of steps is not counted. */
  skip(): void {
    this.#lastStep = this.now();
  }

  /** Notes a finished step: seconds per step, time left, and whether a line should be printed. */
  tick(step: number): { seconds: number; left: string; due: boolean } {
    const now = this.now();
    const first = !this.#started;
    // The first step compiles shaders and is left out.
    if (this.#started) this.#recent.push(now - this.#lastStep);
    this.#started = true;
    if (this.#recent.length > LINES) this.#recent.shift();
    this.#lastStep = now;
    const seconds = median(this.#recent);
    const due = first || step === this.steps || step % this.every === 0 ||
      now - this.#lastLine >= QUIET_SECONDS;
    if (due) this.#lastLine = now;
    return { seconds, left: duration((this.steps - step) * seconds), due };
  }
}

/** A bar at the foot of a fancy terminal, with lines above it; only lines elsewhere. */
export class Bar {
  #bars: cliProgress.MultiBar | undefined;
  #bar: cliProgress.SingleBar | undefined;
  constructor(
    readonly terminal: Terminal,
    readonly format: string = "  {bar} {value}/{total}  left {left}",
  ) {}

  open(steps: number, from: number): void {
    if (!this.terminal.fancy) return;
    this.#bars = new cliProgress.MultiBar({
      format: this.format,
      barCompleteChar: "━",
      barIncompleteChar: "─",
      barsize: Math.max(5, Math.min(40, this.terminal.columns - 30)),
      hideCursor: false, // a second Ctrl-C would leave it hidden
      clearOnComplete: true,
      stream: barStream,
      gracefulExit: false, // signals are the command's business
    });
    this.#bar = this.#bars.create(steps, from, { left: "-" });
  }

  update(step: number, left: string): void {
    this.#bar?.update(step, { left });
  }

  say(line: string): void {
    const safe = harmlessLine(line, this.terminal);
    if (this.#bars) this.#bars.log(`${safe}\n`);
    else this.terminal.err(safe);
  }

  /** Takes the bar off the terminal. */
  close(): void {
    this.#bars?.update(); // prints what `say` was given since it was drawn last: `stop` would lose it
    this.#bars?.stop();
    this.#bars = this.#bar = undefined;
  }
}

/** Prints progress; `folder` names the run's folder once it is known. */
export class Progress implements RunObserver {
  #pace: Pace | undefined;
  #lastReward = NaN;
  #columns: Columns = [];
  #bar: Bar;

  constructor(
    readonly terminal: Terminal,
    readonly folder: () => string,
    readonly now: () => number = () => performance.now() / 1000,
  ) {
    this.#bar = new Bar(terminal);
  }

  start(info: RunInfo): void {
    const { terminal } = this;
    this.#pace = new Pace(info.steps, this.now);
    const dot = terminal.fancy ? "·" : "-";
    const parts = [
      paint(terminal, "bold", info.task),
      `${info.algorithm} (${rewardSum(info, terminal.fancy)})`,
      info.model,
      `seed ${info.seed}`,
      deviceWords(info.device),
      this.folder(),
    ];
    for (const line of joinedLines(parts, ` ${dot} `, terminal.columns)) this.say(line);
  }

  notice(text: string): void {
    for (const line of wrap(printable(text), this.terminal.columns)) {
      this.say(paint(this.terminal, "dim", line));
    }
    this.#pace?.skip();
  }

  /** Prints a line above the bar. */
  say(line: string): void {
    this.#bar.say(line);
  }

  step({ step, metrics, completions }: StepReport): void {
    const pace = this.#pace ??= new Pace(step, this.now);
    const columns = columnsIn(this.terminal.columns), first = this.#columns.length === 0;
    if (first) this.#explain();
    if (columns.length !== this.#columns.length) { // the first step, or the window is another
      this.#columns = columns;
      const names = Object.fromEntries(columns.map(([name]) => [name, name]));
      this.#bar.say(paint(this.terminal, "dim", row(columns, names)));
    }
    if (first) this.#bar.open(pace.steps, step - 1);
    const { seconds, left, due } = pace.tick(step);
    this.#bar.update(step, left);
    if (!due) return;
    this.#line(step, metrics, tokensOf(metrics, completions.length) / seconds, left);
    for (const row of bestAndWorst(completions)) {
      for (const line of this.#shown(row)) this.#bar.say(line);
    }
  }

  /** Says once what the signs of the lines below it mean. */
  #explain(): void {
    const { terminal } = this, [up, down, same] = signs(terminal);
    const words =
      `${up} ${down} ${same} reward since the line before; below it the step's best and ` +
      `worst completion, ${cutMark(terminal.fancy)} cut`;
    for (const line of wrap(words, terminal.columns)) this.#bar.say(paint(terminal, "dim", line));
  }

  /** Says what came of held-out prompts on the way. */
  evaluation(
    { phase }: Phase,
    _completions: readonly CompletionRow[],
    report?: EvaluationReport,
  ): void {
    if (phase === "during" && report) {
      const { step, exact, reward, isBest } = report;
      const parts = [
        `${String(step).padStart(6)} held-out exact ${short(exact)}`,
        `reward ${short(reward)}`,
        ...(isBest ? [paint(this.terminal, "green", "the best so far")] : []),
      ];
      for (const line of joinedLines(parts, ", ", this.terminal.columns)) this.say(line);
    }
    this.#pace?.skip();
  }

  /** Says what a policy must earn to be more than them. */
  players(players: Players): void {
    const rows = playerRows({ players });
    const parts = [
      "without a model:",
      ...rows.map(({ name, result }, i) =>
        `${name} ${short(result.reward)}${i < rows.length - 1 ? "," : ""}`
      ),
    ];
    for (const line of joinedLines(parts, " ", this.terminal.columns)) this.say(line);
    this.#pace?.skip();
  }

  checkpoint(): Promise<void> {
    return Promise.resolve();
  }

  end(_summary: Summary): void {
    this.close();
  }

  /** Takes the bar off the terminal. */
  close(): void {
    this.#bar.close();
  }

  #line(step: number, metrics: Readonly<Record<string, number>>, speed: number, left: string) {
    const { terminal } = this;
    const reward = valueOf(SERIES.reward, metrics);
    const change = reward - this.#lastReward;
    const [up, down, same] = signs(terminal);
    const sign = change > 0 ? up : change < 0 ? down : change === 0 ? same : " ";
    const arrow = change > 0
      ? paint(terminal, "green", sign)
      : change < 0
      ? paint(terminal, "red", sign)
      : sign;
    this.#lastReward = reward;
    const cells = {
      step: String(step),
      reward: short(reward),
      "": sign,
      KL: short(valueOf(SERIES.kl, metrics)),
      entropy: short(valueOf(SERIES.entropy, metrics)),
      clipped: percent(valueOf(SERIES.clipped, metrics)),
      "tok/s": Number.isFinite(speed) ? String(Math.round(speed)) : "-",
      left,
    };
    const line = row(this.#columns, cells);
    this.#bar.say(change === 0 || Number.isNaN(change) ? line : line.replace(sign, arrow));
  }

  /** A completion with its prompt and reward: in one line, or in two where the terminal is narrow. */
  #shown(row: CompletionRow): string[] {
    const { fancy, columns } = this.terminal, arrow = fancy ? "→" : "->";
    const prompt = printable(row.prompt), said = printable(row.completion);
    const reward = short(row.reward).padStart(7);
    if (columns < WIDE) {
      const width = Math.max(8, columns - 16); // beside margin, arrow and reward
      return [
        `  ${clipStart(prompt, columns - 3, fancy)}`,
        `    ${arrow} ${clip(said, width, fancy).padEnd(width)} ${reward}`,
      ];
    }
    const width = Math.max(20, Math.min(44, Math.floor((columns - 28) / 2)));
    return [
      `         ${clipStart(prompt, width, fancy).padStart(width)} ${arrow} ` +
      `${clip(said, width, fancy).padEnd(width)} ${reward}`,
    ];
  }
}

/** Tokens of prompts and responses in one step; NaN where the metrics do not say. */
export function tokensOf(metrics: Readonly<Record<string, number>>, completions: number): number {
  return completions * (metrics["tokens/queries_len_mean"] + metrics["tokens/responses_len_mean"]);
}

/** The completions of highest and of lowest reward: fewer where there are fewer. */
export function bestAndWorst(completions: readonly CompletionRow[]): CompletionRow[] {
  const scored = completions.filter((row) => row.reward !== null);
  if (scored.length < 2) return completions.slice(0, 2);
  const sorted = [...scored].sort((a, b) => b.reward! - a.reward!);
  return [sorted[0], sorted.at(-1)!];
}

/** Signs of a reward that rose, fell, and stayed. */
const signs = ({ fancy }: Terminal): string[] => fancy ? ["▲", "▼", "="] : ["^", "v", "="];

type Columns = readonly (readonly [name: string, width: number])[];

/** Characters of a line with these columns. */
function widthOf(columns: Columns): number {
  return columns.reduce((sum, [, width]) => sum + width + 1, -1);
}

/** The columns that a terminal of this width has room for. */
function columnsIn(width: number): Columns {
  let chosen: Columns = COLUMNS;
  for (const name of LEFT_OUT) {
    if (widthOf(chosen) <= width) break;
    chosen = chosen.filter(([other]) => other !== name);
  }
  return chosen;
}

/** Cells flush right in columns of fixed width. */
function row(columns: Columns, cells: Readonly<Record<string, string>>): string {
  return columns.map(([name, width]) => cells[name].padStart(width)).join(" ");
}

const percent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : "-";

function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
