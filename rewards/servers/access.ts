/** What whoever starts a run gives the servers that it asks. @module */
import { asUsage } from "../../base/usage.ts";
import { isLoopback } from "./address.ts";
import type { AnswerCache } from "./cache.ts";
import type { Secret } from "./secret.ts";

/** What a server is asked for. */
export type ServerRole = "judge" | "parent" | "embedding";

/** The variable that the key of a part is read from. */
export const keyVariable = (role: ServerRole): string => `PLAINRL_${role.toUpperCase()}_KEY`;

/** What whoever starts a run gives its servers. */
export interface ServerAccess {
  /** The key for a server in its part. Default: none. */
  key?(role: ServerRole, address: URL): Secret | undefined;
  /** Answers that need not be asked for. Default: those of this run. */
  cache?: AnswerCache;
  /** Where it aborts, no request goes on. */
  signal?: AbortSignal;
  /** Default: the runtime's own. */
  fetch?: typeof fetch;
}

/** @throws {TypeError} where a key would travel so that others can read it */
export function requireHidden({ from }: Secret, address: URL): void {
  if (address.protocol === "https:" || isLoopback(address)) return;
  throw asUsage(
    new TypeError(
      `Cannot send the key in ${from} to ${address.host} as http shows it to anyone on the way: use ` +
        `https, or unset ${from}`,
    ),
  );
}
