/**
 * Random numbers without a state: a draw is a function of a seed and of the place where it is used, so
 * nothing has to be saved for a resume, and no draw depends on what was drawn before. `STREAMS` lists
 * every place. Generator: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers:
 * as easy as 1, 2, 3"); `kernels/sample.wgsl` has the same in WGSL.
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
export interface RandomStream<Place> {
  /** What the draws are for, and which files draw. */
  readonly use: string;
  /** Words that no other place of this stream has. */
  counter(place: Place): Words;
  /** The seed as `philox` takes it. */
  key(seed: number): [number, number];
}

/** Every stream; each says what its place is made of. */
export interface RandomStreams {
  /** `row` of the batch's prompts, `token` of the response, `step` of the run (0 in `generate`). */
  readonly sampler: RandomStream<{ row: number; token: number; step: number }>;
  /** `block` of four consecutive numbers of `parameter`, both counted from 0. */
  readonly weights: RandomStream<{ block: number; parameter: number }>;
  /** The same of an adapter's parameters. */
  readonly adapter: RandomStream<{ block: number; parameter: number }>;
  /** `index` that is swapped, `epoch` of the training set. */
  readonly promptOrder: RandomStream<{ index: number; epoch: number }>;
  /** `index` that is swapped, `epoch` of the update of `step`. */
  readonly minibatchOrder: RandomStream<{ index: number; step: number; epoch: number }>;
  /** As `sampler`, for the policy that is a table. */
  readonly tablePolicy: RandomStream<{ row: number; token: number; step: number }>;
}

const SHUFFLE = 0x73687566; // "shuf": no other stream ends in it
const FIRST_ADAPTER = 2 ** 20; // a model's own parameters are fewer

/**
 * Which words every use of random numbers has. Two streams with one counter under one key draw the
 * same words; that holds of these, and of no others:
 * - `sampler` at step 0 and `weights`: token t of row r shares its word with block r of parameter t;
 * - `promptOrder` and `minibatchOrder` at step 0, epoch for epoch;
 * - in both orders, seeds that differ by a multiple of 2^32, as their key has only the low word.
 *
 * The text that the default model reads is made by a generator of its own with a state (mulberry32,
 * `experiment/pretraining/random.ts`), which shares nothing with these.
 */
export const STREAMS: RandomStreams = {
  sampler: {
    use: "the token drawn: kernels/sample.ts, kernels/sample.wgsl",
    counter: ({ row, token, step }) => [row, token, step, 0],
    key: wordsOf,
  },
  weights: {
    use: "initial weights: model/random.ts",
    counter: ({ block, parameter }) => [block, parameter, 0, 0],
    key: wordsOf,
  },
  adapter: {
    use: "initial matrices A of LoRA: model/random.ts",
    counter: ({ block, parameter }) => [block, FIRST_ADAPTER + parameter, 0, 0],
    key: wordsOf,
  },
  promptOrder: {
    use: "order of the training prompts: experiment/rollout.ts",
    counter: ({ index, epoch }) => [index, 0, epoch, SHUFFLE],
    key: (seed) => [seed >>> 0, 0],
  },
  minibatchOrder: {
    use: "order of a rollout's rows in its update: rl/update.ts",
    counter: ({ index, step, epoch }) => [index, step, epoch, SHUFFLE],
    key: (seed) => [seed >>> 0, 0],
  },
  tablePolicy: {
    use: "the token that the table of tests/rl draws",
    counter: ({ row, token, step }) => [token, row, step, 1],
    key: (seed) => [seed >>> 0, 0],
  },
};

/** The four words of a stream at a place. */
export function drawWords<Place>(stream: RandomStream<Place>, seed: number, place: Place): Words {
  return philox(stream.counter(place), stream.key(seed));
}

/**
 * 0 … n - 1 in an order that depends on the seed, the step and the epoch alone (Fisher-Yates, from the
 * end). `STREAMS.promptOrder` knows no step.
 */
export function permutation(
  n: number,
  { seed, step, epoch }: { seed: number; step: number; epoch: number },
  stream: RandomStream<{ index: number; step: number; epoch: number }> = STREAMS.minibatchOrder,
): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let index = n - 1; index > 0; index--) {
    const [word] = drawWords(stream, seed, { index, step, epoch });
    const j = Math.floor(word / 2 ** 32 * (index + 1));
    [order[index], order[j]] = [order[j], order[index]];
  }
  return order;
}
