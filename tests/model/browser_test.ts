/**
 * What a browser tab can run: the network, and the loading of its files over the web. What packages from
 * npm bring along is looked at by `deno task test:bundle`.
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withFolder } from "../_folder.ts";

const ROOT = new URL("../../", import.meta.url);
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1/g;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;
/** A name of its own, and not the first word of a user agent. */
const DENO = /\bDeno\b(?!\/)/;
/** What is there only where a path on this machine is given. */
const READS_DISK = "model/files/deno_folder.ts";

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

/** Adds `file` and all files that it imports to `found`; gives what no browser has. */
async function foreign(file: string, found: Set<string>): Promise<string[]> {
  if (found.has(file) || !file.endsWith(".ts")) return [];
  found.add(file);
  const text = await Deno.readTextFile(new URL(file, ROOT));
  const faults = DENO.test(text.replace(COMMENT, "")) && file !== READS_DISK
    ? [`${file} uses Deno`]
    : [];
  for (const [, , specifier] of text.matchAll(IMPORT)) {
    if (specifier.startsWith("node:")) faults.push(`${file} imports ${specifier}`);
    if (!specifier.startsWith(".")) continue;
    const next = new URL(specifier, new URL(file, ROOT)).href.slice(ROOT.href.length);
    faults.push(...await foreign(next, found));
  }
  return faults;
}

Deno.test("kernels and model, without files and hub, use nothing of Deno or Node", async () => {
  const found = new Set<string>();
  const faults: string[] = [];
  for (const part of ["kernels/", "model/"]) {
    for await (const file of sources(part)) {
      if (!/^model\/(files|hub)\//.test(file)) faults.push(...await foreign(file, found));
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(found.size > 60, `only ${found.size} files`);
  assert.deepEqual([...found].filter((file) => /^model\/(files|hub)\//.test(file)), []);
});

Deno.test("what loads a model's files imports nothing of Node, and Deno for a disk alone", async () => {
  const found = new Set<string>();
  for (const name of ["gpt2_folder", "tokenizer_file", "encoder_folder", "url_folder"]) {
    assert.deepEqual(await foreign(`model/files/${name}.ts`, found), []);
  }
  assert.ok(found.has(READS_DISK));
  assert.deepEqual(await foreign("model/files/gpt2_save.ts", new Set(found)), [
    "model/files/gpt2_save.ts imports node:path",
    "model/files/disk.ts uses Deno",
    "model/files/disk.ts imports node:path",
    "model/files/disk.ts imports node:url",
  ]);
});

const PROGRAM = (url: string) => `
const print = console.log;
delete globalThis.Deno;
const { CpuDevice } = await import("${new URL("kernels/devices/cpu.ts", ROOT)}");
const { loadGpt2 } = await import("${new URL("model/files/gpt2_folder.ts", ROOT)}");
const { loadTokenizer } = await import("${new URL("model/files/tokenizer_file.ts", ROOT)}");
const { urlFolder } = await import("${new URL("model/files/url_folder.ts", ROOT)}");
const { generate } = await import("${new URL("model/generation/generate.ts", ROOT)}");
const folder = urlFolder("${url}");
using device = new CpuDevice();
using model = await loadGpt2(device, folder, { frozen: true });
const tokenizer = await loadTokenizer(folder, { modelVocab: model.dims.V });
const prompts = [tokenizer.encode("red + blue =")];
const { responses } = await generate(model, prompts, { maxNewTokens: 2, greedy: true });
print(typeof Deno, tokenizer.decode(responses[0]));
`;

Deno.test("the default model is fetched and completes a text where there is no Deno", async () => {
  await withFolder(async (folder) => {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async ({ url }) => {
        const path = `assets/tiny${new URL(url).pathname}`;
        const bytes = await Deno.readFile(new URL(path, ROOT)).catch(() => undefined);
        return new Response(bytes, { status: bytes ? 200 : 404 });
      },
    );
    const program = PROGRAM(`http://127.0.0.1:${server.addr.port}/`);
    await Deno.writeTextFile(`${folder}/run.ts`, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "run",
          "--no-prompt",
          "--no-check",
          "--config",
          fileURLToPath(new URL("deno.json", ROOT)),
        ],
        ...["--allow-net=127.0.0.1", `${folder}/run.ts`],
      ],
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.match(said, /^undefined +purple\n/, new TextDecoder().decode(stderr));
  });
});
