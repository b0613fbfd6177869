/**
 * The one table of options. Help, validation, suggestions and docs/options.md are all made from it;
 * the mapped type `Table` makes the compiler ask for a row for every field.
 * @module
 */
import { PPO_OPTIONS, type PpoConfig } from "../rl/config.ts";
import type { TaskSettings } from "../tasks/task.ts";
import {
  DOCTOR_FLAGS,
  EXPORT_FLAGS,
  FETCH_FLAGS,
  GENERATE_FLAGS,
  PRETRAIN_FLAGS,
  TRAIN_FLAGS,
} from "./option_rows.ts";

/** Values that an option can take. */
export type OptionValue = string | number | boolean;

/** One row: everything that is known about an option. */
export interface Option {
  readonly kind: "integer" | "number" | "boolean" | "text" | "choice";
  /** Used where the option is not given. */
  readonly default?: OptionValue;
  /** Says in words what happens where the option is not given and there is no fixed default. */
  readonly otherwise?: string;
  readonly unit?: string;
  /** Least value; allowed unless `above`. */
  readonly min?: number;
  /** True where `min` itself is not allowed. */
  readonly above?: boolean;
  /** Greatest value, allowed. */
  readonly max?: number;
  /** What people use. */
  readonly usual?: string;
  readonly choices?: readonly string[];
  /** Catalogue list that names the valid values. */
  readonly from?: "tasks" | "algorithms" | "presets";
  /** True for a text flag whose value may be left out. */
  readonly bare?: boolean;
  readonly doc: string;
  readonly group: string;
}

/** A row for every field of `T`. */
export type Table<T> = { readonly [K in keyof T]-?: Option };

/** `key=value` settings of `train`; those that are not given keep the task's value. */
export type TrainSettings = TaskSettings;

const GROUPS: Record<keyof Omit<PpoConfig, "seed" | "totalSteps">, string> = {
  maxNewTokens: "Sampling",
  temperature: "Sampling",
  epochs: "Updates",
  minibatches: "Updates",
  microbatchRows: "Updates",
  learningRate: "Updates",
  learningRateSchedule: "Updates",
  learningRateFinal: "Updates",
  warmupSteps: "Updates",
  clipLow: "Loss",
  clipHigh: "Loss",
  valueClip: "Loss",
  valueCoefficient: "Loss",
  entropyCoefficient: "Loss",
  entropySchedule: "Loss",
  targetKl: "Loss",
  gamma: "Rewards and advantages",
  lambda: "Rewards and advantages",
  truncated: "Rewards and advantages",
  whitenAdvantages: "Rewards and advantages",
  whitenRewards: "Rewards and advantages",
  scoreClip: "Rewards and advantages",
  klEstimator: "KL penalty",
  klControl: "KL penalty",
  klCoefficient: "KL penalty",
  klTarget: "KL penalty",
  klHorizon: "KL penalty",
  klFinal: "KL penalty",
};

const ppoRows = Object.fromEntries(
  PPO_OPTIONS.filter(({ name }) => name in GROUPS).map((row) => [
    row.name,
    {
      kind: typeof row.kind === "string" ? row.kind : "choice",
      choices: typeof row.kind === "string" ? undefined : row.kind,
      default: row.default,
      unit: row.unit || undefined,
      min: row.min,
      above: row.above,
      max: row.max,
      usual: typeof row.kind === "string" && row.kind !== "boolean" ? row.usual : undefined,
      doc: row.meaning,
      group: GROUPS[row.name as keyof typeof GROUPS],
    } satisfies Option,
  ]),
) as unknown as Table<Omit<PpoConfig, "seed" | "totalSteps">>;

/** Rows of `train`'s settings: those of the algorithm, as `rl/config.ts` states them, and those of data, optimizer and rewards. */
export const TRAIN_SETTINGS: Table<TrainSettings> = {
  batchSize: {
    kind: "integer",
    otherwise: "the task's own",
    unit: "completions",
    min: 1,
    max: 65536,
    doc: "completions per step",
    group: "Sampling",
  },
  ...ppoRows,
  maxGradNorm: {
    kind: "number",
    default: 1,
    min: 0,
    usual: "0, 0.5 to 1",
    doc: "gradients are scaled down to this global L2 norm; 0 is off",
    group: "Updates",
  },
  loraRank: {
    kind: "integer",
    default: 0,
    unit: "0 = train all weights",
    min: 0,
    max: 65536,
    usual: "4 to 64",
    doc: "rank of the adapter that is trained while the weights stay",
    group: "Updates",
  },
  loraAlpha: {
    kind: "number",
    default: 16,
    min: 0,
    above: true,
    usual: "1 or 2 times loraRank",
    doc: "the adapter's part is scaled by loraAlpha / loraRank",
    group: "Updates",
  },
  loraTargets: {
    kind: "text",
    default: "auto",
    unit: "auto, all-linear or NAME,...",
    doc: "linear maps with an adapter; auto is c_attn, or q_proj and v_proj",
    group: "Updates",
  },
  recompute: {
    kind: "boolean",
    default: false,
    doc: "backward computes activations again: less memory, more time, same bits",
    group: "Updates",
  },
  frozenDtype: {
    kind: "choice",
    choices: ["f32", "f16"],
    default: "f32",
    doc: "storage of weights that do not learn; f16 is half",
    group: "Updates",
  },
  semanticEmbedder: {
    kind: "text",
    default: "words",
    unit: "words, a folder, or a fetched OWNER/NAME",
    doc: "space of the semantic reward: word vectors, or a sentence encoder",
    group: "Rewards and advantages",
  },
  semanticMapping: {
    kind: "choice",
    choices: ["affine", "relu"],
    default: "affine",
    doc: "semantic reward of cosine c: affine ((c+1)/2)^p, relu max(0,c)^p",
    group: "Rewards and advantages",
  },
  semanticPower: {
    kind: "number",
    default: 4,
    min: 0,
    above: true,
    usual: "1 to 16",
    doc: "exponent p of the semantic reward; the larger, the less a near miss earns",
    group: "Rewards and advantages",
  },
  semanticOov: {
    kind: "choice",
    choices: ["zero", "floor", "null"],
    default: "zero",
    doc: "semantic reward where no word is known: 0, that of cosine 0, or none",
    group: "Rewards and advantages",
  },
};

/** One command, as help and docs show it. */
export interface CommandSpec {
  readonly name: "train" | "generate" | "export" | "fetch" | "pretrain" | "doctor";
  readonly doc: string;
  /** Positional arguments as help shows them, with one line each. */
  readonly positional: readonly (readonly [form: string, doc: string])[];
  readonly flags: Readonly<Record<string, Option>>;
  /** Given as key=value. */
  readonly settings: Readonly<Record<string, Option>>;
  readonly example: string;
}

/** Every command. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "train",
    doc: "Fine-tune a model on a task with reinforcement learning",
    positional: [["[task]", "Task to train on, e.g. colors"]],
    flags: { ...TRAIN_FLAGS },
    settings: { ...TRAIN_SETTINGS },
    example: "deno task train colors --seed 2 learningRate=1e-4",
  },
  {
    name: "generate",
    doc: "Complete a prompt",
    positional: [["<prompt>", "Text to go on from"]],
    flags: { ...GENERATE_FLAGS },
    settings: {},
    example: 'deno task generate "red and blue make"',
  },
  {
    name: "export",
    doc: "Write a run's policy, or a model, as a folder for transformers, with a model card",
    positional: [["<run|model>", "A run folder, tiny, a model folder, or a fetched OWNER/NAME"]],
    flags: { ...EXPORT_FLAGS },
    settings: {},
    example: "deno task export runs/colors-ppo-1-2026-11-22-021500 --dtype f16",
  },
  {
    name: "fetch",
    doc: "Download a model of the Hugging Face hub into its cache, for train and generate",
    positional: [["<model>", "owner/name or owner/name@revision"]],
    flags: { ...FETCH_FLAGS },
    settings: {},
    example: "deno task fetch openai-community/gpt2",
  },
  {
    name: "pretrain",
    doc: "Make the small default model from its corpus",
    positional: [],
    flags: { ...PRETRAIN_FLAGS },
    settings: {},
    example: "deno task pretrain --out runs/tiny",
  },
  {
    name: "doctor",
    doc: "Say what this machine offers and what is missing",
    positional: [],
    flags: { ...DOCTOR_FLAGS },
    settings: {},
    example: "deno task doctor",
  },
];
