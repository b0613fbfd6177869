/** The sizes at which kernels are measured. @module */
import type { ModelName } from "./_options.ts";
import { DEFAULT_SIZES } from "./_sizes.ts";

/** A model and a batch. */
export interface Shape {
  readonly model: ModelName | "tiny";
  /** As tables show it: sequences x tokens. */
  readonly batch: string;
  /** Sequences and tokens of each; N = B * T rows. */
  readonly B: number;
  readonly T: number;
  /** Channels, heads, inner width of the MLP. */
  readonly C: number;
  readonly H: number;
  readonly I: number;
  /** Vocabulary, positions, rows of logits. */
  readonly V: number;
  readonly P: number;
  readonly R: number;
  /** Elements that the optimizer steps over. */
  readonly parameters: number;
  /** Rows of the products that compare the plain with the tiled kernels. */
  readonly rowsOfPlain: number;
}

const { vocab_size: V, n_positions: P, n_embd: C, n_layer: L, n_head: H } = DEFAULT_SIZES;
/** The model of `assets/tiny`: in PPO on the colors task, and in pretraining. */
const small = { model: "default", C, H, I: 4 * C, V, P } as const;
const parameters = (V + P) * C + L * (12 * C * C + 13 * C) + 2 * C;

export const SHAPES: readonly Shape[] = [
  { ...small, batch: "48x24", B: 48, T: 24, R: 1152, parameters, rowsOfPlain: 1152 },
  { ...small, batch: "8x128", B: 8, T: 128, R: 1024, parameters, rowsOfPlain: 1024 },
  // GPT-2 124M, in a batch that a software adapter gets through: 32 rows of logits instead of 256,
  // 64 rows where the plain kernel runs as well, one block's parameters instead of twelve.
  {
    model: "gpt2",
    batch: "4x64",
    B: 4,
    T: 64,
    C: 768,
    H: 12,
    I: 3072,
    V: 50257,
    P: 1024,
    R: 32,
    parameters: 12 * 768 * 768 + 13 * 768,
    rowsOfPlain: 64,
  },
];
