/** What a task is: prompts with known answers, and how it is scored by default. @module */
import type { OptionValue } from "../base/options.ts";
import type { Example, Parent } from "../rewards/reward.ts";

/** A task, loaded. */
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
  /** Rewards of a run that names none, as `parseRewards` reads them. */
  readonly defaultRewards: string;
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
}
