/** What only a program on a machine can give servers: the network's permission, and keys. @module */
import { keyVariable, type ServerRole } from "../../rewards/servers/access.ts";
import { Secret } from "../../rewards/servers/secret.ts";

/** Serves every part, where there is no key for it alone. */
const COMMON = "OPENAI_API_KEY";

/** Whether this program may open a connection to the host of `address`. */
export function mayReach({ hostname, port, protocol }: URL): boolean {
  const host = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
}

/**
 * The key for the server at `address` in its part: PLAINRL_JUDGE_KEY and the like, else OPENAI_API_KEY,
 * which many have set for another server: it goes over https alone.
 * @throws {TypeError} for what is no key
 */
export function serverKey(role: ServerRole, { protocol }: URL): Secret | undefined {
  const own = keyVariable(role);
  for (const name of protocol === "https:" ? [own, COMMON] : [own]) {
    const text = variable(name)?.trim();
    if (text) return new Secret(text, name);
  }
  return undefined;
}

/** A variable of the environment; undefined where it may not be read. */
function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
