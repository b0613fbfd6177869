/** That a reward failed, apart from all else that ends a run. @module */

/** A reward failed: completions were drawn, and nothing was learned from them. */
export class ScoreError extends Error {
  override name = "ScoreError";
}
