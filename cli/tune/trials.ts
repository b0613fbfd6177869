/** What `deno task tune` compares: works of one kind, each by every kernel that this adapter could take. @module */
import type { Device } from "../../kernels/device.ts";
import type { Orientation } from "../../kernels/matmul.ts";
import type { Scope } from "../../kernels/scope.ts";
import type { Tuning } from "../../kernels/tuning.ts";
import { type AttentionSize, attentionTrial } from "./attention_trial.ts";
import { fewRowsTrial, productTrial, sumTrial } from "./product_trials.ts";

/** One way to do a work. */
export interface Candidate {
  /** What is chosen: "workgroup", "4 parts". Trials that are decided together share it. */
  readonly name: string;
  /** What is chosen beside it for each trial by itself: "64 x 64". */
  readonly shape?: string;
  /** With which it is launched. */
  readonly tuning: Tuning;
  readonly isBuiltIn: boolean;
}

/** One work, and the ways to do it. */
export interface Trial {
  /** "product NN wide" */
  readonly name: string;
  /** "M 256 N 768 K 768" */
  readonly size: string;
  /** Multiplications and additions. */
  readonly flop: number;
  readonly candidates: readonly Candidate[];
  /** Allocates what the work needs, and gives its launches. */
  prepare(scope: Scope): () => void;
}

/** Trials that are decided together; they see what was chosen before as the device's tuning. */
export type Group = (device: Device) => Trial[];

/** Numbers of the works. */
export interface TuneSizes {
  /** Rows of products: of the few, and of the many. */
  readonly rows: readonly [few: number, many: number];
  /** Columns and length of sums of narrow products, and of wide ones. */
  readonly narrow: readonly [N: number, K: number];
  readonly wide: readonly [N: number, K: number];
  /** Rows and columns of products with long sums, and how long those are. */
  readonly sums: Readonly<Record<"M" | "N" | "short" | "long", number>>;
  /** Sides of a weight's gradient, and rows that it is summed over. */
  readonly weights: Readonly<Record<"side" | "short" | "long", number>>;
  /** Width and length of sums in decoding. */
  readonly decode: readonly [N: number, K: number];
  readonly attention: AttentionSize;
}

/** Small ones, for `--quick`. */
export const QUICK: TuneSizes = {
  ...{ rows: [128, 512], narrow: [128, 256], wide: [768, 256], decode: [768, 768] },
  sums: { M: 32, N: 192, short: 4096, long: 16384 },
  weights: { side: 128, short: 1152, long: 8192 },
  attention: { B: 8, T: 32, H: 4, D: 32 },
};

/** Those of the default model and of GPT-2. */
export const FULL: TuneSizes = {
  ...{ rows: [256, 1024], narrow: [128, 512], wide: [768, 768], decode: [768, 3072] },
  sums: { M: 64, N: 768, short: 3072, long: 16384 },
  weights: { side: 128, short: 4096, long: 8192 },
  attention: { B: 16, T: 64, H: 4, D: 32 },
};

const ORIENTATIONS: readonly Orientation[] = ["NN", "NT", "TN"];

/** All groups, in the order in which they are decided. */
export const groupsOf = (sizes: TuneSizes): Group[] => [
  ...ORIENTATIONS.flatMap((orientation) =>
    [sizes.narrow, sizes.wide].map(([N, K]): Group => (device) =>
      sizes.rows.map((M) => productTrial(device, { orientation, M, N, K }))
    )
  ),
  ...(["NN", "NT"] as const).map((orientation): Group => (device) => {
    const [N, K] = sizes.decode;
    return [1, 8].map((M) => fewRowsTrial(device, { orientation, M, N, K }));
  }),
  (device) => [attentionTrial(device, sizes.attention)],
  ...(["short", "long"] as const).flatMap((length) => {
    const { sums: { M, N, ...sums }, weights: { side, ...rows } } = sizes;
    return [
      { orientation: "NN", M, N, K: sums[length] } as const,
      { orientation: "TN", M: side, N: side, K: rows[length] } as const,
    ].map((size): Group => (device) => [sumTrial(device, size)]);
  }),
];
