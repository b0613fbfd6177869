/** What goes wrong on a WebGPU device, which says so later and elsewhere: kept until the next read. @module */
import { OutOfMemoryError } from "../pool.ts";

/** Raised when the driver takes the device away: a crash, a reset, or `destroy`. */
export class DeviceLostError extends Error {
  override name = "DeviceLostError";
}

/** Raised when a kernel does not compile; the message has the line of its WGSL. */
export class ShaderError extends Error {
  override name = "ShaderError";
}

/** Causes come before what follows from them, which may be reported first. */
const CAUSES = [DeviceLostError, OutOfMemoryError, ShaderError];

const rankOf = (error: Error): number => {
  const rank = CAUSES.findIndex((cause) => error instanceof cause);
  return rank < 0 ? CAUSES.length : rank;
};

/** Errors that are asked for at every read; an event of them might come after it. */
const WATCHED: readonly GPUErrorFilter[] = ["validation", "out-of-memory"];

/** The first error of the gravest kind that a device reported. */
export class Faults {
  #error?: Error;
  #unanswered = new Set<Promise<void>>(); // error scopes that the driver has not answered

  /** Watches `device` from now on: without that Deno drops validation errors. */
  constructor(readonly device: GPUDevice, readonly heldBytes: () => number) {
    for (const filter of WATCHED) device.pushErrorScope(filter);
    device.addEventListener("uncapturederror", (event) => { // of other kinds
      event.preventDefault();
      this.#reportUnexplained((event as GPUUncapturedErrorEvent).error);
    });
    device.lost.then((lost) =>
      this.report(
        new DeviceLostError(
          `Cannot continue as the GPU device was lost: ${lost.message || lost.reason}. ` +
            `Resume from the last checkpoint, or use --device cpu`,
        ),
      )
    );
  }

  /** Whether anything went wrong so far, as far as the driver has told. */
  get any(): boolean {
    return this.#error !== undefined;
  }

  /** @throws {DeviceLostError} when the device is gone */
  checkLost(): void {
    if (this.#error instanceof DeviceLostError) throw this.#error;
  }

  /** Notes an error, unless one is known that is as grave or graver. */
  report(error: Error): void {
    if (!this.#error || rankOf(error) < rankOf(this.#error)) this.#error = error;
  }

  /** Runs `body` in an error scope, and reports what `explain` makes of the scope's error. */
  scope<T>(
    filter: GPUErrorFilter,
    body: () => T,
    explain: (error: GPUError, result: T) => Error | Promise<Error>,
  ): T {
    this.device.pushErrorScope(filter);
    const result = body();
    this.#close(async (error) => this.report(await explain(error, result)));
    return result;
  }

  /** The error so far, once every scope was answered. */
  async settled(): Promise<Error | undefined> {
    for (const _ of WATCHED) this.#close((error) => this.#reportUnexplained(error));
    for (const filter of WATCHED) this.device.pushErrorScope(filter);
    await Promise.all(this.#unanswered);
    return this.#error;
  }

  /** Ends the innermost error scope; what it caught is reported when the driver tells. */
  #close(report: (error: GPUError) => void | Promise<void>): void {
    const answer = this.device.popErrorScope()
      .then((error) => error ? report(error) : undefined)
      .catch(() => {}) // the device is lost, which is reported elsewhere
      .finally(() => this.#unanswered.delete(answer));
    this.#unanswered.add(answer);
  }

  #reportUnexplained(error: GPUError): void {
    this.report(
      error instanceof GPUOutOfMemoryError
        ? new OutOfMemoryError("a transfer", 0, this.heldBytes())
        : new Error(`GPU validation failed: ${error.message.trim()}`),
    );
  }
}
