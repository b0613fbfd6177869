/** Programs that stand elsewhere import the project: from another folder. @module */
import assert from "node:assert/strict";
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

/** Runs `code` as a program of its own in `folder`; gives what it prints and whether it ended well. */
async function program(
  folder: string,
  code: string,
  args: readonly string[],
): Promise<{ out: string; error: string; success: boolean }> {
  await Deno.writeTextFile(`${folder}/program.ts`, code);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", ...args, "program.ts"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { out, error, success };
}

/** Reads one of each kind of asset: a model's folder, word vectors, a task's table. */
const reads = (mod: string) => `
import { findModel, findTask, loadTokenizer, loadWordVectors } from "${mod}";
const { folder, source } = await findModel("tiny");
const { eosId } = await loadTokenizer(folder);
console.log(source.kind, Object.keys(source.sha256).join(" "));
console.log(eosId, (await loadWordVectors()).size, findTask("colors").examples.heldout.length);
`;
const READ = "folder config.json model.safetensors tokenizer.json\n2047 30188 18";

Deno.test("a program in another folder imports mod.ts by its path, also beside a package.json", () =>
  withFolder(async (folder) => {
    const code = reads(new URL("mod.ts", ROOT).href);
    const alone = await program(folder, code, ["--allow-read"]);
    assert.equal(alone.out, READ, alone.error);
    await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
    const args = ["--allow-read", "--node-modules-dir=none"];
    const beside = await program(folder, code, args);
    assert.equal(beside.out, READ, beside.error);
  }));
