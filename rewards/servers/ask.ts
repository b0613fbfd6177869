/** One request, and many, which all stop where one of them must. @module */

/** How a connection goes on after a failure. */
export interface Patience {
  /** Further tries of a request. */
  retries: number;
  /** Milliseconds before the second try, doubled before each further one. */
  pause: number;
  /** Requests in a row without a usable answer that stop the run. */
  outage: number;
}

/** One request. */
export interface Ask<T> {
  path: string;
  body: unknown;
  /** Most bytes of an answer. */
  maxBytes: number;
  /** Takes what is wanted from the answer. @throws {AnswerError} where it is not there */
  read(answer: unknown): T;
  signal?: AbortSignal;
}

/**
 * What `ask` gives for each item, in their order. Where one throws, the signal that the others were given
 * aborts, and its error is thrown.
 */
export async function askAll<T, R>(
  items: readonly T[],
  ask: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const stop = new AbortController(), end = () => stop.abort(signal!.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", end, { once: true });
  try {
    return await Promise.all(items.map((item) => ask(item, stop.signal)));
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", end);
  }
}
