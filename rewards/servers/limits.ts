/** How servers are asked: how many requests, how long, how often again, and when to give up. @module */
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../../base/options.ts";

// deno-fmt-ignore
const ROWS = {
  serverRequests: { kind: "integer", default: 8, min: 1, max: 256, usual: "1 to 64", unit: "requests", doc: "servers: most requests at once, to each", group: "Servers" },
  serverPerMinute: { kind: "integer", default: 0, min: 0, max: 1_000_000, unit: "requests, 0 = as fast as they are answered", doc: "servers: most requests in a minute, to each, at even distances", group: "Servers" },
  serverTimeout: { kind: "number", default: 60, min: 0, above: true, max: 3600, unit: "seconds", doc: "servers: time for a whole answer", group: "Servers" },
  serverRetries: { kind: "integer", default: 3, min: 0, max: 20, doc: "servers: further tries of a request", group: "Servers" },
  serverPause: { kind: "number", default: 2, min: 0, max: 60, unit: "seconds", doc: "servers: wait before the second try, doubled before each further one, at most 60; a server's Retry-After holds in its place", group: "Servers" },
  serverOutage: { kind: "integer", default: 20, min: 1, max: 1_000_000, unit: "requests", doc: "servers: so many in a row without a usable answer, each after its retries, save and stop the run", group: "Servers" },
  serverMaxTokens: { kind: "integer", default: 256, min: 0, max: 1_000_000, unit: "tokens, 0 = not sent", doc: "chat servers: longest answer (max_tokens)", group: "Servers" },
  serverTemperature: { kind: "number", default: 0, min: 0, max: 2, doc: "chat servers: temperature; some models take only 1", group: "Servers" },
  serverCache: { kind: "text", otherwise: "kept until the run ends", unit: "file inside runs", doc: "servers: answers are kept here, one JSON line each, and not asked for again", group: "Servers" },
} as const satisfies OptionRows;

/** Limits by name. */
export type ServerLimits = OptionValues<typeof ROWS>;
/** The limits of all servers of a run. */
export const SERVER_OPTIONS: OptionTable<ServerLimits> = defineOptions("servers", ROWS);
