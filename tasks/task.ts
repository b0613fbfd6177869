/** What a task is: prompts with known answers, and how it is judged by default. @module */
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
  /** Gives the answers that rewards compare with. */
  readonly parent: Parent;
}
