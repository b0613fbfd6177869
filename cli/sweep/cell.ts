/**
 * One run of a sweep, in a worker: a thread with a JavaScript engine of its own, which starts no process and
 * so needs no permission that a single run has not. It is told its command line, and later to stop.
 * @module
 */
import { singleRun } from "../commands/train.ts";
import { Interrupted } from "../interrupt.ts";
import { main } from "../main.ts";

/** What a cell is told. */
export type ToCell = { args: string[] } | { stop: true };

/** What a cell says: how far it is, at last how it ended. */
export type FromCell = { step: number; steps: number } | { code: number; message?: string };

/** Of a worker's global scope, what is used; the types of the project are those of a program. */
interface Scope {
  onmessage: ((event: MessageEvent<ToCell>) => void) | null;
  postMessage(message: FromCell): void;
  addEventListener(kind: "unload", call: () => void): void;
  close(): void;
}

const scope = globalThis as unknown as Scope;
const stop = new AbortController();

// Code of a user's own may call Deno.exit, which ends the thread: nobody would hear of it.
scope.addEventListener("unload", () =>
  scope.postMessage({
    code: 1,
    message: "Cannot go on as the code of its task or reward ended its thread: leave Deno.exit out",
  }));

scope.onmessage = async ({ data }) => {
  if ("stop" in data) return stop.abort(new Interrupted("interrupted"));
  let last = "";
  const code = await main(data.args, {
    commands: [singleRun({
      listen: () => ({ signal: stop.signal, [Symbol.dispose]() {} }),
      follow: (step, steps) => scope.postMessage({ step, steps }),
    })],
    terminal: {
      out: (line) => last = line,
      write: () => {},
      err: () => {},
      fancy: false,
      columns: 100,
    },
  });
  scope.postMessage({ code, message: messageIn(last) });
  scope.close();
};

/** What went wrong, by the object that `--json` ends with. */
function messageIn(line: string): string | undefined {
  try {
    return JSON.parse(line).error?.message;
  } catch {
    return undefined; // another line, or none
  }
}
