/**
 * Whose fault an error is. What was asked for and cannot be (an unknown name, a value out of range, more
 * tokens than the model has positions) is marked where the request is looked at; the command line ends
 * with 2 for it, and with 1 where a machine, a file or a network failed. A mark keeps the error's type.
 * @module
 */

const marked = new WeakSet<Error>();

/** Marks an error as one of what was asked for, and gives it back. */
export function asUsage<E extends Error>(error: E): E {
  marked.add(error);
  return error;
}

/** Whether what was asked for cannot be. */
export const isUsage = (error: unknown): boolean => error instanceof Error && marked.has(error);

/** Runs `body`, which looks at a request: a TypeError or RangeError of it is marked. */
export function markUsage<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError ? asUsage(error) : error;
  }
}
