/** The tokens that end a text, as a config or a caller states them: the one reading of it. @module */

/** One id, several, or null: none does. As `eos_token_id` of Hugging Face's files. */
export type Ends = number | readonly number[] | null;

/** The ids, in the order stated. */
export function endsOf(ends: Ends | undefined): readonly number[] {
  if (ends === null || ends === undefined) return [];
  return typeof ends === "number" ? [ends] : ends;
}

/** The shortest way to state `ids`, which is how files and configs keep them. */
export function statedEnds(ids: readonly number[]): Ends {
  return ids.length > 1 ? ids : ids[0] ?? null;
}

/** A response up to its end token, if it has one. */
export function withoutEnd(response: Int32Array, ends: Ends): Int32Array {
  const last = response.at(-1);
  return last !== undefined && endsOf(ends).includes(last) ? response.subarray(0, -1) : response;
}
