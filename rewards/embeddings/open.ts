/** The space that a setting names. @module */
import type { RewardContext, TextEmbedder } from "../reward.ts";
import { loadWordVectors } from "./word_vectors.ts";

/** Name of the word vectors that ship with the project. */
export const WORDS = "words";

/** Whether a name is that of a file of word vectors in text. */
export const isVectorFile = (name: string): boolean => /\.(?:txt|vec)(?:\.gz)?$/i.test(name);

/** Name of the sentence encoder that a setting means; undefined where it means word vectors. */
export const encoderOf = (name: string): string | undefined =>
  name === WORDS || isVectorFile(name) ? undefined : name;

/** Opens the space that `name` means. @throws {TypeError} where nobody can open such a one */
export function openEmbedder(
  name: string,
  rows: number,
  { openEncoder, openWordVectors }: RewardContext,
): Promise<TextEmbedder> {
  const cannot = (why: string) => new TypeError(`Cannot embed with ${name} as ${why}`);
  if (name === WORDS) return loadWordVectors();
  if (isVectorFile(name)) {
    if (openWordVectors) return openWordVectors(name, rows);
    throw cannot("its file must be read by whoever opens the reward: give openWordVectors");
  }
  if (openEncoder) return openEncoder(name);
  throw cannot("a sentence encoder needs a device: give one beside it");
}
