/** Ctrl-C: the first asks for a clean end, a second ends at once. @module */
import type { Terminal } from "./terminal.ts";

/** The reason of the signal that `listenForInterrupt` aborts. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** Exit code of a run that was interrupted. */
export const INTERRUPTED = 130;

/**
 * One press of Ctrl-C arrives more than once: the terminal signals every process of the group, and each
 * one above (`npx`, `deno task`) forwards it. Signals closer together than this are one.
 */
export const ECHO_MS = 500;

/** Calls back after so many ms, which keeps no process alive; gives what takes that back. */
type Later = (call: () => void, ms: number) => () => void;

const later: Later = (call, ms) => {
  const timer = setTimeout(call, ms);
  Deno.unrefTimer(timer);
  return () => clearTimeout(timer);
};

/**
 * Tells a second wish to stop from the echoes of the first. When a signal arrived is not told, and while a
 * pass computes on the processor nothing is heard: what is heard as soon as it ends may be an echo that
 * came as it began. So a wish is a second one only where the program had a turn to hear of echoes in between.
 */
export class StopWishes {
  #isFirst = true;
  #isOver = false;
  #cancel = () => {};

  constructor(readonly after: Later = later) {}

  /** What a signal that is heard asks for. */
  take(signal: Deno.Signal): "stop" | "nothing" | "exit" {
    const [isFirst, isOver] = [this.#isFirst, this.#isOver];
    this.#cancel();
    this.#isFirst = this.#isOver = false;
    this.#cancel = this.after(() => {
      // Signals that waited behind a pass, as this timer may have, are heard before the next one.
      this.#cancel = this.after(() => this.#isOver = true, 0);
    }, ECHO_MS);
    if (isFirst) return "stop";
    // A terminal that closes, or a shell that ends after Ctrl-C, hangs up by itself: nobody asked twice.
    return signal === "SIGHUP" || !isOver ? "nothing" : "exit";
  }
}

/** Windows knows no SIGTERM and no hang-up that leaves time for a checkpoint. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Aborts `signal` at the first SIGINT, SIGTERM or SIGHUP, and ends the process at a second wish. Dispose
 * of it to stop listening.
 * @param unit what is finished before it stops; or when it stops, in words behind "stopping", as it is then
 */
export function listenForInterrupt(
  { err }: Pick<Terminal, "err">,
  unit: string | (() => string) = "step",
): Disposable & { signal: AbortSignal } {
  const controller = new AbortController(), wishes = new StopWishes();
  const listeners = SIGNALS.map((name) => {
    const listener = () => {
      const wish = wishes.take(name);
      if (wish === "exit") Deno.exit(INTERRUPTED);
      if (wish === "nothing") return;
      const when = typeof unit === "string" ? `after this ${unit}` : unit();
      err(`stopping ${when}; once more to stop at once`);
      controller.abort(new Interrupted("interrupted"));
    };
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}
