/** Groups that a later step learns from, as they lie in the trainer's state. @module */
import { described } from "../base/excerpt.ts";
import type { Drawn } from "./drawn.ts";
import type { Scores } from "./scores.ts";

/**
 * Groups as plain JSON. Token ids (int32) and log-probabilities (float32) are the bytes of their arrays,
 * little-endian, in base64: no bit is lost, and it is a third of the size of decimal digits.
 */
export interface SavedGroups {
  /** Completions of each group. */
  groupSize: number;
  /** One a group. */
  prompts: string[];
  /** One a completion, as all that follows. */
  responses: string[];
  logprobs: string[];
  finished: boolean[];
  scores: Scores;
  greedyScores?: Scores;
  /** Each reward that the scores sum up. */
  columns: { name: string; weight: number; scores: Scores }[];
}

/** Groups of `groupSize` completions as plain JSON. */
export function saveGroups(
  { rollout, scores, columns, greedyScores }: Drawn,
  groupSize: number,
): SavedGroups {
  const { prompts, responses, logprobs, finished } = rollout;
  return {
    groupSize,
    prompts: prompts.filter((_, row) => row % groupSize === 0).map(toText),
    responses: responses.map(toText),
    logprobs: logprobs.map(toText),
    finished: [...finished],
    scores: [...scores],
    ...(greedyScores && { greedyScores: [...greedyScores] }),
    columns: columns.map((column) => ({ ...column, scores: [...column.scores] })),
  };
}

const cannot = (rule: string) =>
  new TypeError(`Cannot restore the trainer as its kept groups ${rule}`);

/**
 * What `saveGroups` was given.
 * @throws {TypeError} where it is not what `saveGroups` gives, or its groups are of another size
 */
export function readGroups(saved: SavedGroups, groupSize: number): Drawn {
  if (saved?.groupSize !== groupSize) {
    throw cannot(
      `must be of groupSize=${groupSize} completions: they are of ${described(saved?.groupSize)}`,
    );
  }
  const groups = Array.isArray(saved.prompts) ? saved.prompts.length : 0, rows = groups * groupSize;
  if (groups === 0) throw cannot(`must have prompts: they are ${described(saved.prompts)}`);
  const prompts = listOf(saved.prompts, groups, "prompts", BYTES).map(toInts);
  const responses = listOf(saved.responses, rows, "responses", BYTES).map(toInts);
  const logprobs = listOf(saved.logprobs, rows, "logprobs", BYTES)
    .map((text) => new Float32Array(toBytes(text)!));
  const odd = responses.findIndex(({ length }, row) => length !== logprobs[row].length);
  if (odd >= 0) {
    const [tokens, numbers] = [responses, logprobs].map((of) => of[odd].length);
    throw cannot(`must have one logprob a token: response ${odd} has ${numbers} of ${tokens}`);
  }
  const { greedyScores, columns } = saved;
  const scoresOf = (of: unknown, name: string) => listOf(of, rows, name, SCORE);
  return {
    rollout: {
      prompts: prompts.flatMap((prompt) => Array<Int32Array>(groupSize).fill(prompt)),
      ...{ responses, logprobs },
      finished: listOf(saved.finished, rows, "finished", FLAG),
    },
    scores: scoresOf(saved.scores, "scores"),
    ...(greedyScores && { greedyScores: scoresOf(greedyScores, "greedyScores") }),
    columns: listOf(columns, columns?.length, "columns", COLUMN).map((
      { name, weight, scores },
    ) => ({
      ...{ name, weight },
      scores: scoresOf(scores, `scores of ${name}`),
    })),
  };
}

/** What the items of a list must be. */
interface Kind<T> {
  what: string;
  is(item: unknown): item is T;
}

const BYTES: Kind<string> = {
  what: "32-bit numbers in base64",
  is: (item): item is string => typeof item === "string" && (toBytes(item)?.byteLength ?? 0) > 0,
};
const FLAG: Kind<boolean> = {
  what: "true or false",
  is: (item): item is boolean => typeof item === "boolean",
};
const SCORE: Kind<number | null> = {
  what: "a number, finite in 32 bits, or null",
  is: (item): item is number | null =>
    item === null || typeof item === "number" && Number.isFinite(Math.fround(item)),
};
const COLUMN: Kind<SavedGroups["columns"][number]> = {
  what: "a name, a weight and scores",
  is: (item): item is SavedGroups["columns"][number] => {
    const { name, weight } = (item ?? {}) as Record<string, unknown>;
    return typeof name === "string" && Number.isFinite(weight);
  },
};

/** A list of so many items of a kind. @throws {TypeError} where it is another */
function listOf<T>(of: unknown, length: number, name: string, { what, is }: Kind<T>): T[] {
  if (!Array.isArray(of) || of.length !== length) {
    throw cannot(`must have ${length ?? "a list of"} ${name}: it is ${described(of)}`);
  }
  if (of.every(is)) return of;
  const wrong = described(of.find((item) => !is(item)));
  throw cannot(`must have ${name} of which each is ${what}: one is ${wrong}`);
}

/** The bytes of an array in base64. */
const toText = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): string =>
  new Uint8Array(buffer, byteOffset, byteLength).toBase64();

/** The bytes behind a text; undefined where it is not base64 of whole 32-bit numbers. */
function toBytes(text: string): ArrayBuffer | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text);
    return bytes.length % 4 === 0 ? bytes.buffer : undefined;
  } catch {
    return undefined;
  }
}

const toInts = (text: string): Int32Array => new Int32Array(toBytes(text)!);
