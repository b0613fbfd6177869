/**
 * Whether PLAINRL_HOST is what `deno task train:net`, or the command in the first argument, may open the
 * network for: it runs before the command that is given that permission, and has none itself but to read
 * this variable.
 * @module
 */

const NAME =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])/;
const HOST = new RegExp(`${NAME.source}(?::\\d{1,5})?$`, "i");
const MAX_HOSTS = 3; // a judge, a parent and embeddings may each be elsewhere

/**
 * What is wrong with a value of PLAINRL_HOST; undefined where nothing is.
 * @param words of a command that has the permission, as an example
 */
export function hostFault(
  value: string | undefined,
  words = "train:net colors",
): string | undefined {
  const cannot = (now: string) =>
    `Cannot start ${
      words.split(" ")[0]
    } as PLAINRL_HOST must name the host that it may ask, like ` +
    `api.example.com or 127.0.0.1:8080: ${now}. Write: PLAINRL_HOST=127.0.0.1:8080 deno task ${words} ..., ` +
    "see docs/servers.md";
  if (!value) return cannot("it is not set");
  const hosts = value.split(",");
  if (hosts.length > MAX_HOSTS) {
    return cannot(`it names ${hosts.length}, at most ${MAX_HOSTS} may be`);
  }
  // A part of a domain, an address with a path, or another flag would open more than the user reads.
  const bad = hosts.find((host) => !HOST.test(host));
  return bad === undefined ? undefined : cannot(`${JSON.stringify(bad.slice(0, 80))} is none`);
}

if (import.meta.main) {
  const fault = hostFault(Deno.env.get("PLAINRL_HOST"), Deno.args[0]);
  if (fault !== undefined) {
    console.error(`error: ${fault}`);
    Deno.exit(2);
  }
}
