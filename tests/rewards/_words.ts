/** A tiny embedding space with known angles, and the bytes of a word file. @module */
import { crc32 } from "node:zlib";
import { WordVectors } from "../../rewards/embeddings/word_vectors.ts";
import type { RewardBatch } from "../../rewards/reward.ts";

/** Cosines with "one": north 0, minus -1, eight 0.8, half 0.5 (up to rounding to whole numbers). */
export const SPACE: Record<string, [number, number]> = {
  eight: [80, 60],
  half: [60, 104], // 60 / sqrt(60^2 + 104^2) = 0.49972
  minus: [-3, 0],
  nil: [0, 0],
  north: [0, 7],
  one: [100, 0],
};

/** `SPACE` as an embedder; every scale is 0.5. */
export function space(): WordVectors {
  const words = Object.keys(SPACE);
  const values = Int8Array.from(words.flatMap((word) => SPACE[word]));
  const scale = new Float32Array(words.length).fill(0.5);
  return new WordVectors({ words, dimensions: 2, scale, values }, "space");
}

/** A batch whose prompts do not matter; ids are "0", "1", … */
export function batch(completions: string[], answers: (string | undefined)[] = []): RewardBatch {
  return {
    prompts: completions.map(() => ""),
    completions,
    examples: completions.map((_, i) => ({ id: `${i}`, prompt: "", answer: answers[i] })),
  };
}

/** What `wordFile` writes, when not told otherwise. */
export interface WordFileParts {
  magic?: string;
  version?: number;
  W?: number;
  D?: number;
  S?: number;
  words?: string;
  scale?: number[];
  values?: number[];
  checksum?: number;
}

/** The bytes of a word file of two words and three dimensions, with any part replaced. */
export function wordFile(parts: WordFileParts = {}): Uint8Array<ArrayBuffer> {
  const { magic = "PRLWORDS", version = 1, words = "cat\ndog", scale = [0.5, 2] } = parts;
  const { values = [1, -2, 127, -127, 0, 3], W = 2, D = 3, S = words.length } = parts;
  const bytes = new Uint8Array(28 + words.length + 4 * scale.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic).subarray(0, 8));
  bytes.set([...words].map((c) => c.charCodeAt(0)), 28);
  scale.forEach((x, i) => view.setFloat32(28 + words.length + 4 * i, x, true));
  bytes.set(Uint8Array.from(values), 28 + words.length + 4 * scale.length);
  const { checksum = crc32(bytes.subarray(28)) } = parts;
  [version, W, D, S, checksum].forEach((x, i) => view.setUint32(8 + 4 * i, x, true));
  return bytes;
}
