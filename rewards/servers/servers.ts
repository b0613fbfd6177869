/** The servers that a run's rewards and parent ask. @module */
import { asUsage } from "../../base/usage.ts";
import { keyVariable, requireHidden, type ServerAccess, type ServerRole } from "./access.ts";
import { serverAddress } from "./address.ts";
import { AnswerCache } from "./cache.ts";
import type { ChatServer } from "./chat.ts";
import { Connection } from "./connection.ts";
import { Gate } from "./gate.ts";
import { SERVER_OPTIONS, type ServerLimits } from "./limits.ts";

/** All of them, with one gate for each host. */
export class Servers {
  readonly limits: Readonly<ServerLimits>;
  readonly cache: AnswerCache;
  readonly signal: AbortSignal | undefined;
  #access: ServerAccess;
  #gates = new Map<string, Gate>();
  #connections = new Map<string, Connection>();

  /** @throws {TypeError|RangeError} for limits that are none */
  constructor(access: ServerAccess = {}, limits: Partial<ServerLimits> = {}) {
    this.limits = SERVER_OPTIONS.resolve(limits);
    this.cache = access.cache ?? new AnswerCache();
    this.signal = access.signal;
    this.#access = access;
  }

  /**
   * @param setting what the address was given as, for errors
   * @throws {TypeError} for an address that cannot be used, or a key that others could read on its way
   */
  connect(role: ServerRole, text: string, setting: string): Connection {
    const address = serverAddress(text, setting), key = this.#access.key?.(role, address);
    const known = this.#connections.get(`${role} ${address.href}`);
    if (known) return known;
    if (key) requireHidden(key, address);
    const { limits } = this;
    const gate = this.#gates.get(address.host) ??
      new Gate(limits.serverRequests, limits.serverPerMinute);
    this.#gates.set(address.host, gate);
    const timeout = 1000 * limits.serverTimeout, { fetch = globalThis.fetch } = this.#access;
    const endpoint = { address, key, keyFrom: keyVariable(role), fetch, timeout };
    const connection = new Connection(endpoint, gate, limits);
    this.#connections.set(`${role} ${address.href}`, connection);
    return connection;
  }

  /** A chat model. @throws what `connect` throws, and {TypeError} without a model's name */
  chat(role: "judge" | "parent", text: string, model: string | undefined): ChatServer {
    const setting = role === "judge" ? "judgeServer" : "parent";
    const connection = this.connect(role, text, setting);
    if (!model) {
      throw asUsage(
        new TypeError(
          `Cannot ask ${connection.name} as ${role}Model must name its model: it is missing`,
        ),
      );
    }
    const { serverMaxTokens: maxTokens, serverTemperature: temperature } = this.limits;
    return { connection, model, maxTokens, temperature };
  }

  /** What was asked, one sentence for each server that was, and what was known already. */
  report(): string[] {
    const { hits, broken } = this.cache;
    return [
      ...[...this.#connections.values()].filter(({ counts }) => counts.sent > 0).map(said),
      ...(hits > 0 ? [`${hits} answers were known already and not asked for`] : []),
      ...(broken > 0 ? [`${broken} lines of the file of answers were none, and passed over`] : []),
    ];
  }
}

/** What a server was asked, and gave. */
function said({ name, counts: { sent, again, failed }, lastFault }: Connection): string {
  const why = lastFault === undefined ? "" : `, the last as ${lastFault}`;
  return `${name} was sent ${sent} requests, ${again} of them again; ${failed} had no usable answer${why}`;
}
