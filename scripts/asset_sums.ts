/**
 * Writes `assets/sums.json`: the files of `assets/` that programs read, and the SHA-256 of each. Where the
 * modules were imported from a server, other files are not looked for, and other bytes are refused.
 * @module
 */

/** What programs read, not people. */
const READ = /\.(?:safetensors|json|bin)$/;

/** The text of `assets/sums.json`. */
export async function assetSums(assets: URL): Promise<string> {
  const sums: Record<string, string> = {};
  for (const folder of ["small", "tiny", "vader", "words"]) {
    for await (const { name } of Deno.readDir(new URL(folder, assets))) {
      if (!READ.test(name)) continue;
      const bytes = await Deno.readFile(new URL(`${folder}/${name}`, assets));
      const hash = await crypto.subtle.digest("SHA-256", bytes);
      sums[`${folder}/${name}`] = new Uint8Array(hash).toHex();
    }
  }
  const sorted = Object.entries(sums).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify(Object.fromEntries(sorted), null, 2) + "\n";
}

if (import.meta.main) {
  const assets = new URL("../assets/", import.meta.url);
  await Deno.writeTextFile(new URL("sums.json", assets), await assetSums(assets));
}
