/** What a task is: prompts with known answers, and how it is judged by default. @module */
import type { MatrixDtype } from "../model/layout.ts";
import type { Example, Parent } from "../rewards/reward.ts";
import type { Mapping, OutOfVocabulary } from "../rewards/semantic.ts";
import type { PpoConfig } from "../rl/config.ts";

/** Settings of a run: those of the algorithm, and those of the data and the optimizer. */
export type TaskSettings = Omit<PpoConfig, "seed" | "totalSteps"> & {
  /** Completions a step, >= 1. */
  batchSize: number;
  /** The gradient is scaled down to this global L2 norm; 0 is off. */
  maxGradNorm: number;
  /** Rank of the adapter that is trained; 0 trains all weights. */
  loraRank: number;
  /** The adapter's part is scaled by loraAlpha / loraRank; > 0. */
  loraAlpha: number;
  /** "auto", "all-linear" or names with commas between them; see `LoraOptions.targets`. */
  loraTargets: string;
  /** Compute activations again in the backward pass: less memory, a third more time. */
  recompute: boolean;
  /**
   * How the matrices that are not trained are stored: those of the reference or an adapter's base, and
   * of a reward's network. "f16" takes half their memory; where a reference's numbers are no f16, KL is
   * not exactly 0 before the first update.
   */
  frozenDtype: MatrixDtype;
  /** Space of the semantic reward: "words", or a sentence encoder, by folder or as a model of the hub. */
  semanticEmbedder: string;
  /** From cosine to the semantic reward; see rewards/semantic.ts for this and the next two. */
  semanticMapping: Mapping;
  /** Exponent of the semantic reward, > 0. */
  semanticPower: number;
  /** Semantic reward of a completion without any known word. */
  semanticOov: OutOfVocabulary;
};

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
  /** What this task needs other than the algorithm's defaults. */
  readonly settings: Partial<TaskSettings> & Pick<TaskSettings, "batchSize" | "maxGradNorm">;
  /** Gives the answers that rewards compare with. */
  readonly parent: Parent;
}
