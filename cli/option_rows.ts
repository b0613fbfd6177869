/** The rows of every command's flags. @module */
import type { Option, Table } from "./options.ts";

/** Flags of `train`. */
export interface TrainFlags {
  algorithm: string;
  reward?: string;
  model: string;
  preset?: string;
  steps?: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  memory?: number;
  "save-every": number;
  out?: string;
  resume?: string | true;
  list: boolean;
  plan: boolean;
  json: boolean;
  quiet: boolean;
}

/** Flags of `generate`. */
export interface GenerateFlags {
  model: string;
  tokens: number;
  temperature: number;
  "top-k": number;
  "top-p": number;
  "min-p": number;
  "repetition-penalty": number;
  stop?: string;
  samples: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  memory?: number;
  json: boolean;
}

/** Flags of `fetch`. */
export interface FetchFlags {
  json: boolean;
  quiet: boolean;
}

/** Flags of `export`. */
export interface ExportFlags {
  out?: string;
  dtype: "f32" | "f16";
  checkpoint?: number;
  "value-head": boolean;
  force: boolean;
  json: boolean;
}

/** Flags of `pretrain`. */
export interface PretrainFlags {
  steps?: number;
  batch?: number;
  "learning-rate"?: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  out: string;
  resume: boolean;
  json: boolean;
  quiet: boolean;
}

/** Flags of `doctor`. */
export interface DoctorFlags {
  json: boolean;
}

const SEED: Option = {
  kind: "integer",
  default: 1,
  min: 0,
  max: 4294967295,
  doc: "Key of every random number: the same seed on the same device gives the same metrics.csv",
  group: "Run",
};
const DEVICE: Option = {
  kind: "choice",
  default: "auto",
  choices: ["auto", "webgpu", "cpu"],
  doc: "Where kernels run; auto takes a hardware adapter, else a software one, else the CPU twins",
  group: "Run",
};
const MEMORY: Option = {
  kind: "number",
  otherwise: "what is free, less 0.5 GiB, where the processor computes; else unknown",
  unit: "GiB",
  min: 0,
  above: true,
  doc: "Most device memory to take: a run that needs more is refused before it begins",
  group: "Run",
};
const JSON_FLAG: Option = {
  kind: "boolean",
  default: false,
  doc: "Print one JSON object as the last line of standard output; words go to standard error",
  group: "Output",
};
const QUIET: Option = {
  kind: "boolean",
  default: false,
  doc: "No progress, only the closing lines",
  group: "Output",
};
const MODEL: Option = {
  kind: "text",
  default: "tiny",
  unit: "tiny, a folder, or a fetched OWNER/NAME[@REVISION]",
  doc: "Model to start from, as Hugging Face keeps it; tiny ships with the repository",
  group: "What to train",
};

/** Rows of `train`'s flags. */
export const TRAIN_FLAGS: Table<TrainFlags> = {
  algorithm: {
    kind: "text",
    default: "ppo",
    from: "algorithms",
    doc: "Reinforcement learning algorithm",
    group: "What to train",
  },
  reward: {
    kind: "text",
    otherwise: "the task's own",
    unit: "NAME[:WEIGHT],...",
    doc: "Rewards that are summed, each with its weight (1 where absent)",
    group: "What to train",
  },
  model: MODEL,
  preset: {
    kind: "text",
    otherwise: "none",
    from: "presets",
    doc: "Named set of settings; settings given beside it win",
    group: "What to train",
  },
  steps: {
    kind: "integer",
    otherwise: "the task's own",
    unit: "steps",
    min: 1,
    max: 1_000_000,
    doc: "Training steps; one step is one batch of completions and its updates",
    group: "Run",
  },
  seed: SEED,
  device: DEVICE,
  memory: MEMORY,
  "save-every": {
    kind: "integer",
    default: 20,
    unit: "steps",
    min: 1,
    max: 1_000_000,
    doc: "Steps between checkpoints; the last 3 are kept",
    group: "Run",
  },
  out: {
    kind: "text",
    otherwise: "runs/TASK-ALGORITHM-SEED-TIME",
    unit: "folder",
    doc: "Run folder to create",
    group: "Output",
  },
  resume: {
    kind: "text",
    bare: true,
    otherwise: "start anew",
    unit: "run folder",
    doc: "Go on from a run's last checkpoint; without a folder, the newest unfinished run",
    group: "Run",
  },
  list: {
    kind: "boolean",
    default: false,
    doc: "List tasks, algorithms, rewards and presets, and stop",
    group: "Output",
  },
  plan: {
    kind: "boolean",
    default: false,
    doc: "Print what device memory the run would take, and stop; needs no weights",
    group: "Output",
  },
  json: JSON_FLAG,
  quiet: QUIET,
};

/** Rows of `generate`'s flags. */
export const GENERATE_FLAGS: Table<GenerateFlags> = {
  model: { ...MODEL, doc: "Model to ask; a run's checkpoints are folders too" },
  tokens: {
    kind: "integer",
    default: 32,
    unit: "tokens",
    min: 1,
    max: 1024,
    doc: "Longest completion, end-of-text included",
    group: "Sampling",
  },
  temperature: {
    kind: "number",
    default: 0,
    unit: "0 = most probable token",
    min: 0,
    max: 10,
    doc: "Divides the logits before a token is drawn",
    group: "Sampling",
  },
  "top-k": {
    kind: "integer",
    default: 0,
    unit: "tokens, 0 = all",
    min: 0,
    max: 4294967295,
    doc: "Draws from so many of the most probable tokens",
    group: "Sampling",
  },
  "top-p": {
    kind: "number",
    default: 1,
    unit: "share, 1 = all",
    min: 0,
    max: 1,
    doc: "Draws from the most probable tokens that together hold this share of the probability",
    group: "Sampling",
  },
  "min-p": {
    kind: "number",
    default: 0,
    unit: "share, 0 = all",
    min: 0,
    max: 1,
    doc: "Draws from tokens at least this share as probable as the best one",
    group: "Sampling",
  },
  "repetition-penalty": {
    kind: "number",
    default: 1,
    unit: "1 = none",
    min: 0,
    above: true,
    max: 100,
    usual: "1 to 1.5",
    doc: "Makes tokens that the prompt or the completion has already less probable",
    group: "Sampling",
  },
  stop: {
    kind: "text",
    otherwise: "end-of-text alone",
    unit: "text",
    doc: "Ends a completion where this text comes, and leaves it out",
    group: "Sampling",
  },
  samples: {
    kind: "integer",
    default: 1,
    unit: "completions",
    min: 1,
    max: 1024,
    doc: "Completions per prompt",
    group: "Sampling",
  },
  seed: { ...SEED, doc: "Key of the random numbers" },
  device: DEVICE,
  memory: MEMORY,
  json: JSON_FLAG,
};

/** Rows of `fetch`'s flags. */
export const FETCH_FLAGS: Table<FetchFlags> = { json: JSON_FLAG, quiet: QUIET };

/** Rows of `export`'s flags. */
export const EXPORT_FLAGS: Table<ExportFlags> = {
  out: {
    kind: "text",
    otherwise: "exports/NAME",
    unit: "folder",
    doc: "Folder to create",
    group: "Output",
  },
  dtype: {
    kind: "choice",
    choices: ["f32", "f16"],
    default: "f32",
    doc: "Element type of the weights; f16 halves the file and rounds to 11 bits",
    group: "What to export",
  },
  checkpoint: {
    kind: "integer",
    otherwise: "the run's last",
    unit: "step",
    min: 0,
    max: 1_000_000,
    doc: "Checkpoint of the run to take",
    group: "What to export",
  },
  "value-head": {
    kind: "boolean",
    default: false,
    doc: "Keep the value head, under TRL's names; transformers alone says that it does not use it",
    group: "What to export",
  },
  force: {
    kind: "boolean",
    default: false,
    doc: "Replace a folder that export wrote before",
    group: "Output",
  },
  json: JSON_FLAG,
};

/** Rows of `pretrain`'s flags. */
export const PRETRAIN_FLAGS: Table<PretrainFlags> = {
  steps: {
    kind: "integer",
    otherwise: "the recipe's own",
    unit: "updates",
    min: 1,
    max: 10_000_000,
    doc: "AdamW updates",
    group: "Run",
  },
  batch: {
    kind: "integer",
    otherwise: "the recipe's own",
    unit: "rows",
    min: 1,
    max: 65536,
    doc: "Rows of text per update",
    group: "Run",
  },
  "learning-rate": {
    kind: "number",
    otherwise: "the recipe's own",
    unit: "per update",
    min: 1e-8,
    max: 1e-1,
    doc: "Peak AdamW learning rate",
    group: "Run",
  },
  seed: SEED,
  device: DEVICE,
  out: {
    kind: "text",
    default: "runs/tiny",
    unit: "folder",
    doc: "Where the model is written",
    group: "Output",
  },
  resume: {
    kind: "boolean",
    default: false,
    doc: "Go on from the last checkpoint in the folder",
    group: "Run",
  },
  json: JSON_FLAG,
  quiet: QUIET,
};

/** Rows of `doctor`'s flags. */
export const DOCTOR_FLAGS: Table<DoctorFlags> = { json: JSON_FLAG };
