/** Scores are awaited while the device works. @module */
import type { Timed } from "./timings.ts";

/**
 * Asks for scores and evaluates in the meantime: the scores of a server, or of a processor, then cost only
 * what they take longer. Both are done, or have failed, when it returns or throws, so that nothing goes on
 * behind a caller's back; where both fail, the error is that of the score. The time of an evaluation is all
 * that it took, that of scoring is the call and what was waited for it beyond.
 * @throws what either throws
 */
export async function scoreWhile<S, E>(
  score: () => Promise<S>,
  evaluate: () => Promise<E>,
  timed: Timed,
): Promise<{ given: S; evaluated: E }> {
  const { pending } = await timed("score", () => {
    const pending = (async () => await score())(); // what it throws at once is a rejection too
    pending.catch(() => {}); // it is awaited below, perhaps long after it failed
    return Promise.resolve({ pending });
  });
  const done = await timed("evaluate", evaluate)
    .then((evaluated) => ({ evaluated }), (error: unknown) => ({ error }));
  const given = await timed("score", () => pending);
  if ("error" in done) throw done.error;
  return { given, evaluated: done.evaluated };
}
