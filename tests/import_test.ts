/** Programs that stand elsewhere import the project: from another folder, and by URL from a server. @module */
import assert from "node:assert/strict";
import { assetSums } from "../scripts/asset_sums.ts";
import { withFolder } from "./_folder.ts";

const ROOT = new URL("../", import.meta.url);

/** Parts of the project that programs load; tests, bench and scripts are for whoever works on it. */
const LOADED = ["base", "kernels", "model", "rl", "rewards", "tasks", "experiment", "cli"];
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([\w@./:-]+)\1/g;
const NPM = /npm:((?:@[\w.-]+\/)?[\w.-]+)@([\w.-]+)/g;

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("what programs load names each package with its version, as deno.json may not be there", async () => {
  const wrong: string[] = [];
  let packages = 0;
  for (const folder of LOADED) {
    for await (const file of sources(folder)) {
      for (const [, , name] of (await Deno.readTextFile(new URL(file, ROOT))).matchAll(IMPORT)) {
        if (/^(?:\.|node:)/.test(name)) continue;
        packages++;
        if (!/^npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:\/|$)/.test(name)) {
          wrong.push(`${file}: ${name}`);
        }
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(packages >= 15, `read only ${packages} imports of packages`);
});

Deno.test("each package has one version, wherever it is named", async () => {
  const versions = new Map<string, Set<string>>();
  const read = async (file: string) => {
    for (const [, name, version] of (await Deno.readTextFile(new URL(file, ROOT))).matchAll(NPM)) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
  };
  await read("deno.json");
  for (const folder of [...LOADED, "scripts", "bench", "tests"]) {
    for await (const file of sources(folder)) if (file !== "tests/import_test.ts") await read(file);
  }
  const several = [...versions].filter(([, { size }]) => size > 1)
    .map(([name, all]) => `${name}: ${[...all].join(", ")}`);
  assert.deepEqual(several, []);
  assert.ok(versions.size >= 12, `found only ${versions.size} packages`);
});

Deno.test("assets/sums.json says what lies beside it", async () => {
  const assets = new URL("assets/", ROOT);
  const text = await Deno.readTextFile(new URL("sums.json", assets));
  assert.equal(text, await assetSums(assets), "run: deno task assets");
});

/** Runs `code` as a program of its own in `folder`; gives what it prints and whether it ended well. */
async function program(
  folder: string,
  code: string,
  { args, env, rest = [] }: {
    args: readonly string[];
    env?: Record<string, string>;
    /** What the program itself is given. */
    rest?: readonly string[];
  },
): Promise<{ out: string; error: string; success: boolean }> {
  await Deno.writeTextFile(`${folder}/program.ts`, code);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", ...args, "program.ts", ...rest],
    cwd: folder,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { out, error, success };
}

/** Reads one of each kind of asset: a model's folder, word vectors, a task's table. */
const reads = (mod: string) => `
import { findModel, loadTokenizer, loadWordVectors, openTask } from "${mod}";
const { folder, source } = await findModel("tiny");
const { eosId } = await loadTokenizer(folder);
const { eosId: other } = await loadTokenizer((await findModel("small")).folder);
console.log(source.kind, Object.keys(source.sha256).join(" "));
console.log(eosId, other, (await loadWordVectors()).size, (await openTask("colors")).task.examples.heldout.length);
`;
const READ = "folder config.json generation_config.json model.safetensors tokenizer.json " +
  "tokenizer_config.json\n2047 4095 30188 18";

Deno.test("a program in another folder imports mod.ts by its path, also beside a package.json", () =>
  withFolder(async (folder) => {
    const code = reads(new URL("mod.ts", ROOT).href);
    const alone = await program(folder, code, { args: ["--allow-read"] });
    assert.equal(alone.out, READ, alone.error);
    const words = `import { loadWordVectors } from "${new URL("mod.ts", ROOT).href}";
      await loadWordVectors();`;
    const denied = await program(folder, words, { args: [] });
    assert.match(denied.error, /Cannot read word vectors from \S+: Requires read access to /);
    await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
    const args = ["--allow-read", "--node-modules-dir=none"];
    const beside = await program(folder, code, { args });
    assert.equal(beside.out, READ, beside.error);
  }));

/** Writes what names the default model as its base, and a copy of that model; reads the first again. */
const writes = (mod: string) => `
import { exportModel, loadModel, loadTokenizer, modelFolder, openDevice, saveAdapter } from "${mod}";
const folder = await modelFolder("tiny"), lora = { rank: 1, alpha: 1, targets: ["c_attn"] };
using device = await openDevice("cpu");
using model = await loadModel(device, folder, { lora });
await saveAdapter(model, "adapter");
using again = await loadModel(device, "adapter", { frozen: true });
const { parameters, tokenizer } = await exportModel({ model: "tiny", to: "out" });
console.log(again.adapter.options.rank, (await loadTokenizer("adapter")).eosId, parameters, tokenizer);
`;
const WRITTEN = "1 2047 873600 true";

const TYPES: Record<string, string> = {
  ts: "application/typescript",
  json: "application/json",
  wgsl: "text/plain",
  csv: "text/csv",
};

/** Serves the project on this machine, as a registry of modules would; a file of `changed` in another form. */
function serveProject(changed: ReadonlySet<string>): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url }) => {
    const path = decodeURIComponent(new URL(url).pathname.slice(1));
    const bytes = await Deno.readFile(new URL(path, ROOT)).catch(() => undefined);
    if (!bytes) return new Response("not here", { status: 404 });
    if (changed.has(path)) bytes[bytes.length - 2] ^= 1;
    const type = TYPES[path.split(".").pop()!] ?? "application/octet-stream";
    return new Response(bytes, { headers: { "content-type": type } });
  });
}

/** A cache of Deno's own, empty but for packages, so that no test sees what another has loaded. */
async function freshCache(folder: string): Promise<Record<string, string>> {
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(info.stdout));
  await Deno.mkdir(`${folder}/cache`);
  await Deno.symlink(npmCache, `${folder}/cache/npm`);
  return { DENO_DIR: `${folder}/cache` };
}

/** The README's program, with that address for its "./mod.ts". */
async function readmeProgram(mod: string): Promise<string> {
  const page = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? [];
  assert.ok(code?.includes('from "./mod.ts"'));
  return code.replace('"./mod.ts"', JSON.stringify(mod));
}

Deno.test("the README's program trains with mod.ts imported by URL, and needs no server the next time", () =>
  withFolder(async (folder) => {
    const env = await freshCache(folder), changed = new Set<string>();
    const server = serveProject(changed);
    const host = `127.0.0.1:${server.addr.port}`, mod = `http://${host}/mod.ts`;
    await using _ = { [Symbol.asyncDispose]: () => server.shutdown() };
    const imports = `--allow-import=${host}`, net = `--allow-net=${host}`;

    const denied = await program(folder, reads(mod), { args: [imports], env });
    assert.equal(denied.success, false);
    assert.ok(
      denied.error.includes(
        `Error: Cannot read http://${host}/assets/tiny/config.json as it must come from the server ` +
          `that the modules came from: the program may not ask it. Fix: add ${net}`,
      ),
      denied.error,
    );

    changed.add("assets/tiny/config.json");
    const other = await program(folder, reads(mod), { args: [imports, net], env });
    assert.match(other.error, /must be of the same version as the modules beside it: its SHA-256/);
    changed.clear();

    const trained = await program(folder, await readmeProgram(mod), { args: [imports, net], env });
    const [, before, after] = /^share with an e: (\S+), then (\S+)$/.exec(trained.out) ?? [];
    assert.ok(Number(after) > Number(before), `${trained.out}\n${trained.error}`);
    const stale = `const cache = await caches.open("plainrl-assets");
      await cache.put("http://${host}/assets/tiny/config.json", new Response("of last year"));`;
    const first = await program(folder, stale + reads(mod), { args: [imports, net], env });
    assert.equal(first.out, READ, first.error);
    const args = [imports, net, `--allow-read=${folder}`, `--allow-write=${folder}`];
    const written = await program(folder, writes(mod), { args, env });
    assert.equal(written.out, WRITTEN, written.error);

    const plan = await program(folder, `import "http://${host}/cli/bin.ts";`, {
      args: [imports, "--allow-read", "--allow-env", "--allow-sys"],
      env,
      rest: ["train", "colors", "--plan", "--device", "cpu"],
    });
    assert.match(plan.out, /^colors, tiny, TypeScript twins .*MiB/s, plan.error);

    await server.shutdown();
    const again = await program(folder, reads(mod), { args: ["--cached-only"], env });
    assert.equal(again.out, READ, again.error);
  }));
