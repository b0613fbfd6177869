/** Tries that end: with pauses in between, as long as the hub asks for. @module */
import { sleep } from "../../base/wait.ts";
import type { HubConnection } from "./client.ts";
import { HubError, RetryableError } from "./errors.ts";

const MAX_WAIT = 60_000; // ms that a Retry-After may ask for

/** Runs `attempt` again after a `RetryableError`, with pauses, until tries are used up. */
export async function retrying<T>(hub: HubConnection, attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1;; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      const { code, message, more: { wait, progress } } = error;
      if (progress) tried = 1;
      if (tried >= hub.tries) {
        throw new HubError(code, `${message}. Gave up after ${tried} tries; try again later`, {
          cause: error,
        });
      }
      if (wait !== undefined && wait > MAX_WAIT) {
        throw new HubError(
          code,
          `${message}, and asks to wait ${Math.ceil(wait / 1000)} seconds: try again then`,
          { cause: error },
        );
      }
      const pause = Math.min(wait ?? hub.pause * 2 ** (tried - 1), MAX_WAIT);
      hub.step?.(`${message}. Trying again in ${pause / 1000} s (${tried + 1} of ${hub.tries})`);
      await sleep(pause, hub.signal);
    }
  }
}
