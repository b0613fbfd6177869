/**
 * Random numbers without a state: a draw is a function of a seed and of the place where it is used, so
 * nothing has to be saved for a resume, and no draw depends on what was drawn before. `STREAMS` lists
 * every place. Generator: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers:
 * as easy as 1, 2, 3"); `kernels/fragments/philox.wgsl` has the same in WGSL.
 * @module
 */

/** High word of the product of two words, by 16-bit halves: a double cannot hold it whole. */
function high(a: number, b: number): number {
  const low = (a & 0xffff) * (b & 0xffff);
  const mid = (a >>> 16) * (b & 0xffff) + (low >>> 16);
  const cross = (a & 0xffff) * (b >>> 16) + (mid & 0xffff);
  return ((a >>> 16) * (b >>> 16) + (mid >>> 16) + (cross >>> 16)) >>> 0;
}

/** Four 32-bit words: the place of a draw, or the draw. */
export type Words = [number, number, number, number];

/**
 * Four independent words of 0 to 2^32 - 1, which depend on nothing but a counter and a key. Counter and
 * key are integers of which the low 32 bits count.
 */
export function philox(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter, [k, l] = key;
  for (let round = 0; round < 10; round++) {
    const top = high(0xcd9e8d57, c) ^ b ^ k, third = high(0xd2511f53, a) ^ d ^ l;
    [b, d] = [Math.imul(0xcd9e8d57, c) >>> 0, Math.imul(0xd2511f53, a) >>> 0];
    [a, c] = [top >>> 0, third >>> 0];
    [k, l] = [(k + 0x9e3779b9) >>> 0, (l + 0xbb67ae85) >>> 0];
  }
  return [a, b, c, d];
}

/** Low and high word of an integer from 0 to 2^53 - 1. */
export const wordsOf = (seed: number): [number, number] => [
  seed >>> 0,
  Math.floor(seed / 2 ** 32) >>> 0,
];

/** One use of random numbers: where its draws lie under a seed. */
export interface RandomStream<Part extends string> {
  /** What the draws are for, and which files draw. */
  readonly use: string;
  /** The numbers that a place is made of, each from 0 to 2^32 - 1, as they lie in the counter. */
  readonly place: readonly Part[];
  /** The counter's last word, which no other stream has. */
  readonly id: number;
  /** Words that no other place of any stream has. */
  counter(place: Readonly<Record<Part, number>>): Words;
}

/**
 * Every use of random numbers, and what its place is made of. A stream's number is where it stands here:
 * a new one goes to the end, and no other changes.
 */
const TABLE = {
  /** `block` of four consecutive numbers of `parameter`, both counted from 0. */
  weights: {
    use: "initial weights: model/random.ts",
    place: ["block", "parameter"],
  },
  /** The same of an adapter's parameters. */
  adapter: {
    use: "initial matrices A of LoRA: model/random.ts",
    place: ["block", "parameter"],
  },
  /** `row` of the batch's prompts, `token` of the response, `step` of the run (0 in `generate`). */
  sampler: {
    use: "the token drawn: kernels/sample_cpu.ts, kernels/sample.wgsl",
    place: ["row", "token", "step"],
  },
  /** `index` that is swapped, `epoch` of the training set. */
  promptOrder: {
    use: "order of the training prompts: experiment/rollout.ts",
    place: ["index", "epoch"],
  },
  /** `index` that is swapped, `epoch` of the update of `step`. */
  minibatchOrder: {
    use: "order of a rollout's rows in its update: rl/update.ts",
    place: ["index", "step", "epoch"],
  },
  /** As `sampler`, for the policy that is a table. */
  tablePolicy: {
    use: "the token that the table of tests/rl draws",
    place: ["row", "token", "step"],
  },
  /** As `weights`, of a value head; it has one parameter that is drawn, 0. */
  valueHead: {
    use: "initial weight of a value head: model/params.ts",
    place: ["block", "parameter"],
  },
  /** `index` that is swapped. */
  heldout: {
    use: "which rows of a table are held out: tasks/csv_rows.ts, tasks/files.ts",
    place: ["index"],
  },
  /** `draw` of `problem`, both counted from 0, of a `level`. */
  problems: {
    use: "the worded problems of math: tasks/math/problems.ts",
    place: ["draw", "problem", "level"],
  },
  /** `block` of four consecutive rows of a `resample`, both counted from 0. */
  bootstrap: {
    use: "the rows of a resample: base/statistics/bootstrap.ts",
    place: ["block", "resample"],
  },
} as const satisfies Record<string, { use: string; place: Place }>;

/** One to three parts: the fourth word is the stream's. */
type Place = readonly [string, string?, string?];

/** Every stream by its name. */
export type RandomStreams = {
  readonly [Name in keyof typeof TABLE]: RandomStream<typeof TABLE[Name]["place"][number]>;
};

/**
 * The streams of the table. No two share a word: a stream has its own last word of the counter, its place
 * is in the other three, and the seed, up to 2^53 - 1, is the key with both its words.
 *
 * The text that the default model reads is made by a generator of its own with a state (mulberry32,
 * `experiment/pretraining/random.ts`), which shares nothing with these: other draws would be another
 * text, and `assets/tiny` no longer what `deno task pretrain` makes.
 */
export const STREAMS = Object.fromEntries(
  Object.entries(TABLE).map(([name, { use, place }], id) => [name, {
    use,
    place,
    id,
    counter(at: Readonly<Record<string, number>>): Words {
      const [a, b, c]: Place = place;
      return [at[a], b === undefined ? 0 : at[b], c === undefined ? 0 : at[c], id];
    },
  }]),
) as unknown as RandomStreams;

/** The four words of a stream at a place; `seed` is an integer from 0 to 2^53 - 1. */
export function drawWords<Part extends string>(
  stream: RandomStream<Part>,
  seed: number,
  place: Readonly<Record<Part, number>>,
): Words {
  return philox(stream.counter(place), wordsOf(seed));
}

/**
 * 0 … n - 1 in an order that depends on the seed, the step and the epoch alone (Fisher-Yates, from the
 * end). `STREAMS.promptOrder` knows no step.
 */
export function permutation(
  n: number,
  { seed, step, epoch }: { seed: number; step: number; epoch: number },
  stream: RandomStream<"index" | "step" | "epoch"> = STREAMS.minibatchOrder,
): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let index = n - 1; index > 0; index--) {
    const [word] = drawWords(stream, seed, { index, step, epoch });
    const j = Math.floor(word / 2 ** 32 * (index + 1));
    [order[index], order[j]] = [order[j], order[index]];
  }
  return order;
}
