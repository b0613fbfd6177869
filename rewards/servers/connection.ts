/** Requests to one server: in their turn, tried again where that helps, until nothing helps. @module */
import { sleep } from "../../base/wait.ts";
import { baseOf } from "./address.ts";
import type { Ask, Patience } from "./ask.ts";
import { AnswerError, OutageError } from "./errors.ts";
import type { Gate } from "./gate.ts";
import { type Endpoint, post } from "./post.ts";

const MAX_WAIT = 60_000; // ms that a Retry-After may ask for, and that a pause takes

/** A server of a run, in one of the parts that servers play. */
export class Connection {
  /** Requests sent, and those of them that were sent again. */
  readonly counts: Record<"sent" | "again" | "failed", number> = { sent: 0, again: 0, failed: 0 };
  /** Why the last request that was given up had no usable answer. */
  lastFault: string | undefined;
  #failedInRow = 0;

  constructor(readonly endpoint: Endpoint, readonly gate: Gate, readonly patience: Patience) {}

  /** Host and path, for messages. */
  get name(): string {
    return baseOf(this.endpoint.address);
  }

  /**
   * @throws {AnswerError} where this request has no usable answer after all its tries
   * @throws {OutageError} where too many in a row had none, or none can have one
   * @throws the signal's reason where it aborts
   */
  async ask<T>(request: Ask<T>): Promise<T> {
    const { serverRetries, serverPause } = this.patience;
    for (let tried = 1;; tried++) {
      try {
        const answer = await this.gate.run(() => this.#send(request, tried), request.signal);
        this.#failedInRow = 0;
        return answer;
      } catch (error) {
        if (error instanceof OutageError) {
          throw new OutageError(this.#cannot(error), { cause: error });
        }
        if (!(error instanceof AnswerError)) throw error;
        const { retry = false, wait = 1000 * serverPause * 2 ** (tried - 1) } = error.fault;
        const isLong = error.fault.wait !== undefined && wait > MAX_WAIT;
        if (!retry || isLong || tried > serverRetries) throw this.#failed(error);
        if (error.fault.wait !== undefined) this.gate.hold(wait);
        await sleep(Math.min(wait, MAX_WAIT), request.signal);
      }
    }
  }

  async #send<T>({ path, body, maxBytes, read, signal }: Ask<T>, tried: number): Promise<T> {
    this.counts.sent++;
    if (tried > 1) this.counts.again++;
    return read(await post(this.endpoint, path, { body, maxBytes, signal }));
  }

  /** The error of a request that is given up. */
  #failed(error: AnswerError): Error {
    this.counts.failed++;
    this.lastFault = error.message;
    const { wait } = error.fault, { serverOutage } = this.patience;
    const asks = wait !== undefined && wait > MAX_WAIT ? `, and asks to wait ${wait / 1000} s` : "";
    const message = this.#cannot(error) + asks;
    if (++this.#failedInRow < serverOutage) return new AnswerError(message, { cause: error });
    return new OutageError(
      `${message}. So ended ${this.#failedInRow} requests in a row (serverOutage): see to the server, ` +
        "then continue",
      { cause: error },
    );
  }

  #cannot = ({ message }: Error): string => `Cannot ask ${this.name} as ${message}`;
}
