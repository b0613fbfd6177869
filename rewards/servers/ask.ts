/** One request, and many, which all stop where one of them must. @module */
import type { ServerLimits } from "./limits.ts";

/** How a connection goes on after a failure. */
export type Patience = Pick<ServerLimits, "serverRetries" | "serverPause" | "serverOutage">;

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
