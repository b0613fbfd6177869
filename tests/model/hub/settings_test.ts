/** Where models and the token are looked for, by `tests/fixtures/hub_cache.py`. @module */
import assert from "node:assert/strict";
import facts from "../../fixtures/hub_cache.json" with { type: "json" };
import { cacheFolder, isOffline, tokenFile } from "../../../model/hub/settings.ts";

const NAMES = [...new Set(facts.rows.flatMap(({ environment }) => Object.keys(environment)))];

/** Runs `body` with these variables and none of the others that the cases have. */
function withVariables(values: Record<string, string | undefined>, body: () => void): void {
  const before = NAMES.map((name) => [name, Deno.env.get(name)] as const);
  const set = ([name, value]: readonly [string, string | undefined]): void =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const name of NAMES) set([name, values[name]]);
  try {
    body();
  } finally {
    before.forEach(set);
  }
}

Deno.test("the cache, the token and being offline are those of huggingface_hub", () => {
  assert.ok(facts.rows.length >= 24);
  for (const { environment, cache, token, offline } of facts.rows) {
    withVariables(environment, () => {
      const where = JSON.stringify(environment);
      assert.equal(cacheFolder(), cache, where);
      assert.equal(tokenFile(), token, where);
      assert.equal(isOffline({}), offline, where);
    });
  }
});

Deno.test("a variable in a path that the program may not read is named, with what to do", async () => {
  const settings = new URL("../../../model/hub/settings.ts", import.meta.url).href;
  const code = `import { cacheFolder } from "${settings}";
    try { console.log(cacheFolder()); } catch (error) { console.log(error.message); }`;
  const run = async (allowed: string): Promise<string> => {
    const args = ["run", "--no-prompt", "--no-lock", `--allow-env=${allowed}`, "-"];
    const env = { HF_HOME: "/data/$SCRATCH_DISK/hf", SCRATCH_DISK: "ssd" };
    const child = new Deno.Command(Deno.execPath(), {
      ...{ args, env, stdin: "piped", stdout: "piped", stderr: "inherit" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(code));
    await writer.close();
    return new TextDecoder().decode((await child.output()).stdout).trim();
  };
  assert.equal(await run("HF_HOME,SCRATCH_DISK"), "/data/ssd/hf/hub");
  assert.match(
    await run("HF_HOME"),
    /^Cannot find the hub's cache as HF_HOME names \$SCRATCH_DISK, which this program may not read: .*write the folder out/,
  );
});

Deno.test("every task that may read HF_HOME may read all that decides where the cache is", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const lists = Object.values<{ command: string }>(tasks)
    .map(({ command }) => command.match(/--allow-env=(\S+)/)?.[1].split(",") ?? [])
    .filter((names) => names.includes("HF_HOME"));
  assert.ok(lists.length >= 4);
  const needed = ["HOME", "USER", "XDG_CACHE_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"];
  for (const name of [...needed, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]) {
    for (const list of lists) assert.ok(list.includes(name), name);
  }
});
