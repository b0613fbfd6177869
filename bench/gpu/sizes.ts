/** Sizes of the measurements: those of GPT-2 on hardware, small ones for a software adapter. @module */
import type { MatmulDims, Orientation } from "../../kernels/matmul.ts";
import type { Shape } from "../_shapes.ts";
import { SHAPES } from "../_shapes.ts";
import { DEFAULT_SIZES, GPT2_SIZES, type Sizes } from "../_sizes.ts";

/** One product, and what it is in a model. */
export interface ProductSize extends Pick<MatmulDims, "M" | "N" | "K" | "orientation"> {
  readonly what: string;
}

/** All that depends on the adapter. */
export interface GpuSizes {
  /** Bytes of each of the two buffers of the copy. */
  readonly copyBytes: number;
  /** Invocations and rounds of the multiply-add kernel. */
  readonly multiplyAdd: { readonly threads: number; readonly rounds: number };
  /** Each orientation at one size. */
  readonly orientations: readonly ProductSize[];
  /** The square product by each kernel. */
  readonly square: number;
  readonly products: readonly ProductSize[];
  readonly decodeProducts: readonly ProductSize[];
  /** Kernels of a pass at a long context. */
  readonly pass: Shape;
  /** Kernels of decoding, one sequence and many. */
  readonly decode: readonly Shape[];
  /** Reruns are compared at this size. */
  readonly equal: Shape;
  /** The large model, its training batches and its decoding batches. */
  readonly model: Sizes;
  readonly modelName: string;
  readonly steps: readonly { readonly B: number; readonly T: number }[];
  readonly decodes: readonly number[];
  /** The default model's training step, and a PPO update of the colors task. */
  readonly small: Sizes;
  readonly smallStep: { readonly B: number; readonly T: number };
  readonly ppo: { readonly B: number; readonly T: number };
}

const sized = (
  orientation: Orientation,
  [M, N, K]: readonly [number, number, number],
  what: string,
): ProductSize => ({ orientation, M, N, K, what });

const ORIENTATIONS = (["NN", "NT", "TN"] as const).map((orientation) =>
  sized(orientation, [4096, 3072, 768], "one size each way")
);

const PRODUCTS: readonly ProductSize[] = [
  sized("NN", [4096, 2304, 768], "qkv"),
  sized("NN", [4096, 768, 768], "attention's output"),
  sized("NN", [4096, 768, 3072], "MLP out"),
  sized("NN", [256, 768, 3072], "MLP out, few rows"),
  sized("NN", [256, 3072, 768], "MLP in, few rows"),
  sized("NN", [32, 768, 50257], "logits dx, 32 rows"),
  sized("NN", [640, 768, 50257], "logits dx"),
  sized("NT", [640, 50257, 768], "logits"),
  sized("TN", [50257, 768, 640], "logits dw"),
  sized("TN", [768, 3072, 4096], "MLP in dw"),
  sized("TN", [768, 768, 4096], "attention's output dw"),
  sized("TN", [768, 3072, 256], "MLP in dw, few rows"),
  sized("TN", [128, 128, 1152], "default model dw"),
  sized("NN", [1152, 128, 2048], "default model logits dx"),
];

const DECODE_PRODUCTS: readonly ProductSize[] = [1, 64].flatMap((M) => [
  sized("NN", [M, 2304, 768], `decode qkv, ${M} rows`),
  sized("NN", [M, 3072, 768], `decode MLP in, ${M} rows`),
  sized("NN", [M, 768, 3072], `decode MLP out, ${M} rows`),
  sized("NT", [M, 50257, 768], `decode logits, ${M} rows`),
]);

const PASS: Shape = {
  model: "gpt2",
  batch: "4x1024",
  ...{ B: 4, T: 1024, C: 768, H: 12, I: 3072, V: 50257, P: 1024, R: 1024 },
  parameters: 124_439_808,
  rowsOfPlain: 4096,
};

/** GPT-2 124M and the default model. */
export const HARDWARE: GpuSizes = {
  copyBytes: 2 ** 29,
  multiplyAdd: { threads: 2 ** 20, rounds: 256 },
  orientations: ORIENTATIONS,
  square: 4096,
  products: PRODUCTS,
  decodeProducts: DECODE_PRODUCTS,
  pass: PASS,
  decode: [1, 64].map((B) => ({ ...PASS, batch: `${B} decode`, B })),
  equal: SHAPES[0],
  model: GPT2_SIZES,
  modelName: "GPT-2 124M",
  steps: [{ B: 4, T: 64 }, { B: 4, T: 1024 }],
  decodes: [1, 64],
  small: DEFAULT_SIZES,
  smallStep: { B: 48, T: 24 },
  ppo: { B: 48, T: 22 },
};

/** Small, and still no multiple of 4 where the large one is none. */
const little = (n: number): number => n % 4 ? 65 : Math.min(n, 64);
const shrunk = (sizes: readonly ProductSize[]): ProductSize[] =>
  sizes.map((size) => ({
    ...size,
    M: size.M === 1 ? 1 : little(size.M),
    N: little(size.N),
    K: little(size.K),
  }));

const LITTLE: Shape = {
  model: "tiny",
  batch: "2x32",
  ...{ B: 2, T: 32, C: 64, H: 2, I: 256, V: 129, P: 32, R: 9 },
  parameters: 5000,
  rowsOfPlain: 24,
};
const LITTLE_MODEL: Sizes = { vocab_size: 129, n_positions: 64, n_embd: 64, n_layer: 2, n_head: 2 };

/** What a software adapter on two cores gets through in a minute. */
export const SOFTWARE: GpuSizes = {
  copyBytes: 2 ** 22,
  multiplyAdd: { threads: 2 ** 13, rounds: 256 }, // some ms, so that waking threads is little of it
  orientations: shrunk(ORIENTATIONS),
  square: 128,
  products: shrunk(PRODUCTS),
  decodeProducts: shrunk(DECODE_PRODUCTS),
  pass: LITTLE,
  decode: [1, 8].map((B) => ({ ...LITTLE, batch: `${B} decode`, B })),
  equal: LITTLE,
  model: LITTLE_MODEL,
  modelName: "a model of 2 layers",
  steps: [{ B: 2, T: 16 }, { B: 2, T: 32 }],
  decodes: [1, 8],
  small: LITTLE_MODEL,
  smallStep: { B: 4, T: 24 },
  ppo: { B: 4, T: 22 },
};

/** Ragged in every dimension: what is compared with the twins. */
export const RAGGED: Shape = {
  model: "tiny",
  batch: "2x5",
  ...{ B: 2, T: 5, C: 8, H: 2, I: 16, V: 13, P: 6, R: 7 },
  parameters: 70,
  rowsOfPlain: 3,
};
