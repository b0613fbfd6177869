/** The processes that run now, and how a signal ends them. @module */
import { type Ended, type Job, runProcess } from "./process.ts";

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];
/** `deno task` forwards what the terminal sends to everybody already: within so many ms it is one signal. */
const SAME_SIGNAL = 500;
/** How long a process may take to end, ms. */
const PATIENCE = 20_000;

/** Runs processes until a signal comes, which ends those that run. */
export class Running implements Disposable {
  readonly #children = new Map<Deno.ChildProcess, string>();
  readonly #listeners: [signal: Deno.Signal, listener: () => void][];
  #stopped?: { signal: Deno.Signal; at: number; timer: ReturnType<typeof setTimeout> };

  /** `onStop` gets the signal, and the names of what runs; `program` takes the place of `deno`. */
  constructor(
    readonly onStop: (signal: Deno.Signal, names: string[]) => void,
    readonly program?: string,
  ) {
    this.#listeners = SIGNALS.map((signal) => {
      const listener = () => this.#stop(signal);
      Deno.addSignalListener(signal, listener);
      return [signal, listener];
    });
  }

  /** The signal that came. */
  get stoppedBy(): Deno.Signal | undefined {
    return this.#stopped?.signal;
  }

  /** Runs a process to its end. */
  async run(job: Job): Promise<Ended> {
    let child: Deno.ChildProcess | undefined;
    const ended = await runProcess(job, {
      program: this.program,
      onStart: (started) => this.#children.set(child = started, job.name),
    });
    this.#children.delete(child!);
    return ended;
  }

  #stop(signal: Deno.Signal): void {
    const now = performance.now();
    if (this.#stopped) {
      if (now - this.#stopped.at > SAME_SIGNAL) this.#kill("SIGKILL");
      return;
    }
    const timer = setTimeout(() => this.#kill("SIGKILL"), PATIENCE);
    this.#stopped = { signal, at: now, timer };
    this.onStop(signal, [...this.#children.values()]);
    this.#kill(signal);
  }

  #kill(signal: Deno.Signal): void {
    for (const child of this.#children.keys()) {
      try {
        child.kill(signal);
      } catch {
        // It has ended.
      }
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#stopped?.timer);
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
