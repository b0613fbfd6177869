/** Opens the servers of a run, where it may reach them. @module */
import { asUsage } from "../base/usage.ts";
import { AnswerCache } from "../rewards/servers/cache.ts";
import type { ServerLimits } from "../rewards/servers/limits.ts";
import { Servers } from "../rewards/servers/servers.ts";
import { openAnswerFile } from "./folder/answer_file.ts";
import { mayReach, serverKey } from "./folder/server_access.ts";
import { addressesOf, type Asking, asksServers, trainCommand } from "./servers.ts";

/**
 * The servers of a run, where it may reach them.
 * @param task of deno.json, for the command that errors name
 * @throws {Error} marked as usage, without the network's permission, with the command that gives it
 * @throws {WriteError} where the file of answers cannot be read and written
 */
export async function openServers(
  asking: Asking & { servers: Readonly<ServerLimits> },
  signal?: AbortSignal,
  task: "train" | "eval" = "train",
): Promise<Servers> {
  requireReachable(asking, task);
  if (!asksServers(asking)) return new Servers({ signal }, asking.servers);
  const { serverCache } = asking.servers;
  const cache = serverCache === undefined
    ? undefined
    : await AnswerCache.open(await openAnswerFile(serverCache));
  return new Servers({ key: serverKey, cache, signal }, asking.servers);
}

/** @throws {Error} marked as usage, where a run may not reach its servers, with the command that may */
export function requireReachable(asking: Asking, task: "train" | "eval" = "train"): void {
  const all = addressesOf(asking);
  const closed = all.find((address) => !mayReach(address));
  if (!closed) return;
  const line = trainCommand([...new Set(all.map(({ host }) => host))], task);
  throw asUsage(
    new Error(
      `Cannot ask ${closed.host} as this program may not use the network there. In place of "deno task ` +
        `${task}", begin the same line with: ${line}`,
    ),
  );
}
