/** What goes wrong with a server: for one request, or for all that would follow. @module */

/** How a failed request may be gone on with. */
export interface AnswerFault {
  /** True where the next try may be answered. */
  retry?: boolean;
  /** Milliseconds that the server asks to wait before it. */
  wait?: number;
  cause?: unknown;
}

/** One request got no answer that can be used: what it was about has no score, and is counted. */
export class AnswerError extends Error {
  override name = "AnswerError";
  constructor(message: string, readonly fault: AnswerFault = {}) {
    super(message, { cause: fault.cause });
  }
}

/** No request can be expected to be answered: whatever needs the answers must stop. */
export class OutageError extends Error {
  override name = "OutageError";
}

/** Whether `error`, or what caused it, passes `test`. */
export function causedBy(error: unknown, test: (cause: unknown) => boolean): boolean {
  for (let cause = error, deep = 0; cause !== undefined && deep < 10; deep++) {
    if (test(cause)) return true;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return false;
}
