/** Ctrl-C: the first asks for a clean end, the second ends at once. @module */
import type { Terminal } from "./terminal.ts";

/** The reason of the signal that `listenForInterrupt` aborts. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** Exit code of a run that was interrupted. */
export const INTERRUPTED = 130;

/** Aborts `signal` at the first SIGINT or SIGTERM. Dispose of it to stop listening. */
export function listenForInterrupt(terminal: Terminal): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const listen = () => {
    if (controller.signal.aborted) Deno.exit(INTERRUPTED);
    terminal.err("stopping after this step; once more to stop at once");
    controller.abort(new Interrupted("interrupted"));
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const name of signals) Deno.addSignalListener(name, listen);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) Deno.removeSignalListener(name, listen);
    },
  };
}
