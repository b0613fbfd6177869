/** The servers that a run asks: which they are, whether it may, and what it gives them. @module */
import { asUsage } from "../base/usage.ts";
import { isAddress, serverAddress } from "../rewards/servers/address.ts";
import { AnswerCache } from "../rewards/servers/cache.ts";
import type { ServerLimits } from "../rewards/servers/limits.ts";
import { Servers } from "../rewards/servers/servers.ts";
import { rewardSetting } from "../rewards/registry.ts";
import type { ParentSettings } from "../rewards/parents/settings.ts";
import { openAnswerFile } from "./folder/answer_file.ts";
import { mayReach, serverKey } from "./folder/server_access.ts";
import type { ChosenReward } from "./rewards.ts";

/** What of a resolved request says whom it asks. */
export interface Asking {
  rewards: readonly ChosenReward[];
  parent: Readonly<ParentSettings>;
  servers: Readonly<ServerLimits>;
}

/**
 * The addresses that the run asks, each once, by the setting that names it first.
 * @throws {TypeError} for an address that cannot be used
 */
export function addressesOf({ rewards, parent }: Pick<Asking, "rewards" | "parent">): URL[] {
  const named = rewards.flatMap((one): [string, string][] => {
    const address = "definition" in one ? one.definition.server?.(one.settings) : undefined;
    if (address === undefined || !("definition" in one)) return [];
    const { definition, settings } = one;
    const option = definition.options.names.find((name) => settings[name] === address);
    return [[rewardSetting(definition, option ?? "server"), address]];
  });
  if (isAddress(parent.parent)) named.push(["parent", parent.parent]);
  const all = named.map(([setting, text]) => serverAddress(text, setting));
  return [...new Map(all.map((url) => [url.href, url])).values()];
}

/** Whether the run asks any. */
export const asksServers = (asking: Pick<Asking, "rewards" | "parent">): boolean =>
  addressesOf(asking).length > 0;

/**
 * The servers of a run, where it may reach them.
 * @throws {Error} marked as usage, without the network's permission, with the command that gives it
 * @throws {WriteError} where the file of answers cannot be read and written
 */
export async function openServers(asking: Asking, signal?: AbortSignal): Promise<Servers> {
  const all = addressesOf(asking);
  if (all.length === 0) return new Servers({ signal }, asking.servers);
  const closed = all.find((address) => !mayReach(address));
  if (closed) {
    const line = trainCommand([...new Set(all.map(({ host }) => host))]);
    throw asUsage(
      new Error(
        `Cannot ask ${closed.host} as this command may not use that network address. Write what ` +
          `follows "deno task train" behind this: ${line}`,
      ),
    );
  }
  const { serverCache } = asking.servers;
  const cache = serverCache === undefined
    ? undefined
    : await AnswerCache.open(await openAnswerFile(serverCache));
  return new Servers({ key: serverKey, cache, signal }, asking.servers);
}

/** The command that trains with these hosts; without any the one without a network. */
export const trainCommand = (hosts: readonly string[]): string =>
  hosts.length === 0 ? "deno task train" : `PLAINRL_HOST=${hosts.join(",")} deno task train:net`;

/** The hosts that settings of a command line name. */
export function hostsIn(settings: Readonly<Record<string, unknown>>): string[] {
  const hosts = Object.values(settings).flatMap((value) =>
    isAddress(value) && URL.canParse(value) ? [new URL(value).host] : []
  );
  return [...new Set(hosts)];
}
