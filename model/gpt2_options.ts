/** What may be chosen of a model, and what a forward pass tells. @module */
import type { FloatArray } from "../kernels/device.ts";
import type { Gpt2 } from "./gpt2.ts";
import type { MatrixDtype } from "./layout.ts";
import type { LoraOptions } from "./lora/lora.ts";
import type { AdamwOptions } from "./optimizer.ts";

/** Settings of a model that are no part of its weights. */
export interface Gpt2Options {
  /** Key of the fresh weights. Default 0. */
  seed?: number;
  /** Add a linear estimate of value on the final hidden state. Default false. */
  valueHead?: boolean;
  /**
   * How a value head begins that no file has: as zeros, or by normal draws under `seed` of standard
   * deviation 1 / (C + 1) with bias 0. Default "zero".
   */
  valueInit?: "zero" | "normal";
  /** The gradient of the value reaches the value head and nothing else. Default false. */
  valueDetached?: boolean;
  /** Leave out gradients and optimizer: forward passes only. Default false. */
  frozen?: boolean;
  /**
   * How matrices and embeddings that are not trained (of a frozen model, or under an adapter) are
   * stored. "f16" takes half the memory, on every device: numbers are rounded to 11 bits once, and
   * arithmetic stays f32. Default "f32".
   */
  matrixDtype?: MatrixDtype;
  /** Keep only each layer's input and compute the rest again in backward. Default false. */
  recompute?: boolean;
  /** Most bytes of logits held at a time; each chunk has at least 64 rows. Default 2^27. */
  chunkBytes?: number;
  /** Shapes whose recorded passes are kept; all share the memory of the largest. Default 32. */
  shapes?: number;
  /** Settings of `step`. */
  adamw?: Partial<AdamwOptions>;
  /** Train a low-rank adapter (and the value head) in place of the weights, which stay as they are. */
  lora?: LoraOptions;
  /** Folder or name that the weights come from, which the file of an adapter is to say. */
  base?: string;
}

/** The largest batches of some passes: B texts of at most T tokens, R target positions in all. */
export interface BatchSizes {
  B: number;
  T: number;
  R: number;
  /** The most rows of a tree, where the passes are of trees of such texts. */
  treeRows?: number;
}

/** What a pass computes with. */
export interface PassOptions {
  /** False leaves the adapter (and its value head) out: bit-identical to the base alone. Default true. */
  adapter?: boolean;
}

/** How target positions are evaluated. */
export interface EvaluateOptions extends PassOptions {
  /** Divides the logits, the reference's too; > 0. Default 1. */
  temperature?: number;
  /**
   * A model of the same vocabulary, on the same device, to compare with: `RowEvaluation.reference` and
   * `kl`. The model itself means itself with its adapter left out. One more forward pass, of the reference.
   */
  reference?: Gpt2;
  /** False compares the log-probabilities of the targets alone, which is less memory. Default true. */
  kl?: boolean;
}

/** What a forward pass tells of each target position: (R) each. */
export interface RowEvaluation {
  /** log pi(target), nats. */
  logprob: FloatArray;
  /** Of the whole distribution, nats. */
  entropy: FloatArray;
  /** Value head's estimate; zeros without one. */
  value: FloatArray;
  /** log-probability of the target under the reference, nats; absent without one. */
  reference?: FloatArray;
  /** KL(this || reference) of the whole distribution, nats, >= 0; absent without a reference. */
  kl?: FloatArray;
}
