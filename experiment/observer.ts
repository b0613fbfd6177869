/** What a training run tells whoever watches it: the run folder, the terminal, a test. @module */
import type { Tuning } from "../kernels/tuning.ts";
import type { ModelSource } from "../model/hub/find_model.ts";
import type { StepTimings } from "../rl/trainer.ts";
import type { DataSource } from "../tasks/task.ts";

/** Which of a task's prompts. */
export type Split = "train" | "heldout";

/** When completions were drawn: `train` are rollouts; before, during and after it are greedy answers. */
export interface Phase {
  readonly phase: "before" | "train" | "during" | "after";
  readonly split: Split;
}

/** A phase as `completions.csv` has it: `train`, `before:heldout`, …. */
export const phaseText = ({ phase, split }: Phase): string =>
  phase === "train" ? phase : `${phase}:${split}`;

/** What `phaseText` was given. @throws {TypeError} for another text */
export function parsePhase(text: string): Phase {
  const [, phase, split] = /^(before|during|after):(train|heldout)$/.exec(text) ?? [];
  if (phase) return { phase: phase as Phase["phase"], split: split as Split };
  if (text === "train") return { phase: "train", split: "train" };
  throw new TypeError(
    `Cannot tell the phase ${
      JSON.stringify(text)
    } as it must be train, or before, during or after, a colon, ` +
      "and train or heldout",
  );
}

/** A file, and the SHA-256 of its bytes in hexadecimal digits. */
export interface OwnFile {
  /** As it was given. */
  readonly path: string;
  readonly sha256: string;
}

/** Greedy answers of the policy on one split. */
export interface SplitResult {
  /** Mean of the `exact` reward over greedy completions, 0 to 1. */
  exact: number;
  /** Mean of the trained reward over greedy completions. */
  reward: number;
  /** Mean of the task's own measure, where it has one. */
  measure?: number;
}

/** What players that learn nothing earn on held-out prompts: means, as those of a policy. */
export interface Players {
  /** Held-out prompts that they played: all, or as many as may be scored. */
  prompts: number;
  /** Says the last word of what is asked about. */
  copy: SplitResult;
  /**
   * Says one of the answers of training, whatever the prompt: of those `tried`, the most frequent ones, that
   * which earned most on training prompts. Absent where there are no answers.
   */
  constant?: SplitResult & {
    answer: string;
    tried: { answers: number; of: number; prompts: number };
  };
  /** Says nothing. */
  nothing: SplitResult;
}

/** One evaluation: means over greedy answers to one split. */
export interface EvaluationReport extends SplitResult {
  /** Steps done. */
  step: number;
  /** Mean length of an answer, tokens, EOS included. */
  tokens: number;
  /** Whether held-out answers were the best so far; absent where a run asks only before and after. */
  isBest?: boolean;
}

/** The best held-out answers of a run, and the step after which the policy gave them. */
export interface Best extends SplitResult {
  step: number;
}

/** What `summary.json` and `--json` hold. */
export interface Summary {
  task: string;
  algorithm: string;
  rewards: string[];
  /** What each counts in the reward; absent in runs of earlier versions. */
  rewardWeights?: Readonly<Record<string, number>>;
  model: string;
  seed: number;
  /** Steps done. */
  steps: number;
  device: { kind: string; name: string };
  /** Wall-clock of the whole run. */
  seconds: number;
  /** Tokens (prompt and response) through training, per second of training time. */
  tokensPerSecond: number;
  train: { before: SplitResult; after: SplitResult };
  heldout: { before: SplitResult; after: SplitResult };
  /** The best held-out answers and when they were given; absent where only before and after were asked. */
  best?: Best;
  /** Evaluations that were no better than it, after which the run ended before its steps; absent: it did not. */
  stoppedAfter?: number;
  /** Absent without held-out prompts, where they are not asked for, and in runs of earlier versions. */
  players?: Players;
  /** Name of the reward that is the task's own measure; absent where that is `exact`. */
  measure?: string;
}

/** One completion, as kept in `completions.csv`. */
export interface CompletionRow extends Phase {
  step: number;
  id: string;
  prompt: string;
  completion: string;
  answer: string;
  /** Total trained reward; null where no reward could score. */
  reward: number | null;
  /** Each reward by name. */
  scores: Record<string, number | null>;
}

/** Everything resolved about a run before its first step. */
export interface RunInfo {
  task: string;
  algorithm: string;
  rewards: string[];
  /** What each reward counts in their sum. */
  weights: Readonly<Record<string, number>>;
  model: string;
  /** What the model's name stood for. */
  source: ModelSource;
  /** Its sizes, by name. */
  shape: Readonly<Record<string, number>>;
  /** SHA-256 of the task's examples. */
  data: string;
  seed: number;
  steps: number;
  /** `tuning`: choices of kernels other than built in. */
  device: { kind: string; name: string; software: boolean; tuning?: Tuning };
  /** The whole resolved configuration; enough to repeat the run. */
  config: Record<string, unknown>;
  /** Files of the user's own, where task or rewards came from some. */
  files?: RunFiles;
  /** What the task read, where that is anything. */
  dataFiles?: readonly DataSource[];
  /** What tells the networks and word vectors that rewards read from others, by name; absent without any. */
  rewardSources?: Readonly<Record<string, string>>;
}

/** Files of a user's own, as they were when the run was opened. */
export interface RunFiles {
  task?: OwnFile;
  rewards?: readonly OwnFile[];
}

/** One finished step. */
export interface StepReport {
  /** Counted from 1. */
  step: number;
  /** By name: always the same names, in the same order. */
  metrics: Readonly<Record<string, number>>;
  completions: readonly CompletionRow[];
  timings: StepTimings;
}

/** Watches a run. Calls come in order; a promise is awaited, so that what it writes is on disk. */
export interface RunObserver {
  start(info: RunInfo): void | Promise<void>;
  /** What people should know: something slow without steps began, an update is skipped. */
  notice?(text: string): void;
  step(report: StepReport): void | Promise<void>;
  /** Greedy completions of one split, before, during or after training, with their means. */
  evaluation(
    phase: Phase,
    completions: readonly CompletionRow[],
    report?: EvaluationReport,
  ): void | Promise<void>;
  /** What players that learn nothing earn: before the first step, and again where a run is resumed. */
  players?(players: Players): void | Promise<void>;
  /**
   * Writes `checkpoints/step-N` by calling `write(folder)` on a temporary name, then renames it. The
   * checkpoint of the step `best` is kept.
   */
  checkpoint(
    step: number,
    write: (folder: string) => Promise<void>,
    best?: number,
  ): Promise<void>;
  end(summary: Summary): void | Promise<void>;
}
