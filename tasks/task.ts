/** What a task is: prompts with known answers, and how it is scored by default. @module */
import type { OptionTable, OptionValue } from "../base/options.ts";
import { described } from "../base/excerpt.ts";
import type { Example, Parent } from "../rewards/reward.ts";

/** Model of a run that names none, nor does its task. */
export const DEFAULT_MODEL = "tiny";

/** A task, opened. */
export interface Task {
  /** What the command line calls it: lower-case, no spaces. */
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** `heldout` is never trained on; ids are unique over both. */
  readonly examples: {
    readonly train: readonly Example[];
    readonly heldout: readonly Example[];
  };
  /** Most tokens of a completion, EOS included. */
  readonly maxNewTokens: number;
  /** Rewards of a run that names none, as `parseRewards` reads them; "" where every run must name some. */
  readonly defaultRewards: string;
  /** Model of a run that names none. Default "tiny". */
  readonly model?: string;
  /** Algorithm of a run that names none, nor a preset, by name. Default: the registry's. */
  readonly algorithm?: string;
  /** Names of the rewards that make sense for it. Default: all. */
  readonly fits?: readonly string[];
  /**
   * Name of the reward that is the task's own measure, where its examples have no answers and `exact`
   * means nothing. Default: none but `exact`.
   */
  readonly measure?: string;
  /**
   * The part of a prompt that is asked about, whose last word a player says who learns nothing. Default: all
   * of the prompt.
   */
  subject?(example: Example): string;
  /** Rollouts of a run that does not say. */
  readonly steps: number;
  /**
   * Settings that suit this task, by the names of the command line. Those that the run's algorithm does
   * not have are left out.
   */
  readonly settings: Readonly<Record<string, OptionValue>> & {
    /** Completions per step, >= 1. */
    readonly batchSize: number;
  };
  /** Gives the answers that rewards compare with. */
  readonly parent: Parent;
  /** What people should know of it, a sentence each. Default: nothing. */
  readonly notices?: readonly string[];
  /** Settings of its own that change nothing as it was opened, with what follows "as". Default: none. */
  readonly idle?: Readonly<Record<string, string>>;
}

/** A file that was read for a task. */
export interface DataFile {
  /** For errors: its path, or the data set with the path in it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What its records are for, where it is one of several that are told apart. */
  readonly split?: "train" | "heldout";
  /** Of a data set of the hub: OWNER/NAME[@REVISION] as it was asked for, and the commit that stood for. */
  readonly of?: { readonly set: string; readonly commit: string };
}

/** Which file was read for a task, for whoever would read the same again. */
export interface DataSource {
  /** As `DataFile` has it. */
  readonly name: string;
  /** Of its bytes, in hexadecimal digits. */
  readonly sha256: string;
  /** Of a data set of the hub, see `DataFile.of`. */
  readonly set?: string;
  readonly commit?: string;
}

/** What a task may need of whoever opens it. */
export interface TaskContext {
  /**
   * Reads a file: a path, or OWNER/NAME of a data set that was fetched. Absent where there are no files,
   * as in a browser tab.
   * @throws {Error} where it is not there, with what to do
   */
  readData?(name: string): Promise<DataFile>;
  /**
   * As `readData`, all files of a data set that belong together: every shard, training files first. Of a
   * path, that file alone.
   */
  readDataFiles?(name: string): Promise<readonly DataFile[]>;
}

/** What a task's file exports: the command line, help and docs read it from here. */
export interface TaskDefinition<C = Record<string, OptionValue>> {
  /** What the command line calls it: lower-case, no spaces. */
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** Its settings, which the command line has under the same names: a run has one task. */
  readonly options: OptionTable<C>;
  /** @throws {Error} where what it needs cannot be had */
  open(settings: Readonly<C>, context: TaskContext): Task | Promise<Task>;
}

/**
 * The task, where it is one.
 * @throws {TypeError} for what is no task, where two examples have one id (the second would be asked the
 * first one's prompt), an answer is no text, or a held-out prompt is one of training too
 * @throws {RangeError} for no training prompts
 */
export function checkTask(task: Task): Task {
  const { name, examples } = task ?? {};
  const cannot = (rule: string) => new TypeError(`Cannot train on ${name ?? "a task"} as ${rule}`);
  if (typeof name !== "string" || !examples) {
    throw cannot(`it must be a name, or an object as tasks/task.ts says: it is ${described(task)}`);
  }
  for (const split of ["train", "heldout"] as const) {
    if (Array.isArray(examples[split])) continue;
    throw cannot(`examples.${split} must be a list: it is ${described(examples[split])}`);
  }
  if (examples.train.length === 0) {
    throw new RangeError(`Cannot train on ${name} as it has no training prompts`);
  }
  const seen = new Set<string>();
  for (const example of [...examples.train, ...examples.heldout]) {
    const { id, prompt } = example ?? {};
    if (typeof id !== "string" || typeof prompt !== "string") {
      throw cannot(`each example needs id and prompt, two texts: one is ${described(example)}`);
    }
    if (seen.has(id)) {
      throw cannot(`each example has an id of its own: ${JSON.stringify(id)} comes twice`);
    }
    seen.add(id);
    if (example.answer === undefined || typeof example.answer === "string") continue;
    throw cannot(`an answer is a text: that of ${id} is ${described(example.answer)}`);
  }
  const trained = new Set(examples.train.map(({ prompt }) => prompt));
  const both = examples.heldout.find(({ prompt }) => trained.has(prompt));
  if (both) {
    const prompt = JSON.stringify(both.prompt.slice(0, 80));
    throw cannot(
      `what is held out is never trained on: the prompt of ${both.id}, ${prompt}, is both`,
    );
  }
  return task;
}
