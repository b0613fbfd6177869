/** What the terminal shows while a run goes on: a bar, a line now and then, two completions each. @module */
import cliProgress from "cli-progress";
import process from "node:process";
import type { CompletionRow, RunInfo, RunObserver, Summary } from "../tasks/observer.ts";
import { SERIES, valueOf } from "./series.ts";
import { clip, duration, paint, printable, short, type Terminal } from "./terminal.ts";

const LINES = 20; // log lines of a whole run
const QUIET_SECONDS = 30; // never silent for longer than this
const HEAD = "  step   reward          KL   entropy   clipped   tok/s      left";

/** Prints progress; `folder` names the run's folder once it is known. */
export class Progress implements RunObserver {
  #steps = 0;
  #from = 0;
  #every = 1;
  #lastLine = 0;
  #lastStep = 0;
  #lastReward = NaN;
  #recent: number[] = []; // seconds of the last steps
  #bars: cliProgress.MultiBar | undefined;
  #bar: cliProgress.SingleBar | undefined;

  constructor(
    readonly terminal: Terminal,
    readonly folder: () => string,
    readonly now: () => number = () => performance.now() / 1000,
  ) {}

  start(info: RunInfo): void {
    const { terminal } = this;
    this.#steps = info.steps;
    this.#every = Math.max(1, Math.ceil(info.steps / LINES));
    this.#lastLine = this.#lastStep = this.now();
    const dot = terminal.fancy ? "·" : "-";
    const kind = info.device.software ? `${info.device.kind}, software` : info.device.kind;
    this.#say(
      [
        paint(terminal, "bold", info.task),
        `${info.algorithm} (${info.rewards.join(" + ")})`,
        info.model,
        `seed ${info.seed}`,
        `${info.device.name} (${kind})`,
        this.folder(),
      ].join(` ${dot} `),
    );
  }

  phase(text: string): void {
    this.#say(paint(this.terminal, "dim", printable(text)));
    this.#lastStep = this.now(); // the time of a phase is no time of a step
  }

  step(
    step: number,
    metrics: Readonly<Record<string, number>>,
    completions: readonly CompletionRow[],
  ): void {
    const now = this.now();
    const first = this.#from === 0;
    if (first) this.#open(step);
    else this.#recent.push(now - this.#lastStep); // the first step compiles shaders: left out
    if (this.#recent.length > LINES) this.#recent.shift();
    this.#lastStep = now;
    const seconds = median(this.#recent);
    const left = duration((this.#steps - step) * seconds);
    const speed = tokensOf(metrics, completions.length) / seconds;
    this.#bar?.update(step, { left });
    const due = first || step === this.#steps || step % this.#every === 0;
    if (!due && now - this.#lastLine < QUIET_SECONDS) return;
    this.#lastLine = now;
    this.#line(step, metrics, speed, left);
    for (const row of bestAndWorst(completions)) this.#say(this.#shown(row));
  }

  evaluation(): void {
    this.#lastStep = this.now();
  }

  checkpoint(): Promise<void> {
    return Promise.resolve();
  }

  end(_summary: Summary): void {
    this.close();
  }

  /** Takes the bar off the terminal. */
  close(): void {
    this.#bars?.stop();
    this.#bars = this.#bar = undefined;
  }

  #open(step: number): void {
    this.#from = step;
    this.#say(paint(this.terminal, "dim", HEAD));
    if (!this.terminal.fancy) return;
    this.#bars = new cliProgress.MultiBar({
      format: "  {bar} {value}/{total}  left {left}",
      barCompleteChar: "━",
      barIncompleteChar: "─",
      barsize: 40,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      gracefulExit: false, // signals are the command's business
    });
    this.#bar = this.#bars.create(this.#steps, step - 1, { left: "-" });
  }

  #line(step: number, metrics: Readonly<Record<string, number>>, speed: number, left: string) {
    const { terminal } = this;
    const reward = valueOf(SERIES.reward, metrics);
    const change = reward - this.#lastReward;
    const [up, down, same] = terminal.fancy ? ["▲", "▼", "="] : ["^", "v", "="];
    const sign = change > 0 ? up : change < 0 ? down : change === 0 ? same : " ";
    const arrow = change > 0
      ? paint(terminal, "green", sign)
      : change < 0
      ? paint(terminal, "red", sign)
      : sign;
    this.#lastReward = reward;
    this.#say([
      String(step).padStart(6),
      `${short(reward).padStart(8)} ${arrow}`,
      short(valueOf(SERIES.kl, metrics)).padStart(10),
      short(valueOf(SERIES.entropy, metrics)).padStart(9),
      percent(valueOf(SERIES.clipped, metrics)).padStart(9),
      (Number.isFinite(speed) ? String(Math.round(speed)) : "-").padStart(7),
      left.padStart(9),
    ].join(" "));
  }

  #shown(row: CompletionRow): string {
    const { fancy } = this.terminal;
    const cell = (text: string, width: number) => clip(printable(text), width, fancy).padEnd(width);
    const width = Math.max(20, Math.min(44, Math.floor((this.terminal.columns - 28) / 2)));
    const arrow = fancy ? "→" : "->";
    return `         ${cell(row.prompt, width)} ${arrow} ${cell(row.completion, width)} ${
      short(row.reward).padStart(7)
    }`;
  }

  #say(line: string): void {
    if (this.#bars) this.#bars.log(`${line}\n`);
    else this.terminal.err(line);
  }
}

/** Tokens of prompts and responses in one step; NaN where the metrics do not say. */
export function tokensOf(metrics: Readonly<Record<string, number>>, completions: number): number {
  return completions * (metrics["tokens/queries_len_mean"] + metrics["tokens/responses_len_mean"]);
}

/** The completions of highest and of lowest reward: fewer where there are fewer. */
export function bestAndWorst(completions: readonly CompletionRow[]): CompletionRow[] {
  const judged = completions.filter((row) => row.reward !== null);
  if (judged.length < 2) return completions.slice(0, 2);
  const sorted = [...judged].sort((a, b) => b.reward! - a.reward!);
  return [sorted[0], sorted.at(-1)!];
}

const percent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : "-";

function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
