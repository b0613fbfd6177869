/**
 * Ragged batches of tokens, and which log-probabilities are wanted of them.
 *
 * The log-probability of the token at position t comes from the row at position t - 1, and so does
 * the value before it. That alignment is made here and nowhere else.
 * @module
 */
import { plainEnds } from "../kernels/attention.ts";
import type { HostArray } from "../kernels/device.ts";

/** Token ids of one sequence. */
export type Tokens = ArrayLike<number>;

/**
 * A rectangular batch (B, T) whose sequences start at column 0 and are padded at the end. A sequence is
 * one text, or (see `prefix_tree.ts`) a tree of texts that share their beginnings.
 */
export interface Rows {
  readonly B: number;
  readonly T: number;
  /** (B, T) token ids; what stands in the padding does not matter as long as it is below V. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** (B) real tokens of each sequence, 1 to T. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** (B, T) tokens of its text before each token, below P; 0 in the padding. */
  readonly position: Uint32Array<ArrayBuffer>;
  /** (B, T) the first column past all that continue the token's text; 0 in the padding. */
  readonly end: Uint32Array<ArrayBuffer>;
  /** True of a tree, which is the batch's one sequence; its T is rounded, and may be more than P. */
  readonly isTree?: boolean;
  /** (R) rows b * T + t: the target positions. One that has several targets comes several times. */
  readonly index: Uint32Array<ArrayBuffer>;
  /** (R) the token that follows each, whose log-probability is wanted. */
  readonly target: Uint32Array<ArrayBuffer>;
}

/**
 * Rows of a batch of responses, and their places in a (responses, width) grid of response tokens. A row
 * tells of A places in all; in a plain batch A is R, and `source` counts 0, 1, ….
 */
export interface ResponseRows extends Rows {
  readonly responses: number;
  /** Tokens of the longest response. */
  readonly width: number;
  /** (A) b * width + t for token t of response b, whose log-probability is told. */
  readonly place: Uint32Array<ArrayBuffer>;
  /** (A) The same of the token whose value is told. */
  readonly valuePlace: Uint32Array<ArrayBuffer>;
  /** (A) Which of the R target positions tells it. */
  readonly source: Uint32Array<ArrayBuffer>;
}

/** Place of a row that tells nothing of any token. */
const NOWHERE = 2 ** 32 - 1;

/**
 * Rows with every next token of every sequence as target: language modelling.
 * @throws {RangeError} when a sequence has fewer than two tokens
 */
export function languageModelRows(sequences: readonly Tokens[]): Rows {
  return pack(
    sequences.map((tokens, b) => {
      if (tokens.length < 2) {
        throw new RangeError(
          `Cannot predict a next token as sequence ${b} needs at least 2 tokens: it has ${tokens.length}`,
        );
      }
      return {
        input: Array.from(tokens).slice(0, -1),
        target: Array.from(tokens).slice(1),
        first: 0,
      };
    }),
  );
}

/**
 * Rows with every response token as target. The last token of a response is a target but not an
 * input, as nothing comes after it.
 *
 * The value of a token is that of the row before it; with `valueAt` "own" that of its own row. Then the last
 * token is an input too, and its row has a target of which nothing is asked.
 * @throws {RangeError} when a prompt is empty or the lists differ in length
 */
export function responseRows(
  { prompts, responses, valueAt = "before" }: {
    prompts: readonly Tokens[];
    responses: readonly Tokens[];
    valueAt?: "before" | "own";
  },
): ResponseRows {
  if (prompts.length !== responses.length) {
    throw new RangeError(
      `Cannot pair prompts with responses as there must be as many of each: ` +
        `${prompts.length} and ${responses.length}`,
    );
  }
  const isOwn = valueAt === "own";
  const rows = pack(
    prompts.map((prompt, b) => {
      if (prompt.length === 0) {
        throw new RangeError(
          `Cannot score response ${b} as its first token needs a row before it: prompt ${b} is empty`,
        );
      }
      const response = Array.from(responses[b]), last = response.slice(-1);
      return {
        input: [...Array.from(prompt), ...(isOwn ? response : response.slice(0, -1))],
        target: isOwn ? [...response, ...last] : response,
        first: prompt.length - 1,
      };
    }),
  );
  const width = Math.max(0, ...responses.map((response) => response.length));
  const places = responses.map((response, b) =>
    Array.from({ length: response.length }, (_, t) => b * width + t)
  );
  const gap = (of: number[]): number[] => isOwn && of.length > 0 ? [NOWHERE] : [];
  const place = places.flatMap((of) => [...of, ...gap(of)]);
  const valuePlace = places.flatMap((of) => [...gap(of), ...of]);
  return {
    ...rows,
    responses: responses.length,
    width,
    place: Uint32Array.from(place),
    valuePlace: Uint32Array.from(valuePlace),
    source: Uint32Array.from(place.keys()),
  };
}

/**
 * Spreads (R) numbers over the (responses, width) grid, by default those of the tokens that are
 * predicted, else of the tokens with a value; 0 where there is no token.
 */
export function toGrid(
  numbers: ArrayLike<number>,
  rows: ResponseRows,
  of: "place" | "valuePlace" = "place",
): Float32Array {
  const grid = new Float32Array(rows.responses * rows.width);
  rows[of].forEach((at, a) => {
    if (at !== NOWHERE) grid[at] = numbers[rows.source[a]];
  });
  return grid;
}

/**
 * Goes back through `toGrid`: (R) gradients from those of the grid, summed up where a row tells of
 * several tokens; 0 for rows that tell of none.
 */
export function fromGrid(
  grid: ArrayLike<number>,
  rows: ResponseRows,
  of: "place" | "valuePlace" = "place",
): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(rows.index.length);
  rows[of].forEach((at, a) => {
    if (at !== NOWHERE) numbers[rows.source[a]] += grid[at];
  });
  return numbers;
}

/** What `Rows` tell of sequences of T columns that are one text each. */
export function textRows(
  lengths: readonly number[],
  T: number,
): Pick<Rows, "lengths" | "position" | "end"> {
  const B = lengths.length, end = plainEnds(lengths, { B, T });
  const position = end.map((past, row) => past && row % T);
  return { lengths: Uint32Array.from(lengths), position, end };
}

/** One sequence: its input, and targets whose rows are first, first + 1, …. */
interface Sequence {
  input: number[];
  target: number[];
  first: number;
}

function pack(sequences: readonly Sequence[]): Rows {
  const B = sequences.length;
  if (B === 0) throw new RangeError("Cannot make a batch as it needs at least one sequence: got 0");
  const T = Math.max(...sequences.map(({ input }) => input.length));
  const tokens = new Uint32Array(B * T);
  sequences.forEach(({ input }, b) => tokens.set(input, b * T));
  return {
    ...{ B, T, tokens, ...textRows(sequences.map(({ input }) => input.length), T) },
    index: Uint32Array.from(
      sequences.flatMap(({ target, first }, b) => target.map((_, t) => b * T + first + t)),
    ),
    target: Uint32Array.from(sequences.flatMap(({ target }) => target)),
  };
}

/**
 * Checks `rows` against a model of `V` tokens and `P` positions.
 * @throws {RangeError} naming the first sequence, token or row that does not fit
 */
export function checkRows(rows: Rows, { V, P }: { V: number; P: number }): void {
  const { B, T, tokens, lengths, position, end, index, target } = rows;
  const fail = (rule: string): never => {
    throw new RangeError(`Cannot run a batch as ${rule}`);
  };
  if (B < 1 || T < 1) fail(`B and T must be at least 1: they are ${B} and ${T}`);
  for (const [name, { length }] of Object.entries({ tokens, positions: position, ends: end })) {
    if (length !== B * T) fail(`it needs B * T = ${B * T} ${name}: it has ${length}`);
  }
  const longest = position.reduce((most, at) => Math.max(most, at + 1), 0);
  if (longest > P) {
    fail(
      `the model has ${P} positions: a sequence has ${longest} tokens; ` +
        "shorten the prompt or response",
    );
  }
  if (lengths.length !== B) fail(`it needs B = ${B} lengths: it has ${lengths.length}`);
  if (index.length === 0) fail("it needs a target position: index is empty");
  if (index.length !== target.length) {
    fail(`index and target pair up: they have ${index.length} and ${target.length} elements`);
  }
  lengths.forEach((length, b) => {
    if (length < 1 || length > T) fail(`length ${b} must be 1 to T = ${T}: it is ${length}`);
  });
  end.forEach((past, row) => {
    const t = row % T, length = lengths[(row - t) / T];
    if (t < length ? past > t && past <= length : past === 0) return;
    fail(`token ${t} of ${length} must end behind itself, and padding at 0: it ends at ${past}`);
  });
  const tooLarge = (id: number): boolean => id >= V;
  for (const [name, ids] of [["token", tokens], ["target", target]] as const) {
    const at = ids.findIndex(tooLarge);
    if (at >= 0) fail(`the model has ${V} tokens: ${name} ${at} is ${ids[at]}`);
  }
  for (const row of index) {
    if (row >= B * T) fail(`row ${row} lies outside of it: B * T is ${B * T}`);
    const b = Math.floor(row / T);
    if (row - b * T >= lengths[b]) {
      fail(`row ${row} is padding: sequence ${b} has ${lengths[b]} tokens`);
    }
  }
}

/** `data` with zeros behind it. */
export function padded<A extends Float64Array | Uint32Array>(data: A, length: number): HostArray {
  const out = new (data.constructor as { new (n: number): A })(length);
  out.set(data);
  return out as HostArray;
}
