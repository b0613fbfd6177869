/** What the commands run: functions that `main` is given, so that this folder trains nothing itself. @module */
import type { CompletionRequest } from "../experiment/complete.ts";
import type { ExportFacts, ExportRequest } from "../experiment/export.ts";
import type { RunObserver, Summary } from "../experiment/observer.ts";
import type { PlannedRun } from "../experiment/plan.ts";
import type { PretrainStep } from "../experiment/pretraining/pretrain.ts";
import type { TrainSettings } from "./options.ts";

/** A name that can be asked for, with one line about it. */
export interface Entry {
  name: string;
  doc: string;
}

/** What `train --list` shows, and what names are checked against. */
export interface Catalogue {
  tasks: readonly Entry[];
  algorithms: readonly Entry[];
  rewards: readonly Entry[];
  presets: readonly Entry[];
}

/** A training run as asked for; plain JSON, kept in config.json. */
export interface TrainRequest {
  task: string;
  algorithm: string;
  /** Absent: the task's own. */
  rewards?: { name: string; weight: number }[];
  model: string;
  preset?: string;
  /** Absent: the task's own. */
  steps?: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  /** GiB of device memory that it may take. Absent: what is free, where that is known. */
  memory?: number;
  /** Steps between checkpoints. */
  saveEvery: number;
  /** Those that were given; the others keep the task's value. */
  settings: Partial<TrainSettings>;
  /** Go on from this checkpoint, which `RunObserver.checkpoint` wrote after `step` steps. */
  resume?: { checkpoint: string; step: number };
}

/**
 * Trains. On resume: `start` is called, evaluations before training are not repeated. When `signal` is
 * aborted: finishes the step, calls `observer.checkpoint`, and throws `signal.reason`.
 */
export type TrainTask = (
  request: TrainRequest,
  observer: RunObserver,
  signal: AbortSignal,
) => Promise<Summary>;

/** Says what device memory the run would take. Allocates nothing. */
export type PlanTask = (request: TrainRequest) => Promise<PlannedRun>;

/** What to complete. */
export type GenerateRequest = CompletionRequest;

/** Gives `samples` completions, without the prompt; `report` receives their pieces as they come. */
export type GenerateText = (
  request: GenerateRequest,
  report?: (text: string, row: number) => void,
) => Promise<string[]>;

/** How to make the default model. */
export interface PretrainRequest {
  /** Absent, as the next two: the recipe's own. */
  steps?: number;
  batch?: number;
  learningRate?: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  /** Where the model is written. */
  out: string;
  resume: boolean;
}

/**
 * Pretrains; gives what is printed at the end. When `signal` is aborted: finishes the update, saves a
 * checkpoint into `out`, and throws `signal.reason`.
 */
export type PretrainModel = (
  request: PretrainRequest,
  report: (step: PretrainStep) => void,
  signal: AbortSignal,
) => Promise<Record<string, string | number>>;

/** Writes a model as a folder for transformers. */
export type ExportModel = (request: ExportRequest) => Promise<ExportFacts>;

/** How far the download of one file is, in bytes. */
export interface FetchProgress {
  file: string;
  done: number;
  size: number;
}

/** Downloads a model of the hub; gives where it is, and one line for people. */
export type FetchModel = (
  model: string,
  report: (progress: FetchProgress) => void,
) => Promise<{ folder: string; commit: string; endpoint: string; line: string }>;

/** Loaders: what a command does not need is not loaded. */
export interface Programs {
  catalogue(): Promise<Catalogue>;
  train(): Promise<TrainTask>;
  plan(): Promise<PlanTask>;
  generate(): Promise<GenerateText>;
  export(): Promise<ExportModel>;
  pretrain(): Promise<PretrainModel>;
  fetch(): Promise<FetchModel>;
}
