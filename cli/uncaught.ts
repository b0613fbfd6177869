/**
 * What is thrown and caught by nothing, such as the rejection of a promise that a reward of one's own does
 * not wait for: a sentence in place of a stack, and for a run a clean end in place of a dead process.
 * @module
 */
import { excerpt } from "../base/excerpt.ts";
import { thrownText } from "../base/thrown.ts";
import type { Terminal } from "./terminal.ts";

/** Something was thrown that nothing caught; `cause` is what. */
export class UncaughtError extends Error {
  override name = "UncaughtError";
  constructor(thrown: unknown) {
    super(
      `Cannot go on as an error was thrown that nothing caught: ${
        excerpt(thrownText(thrown), 500)
      }. Await what may fail, or catch it`,
      { cause: thrown },
    );
  }
}

/** Is handed what nothing caught. */
type Take = (error: UncaughtError) => void;

const KINDS = ["error", "unhandledrejection"] as const;
const takers: Take[] = [];

function hear(event: Event): void {
  event.preventDefault(); // neither prints a stack nor ends the process, or a worker
  takers.at(-1)?.(
    new UncaughtError(
      event instanceof PromiseRejectionEvent ? event.reason : (event as ErrorEvent).error,
    ),
  );
}

/** Hands `take` what nothing catches, until it is disposed of. Where several listen, the last one is told. */
export function listenForUncaught(take: Take): Disposable {
  takers.push(take);
  if (takers.length === 1) { for (const kind of KINDS) globalThis.addEventListener(kind, hear); }
  return {
    [Symbol.dispose]() {
      takers.splice(takers.lastIndexOf(take), 1);
      if (takers.length > 0) return;
      for (const kind of KINDS) globalThis.removeEventListener(kind, hear);
    },
  };
}

/** What `body` gives. @throws {UncaughtError} at once, where something is thrown meanwhile that nothing catches */
export async function orUncaught<T>(body: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  using _listening = listenForUncaught(reject);
  return await Promise.race([body(), promise]);
}

/** How long a run may take to stop: what was thrown may be what its step waits for, and never comes. */
const PATIENCE_MS = 30_000;

/**
 * Stops a run for the first thing that nothing catches: aborts `signal`, so that the step in hand is finished
 * and saved; `overdue` rejects with the same where it does not end.
 */
export function stopForUncaught(
  { err }: Pick<Terminal, "err">,
  patience: number = PATIENCE_MS,
): Disposable & { signal: AbortSignal; overdue: Promise<never> } {
  const controller = new AbortController(), { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // whoever waits hears of it; nobody may
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listening = listenForUncaught((error) => {
    if (controller.signal.aborted) return;
    err("something was thrown that nothing caught; stopping after this step");
    timer = setTimeout(() => reject(error), patience);
    controller.abort(error);
  });
  return {
    signal: controller.signal,
    overdue: promise,
    [Symbol.dispose]() {
      clearTimeout(timer);
      listening[Symbol.dispose]();
    },
  };
}
