/** What a training run tells whoever watches it: the run folder, the terminal, a test. @module */
import type { ModelSource } from "./models.ts";

/** Greedy answers of the policy on one split. */
export interface SplitResult {
  /** Mean of the `exact` reward over greedy completions, 0 to 1. */
  exact: number;
  /** Mean of the trained reward over greedy completions. */
  reward: number;
}

/** What `summary.json` and `--json` hold. */
export interface Summary {
  task: string;
  algorithm: string;
  rewards: string[];
  model: string;
  seed: number;
  steps: number;
  device: { kind: string; name: string };
  /** Wall-clock of the whole run. */
  seconds: number;
  /** Tokens (prompt and response) through training, per second of training time. */
  tokensPerSecond: number;
  train: { before: SplitResult; after: SplitResult };
  heldout: { before: SplitResult; after: SplitResult };
}

/** One completion, as kept in `completions.csv`. */
export interface CompletionRow {
  step: number;
  /** "train" for rollouts, "before:train", "after:heldout", … for evaluations. */
  phase: string;
  id: string;
  prompt: string;
  completion: string;
  answer: string;
  /** Total trained reward; null where no reward could judge. */
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
  seed: number;
  steps: number;
  device: { kind: string; name: string; software: boolean };
  /** The whole resolved configuration; enough to repeat the run. */
  config: Record<string, unknown>;
}

/** Watches a run. Calls come in order; a promise is awaited, so that what it writes is on disk. */
export interface RunObserver {
  start(info: RunInfo): void | Promise<void>;
  /** A slow phase without steps began, e.g. "evaluating before training". */
  phase?(text: string): void;
  /** One finished step: `metrics` by name (always the same names, in the same order). */
  step(
    step: number,
    metrics: Readonly<Record<string, number>>,
    completions: readonly CompletionRow[],
  ): void | Promise<void>;
  /** Greedy completions of one split, before or after training. */
  evaluation(phase: string, completions: readonly CompletionRow[]): void | Promise<void>;
  /** Writes `checkpoints/step-N` by calling `write(folder)` on a temporary name, then renames it. */
  checkpoint(step: number, write: (folder: string) => Promise<void>): Promise<void>;
  end(summary: Summary): void | Promise<void>;
}
