/** The servers that a run asks, and the command that may. @module */
import { isAddress, serverAddress } from "../rewards/servers/address.ts";
import { rewardSetting } from "../rewards/registry.ts";
import type { ParentSettings } from "../rewards/parents/settings.ts";
import type { ChosenReward } from "./rewards.ts";

/** What of a request says whom its run asks. */
export interface Asking {
  rewards: readonly ChosenReward[];
  parent: Readonly<ParentSettings>;
}

/**
 * The addresses that the run asks, each once, by the setting that names it first.
 * @throws {TypeError} for an address that cannot be used
 */
export function addressesOf({ rewards, parent }: Asking): URL[] {
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
export const asksServers = (asking: Asking): boolean => addressesOf(asking).length > 0;

/** The command that trains, or does another thing, with these hosts; without any the one without a network. */
export const trainCommand = (hosts: readonly string[], task: "train" | "eval" = "train"): string =>
  hosts.length === 0
    ? `deno task ${task}`
    : `PLAINRL_HOST=${hosts.join(",")} deno task ${task}:net`;

/** The hosts that settings of a command line name. */
export function hostsIn(settings: Readonly<Record<string, unknown>>): string[] {
  const hosts = Object.values(settings).flatMap((value) =>
    isAddress(value) && URL.canParse(value) ? [new URL(value).host] : []
  );
  return [...new Set(hosts)];
}
