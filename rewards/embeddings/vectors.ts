/** Vectors as servers send them, and as a cache keeps them. @module */
import { AnswerError } from "../servers/errors.ts";

/**
 * The vectors of an answer to `count` texts, each at the place that its `index` names.
 * @param dimensions how many numbers each has; undefined: as many as the first
 * @throws {AnswerError} where one is missing, comes twice, or is not `dimensions` finite numbers
 */
export function readVectors(answer: unknown, count: number, dimensions?: number): Float32Array[] {
  const fault = (rule: string) =>
    new AnswerError(`its embeddings are not usable: ${rule}`, { retry: true });
  const data = (answer as { data?: unknown })?.data;
  if (!Array.isArray(data)) throw fault("there is no list of them");
  if (data.length !== count) throw fault(`${data.length} came for ${count} texts`);
  const found: Float32Array[] = [];
  for (const one of data) {
    const { index, embedding } = one ?? {};
    if (!Number.isInteger(index) || index < 0 || index >= count) throw fault("one has no place");
    if (found[index]) throw fault(`two are of text ${index}`);
    const isNumbers = Array.isArray(embedding) && embedding.every((x) => typeof x === "number");
    const vector = Float32Array.from(isNumbers ? embedding : []);
    if (vector.length === 0 || !vector.every(Number.isFinite)) {
      throw fault("one is no finite numbers");
    }
    dimensions ??= vector.length;
    if (vector.length !== dimensions) {
      throw fault(`one has ${vector.length} numbers, others ${dimensions}`);
    }
    found[index] = vector;
  }
  return found;
}

/** A vector as text. */
export const vectorText = (vector: Float32Array): string =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength).toBase64();

/** The vector of a text that `vectorText` made; undefined for what is none of `dimensions` numbers. */
export function textVector(text: string, dimensions?: number): Float32Array | undefined {
  try {
    const vector = new Float32Array(Uint8Array.fromBase64(text).buffer);
    const isOne = vector.length === (dimensions ?? vector.length) && vector.length > 0;
    return isOne && vector.every(Number.isFinite) ? vector : undefined;
  } catch {
    return undefined; // no base64, or bytes that are no numbers
  }
}
