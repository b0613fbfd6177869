/** What a browser tab can run: the network, and the loading of its files over the web. @module */
import assert from "node:assert/strict";
import { withFolder } from "../_folder.ts";

const ROOT = new URL("../../", import.meta.url);
/** Names that no browser has. */
const NOT_IN_A_TAB = /.{0,40}(?:node:|\bDeno\b|\bBuffer\b|\bprocess\.).{0,40}/;

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

/** The text of one minified module with all that `entry` imports. */
async function bundle(folder: string, entry: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/entry.ts`, entry);
  const config = new URL("deno.json", ROOT).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--config", config, "--platform", "browser", "--minify"],
      ...["-o", `${folder}/out.js`, `${folder}/entry.ts`],
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${folder}/out.js`);
}

Deno.test("kernels and model, without files and hub, bundle for a browser with nothing of Deno or Node", async () => {
  await withFolder(async (folder) => {
    const files: string[] = [];
    for (const part of ["kernels/", "model/"]) {
      for await (const file of sources(part)) {
        if (!/^model\/(files|hub)\//.test(file)) files.push(file);
      }
    }
    assert.ok(files.length > 60, `only ${files.length} files`);
    const entry = files.map((file, i) => `export * as m${i} from "${new URL(file, ROOT)}";\n`);
    assert.equal(NOT_IN_A_TAB.exec(await bundle(folder, entry.join("")))?.[0], undefined);
  });
});

const LOADING = `
import { CpuDevice } from "${new URL("kernels/devices/cpu.ts", ROOT)}";
import { loadGpt2 } from "${new URL("model/files/gpt2_folder.ts", ROOT)}";
import { loadTokenizer } from "${new URL("model/files/tokenizer_file.ts", ROOT)}";
import { urlFolder } from "${new URL("model/files/url_folder.ts", ROOT)}";
import { generate } from "${new URL("model/generation/generate.ts", ROOT)}";

export async function complete(url: string, text: string): Promise<string> {
  const folder = urlFolder(url);
  using device = new CpuDevice();
  using model = await loadGpt2(device, folder, { frozen: true });
  const tokenizer = await loadTokenizer(folder, { modelVocab: model.dims.V });
  const prompts = [tokenizer.encode(text)];
  const { responses } = await generate(model, prompts, { maxNewTokens: 2, greedy: true });
  return tokenizer.decode(responses[0]);
}
`;

Deno.test("the default model is fetched and completes a text where there is neither Deno nor a disk", async () => {
  await withFolder(async (folder) => {
    const text = await bundle(folder, LOADING);
    assert.equal(/.{0,40}node:.{0,40}/.exec(text)?.[0], undefined);
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async ({ url }) => {
        const path = `assets/tiny${new URL(url).pathname}`;
        const bytes = await Deno.readFile(new URL(path, ROOT)).catch(() => undefined);
        return new Response(bytes, { status: bytes ? 200 : 404 });
      },
    );
    const url = `http://127.0.0.1:${server.addr.port}/`;
    await Deno.writeTextFile(
      `${folder}/run.js`,
      `const print = console.log;
      delete globalThis.Deno;
      const { complete } = await import("./out.js");
      print(typeof Deno, await complete("${url}", "red + blue ="));`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net=127.0.0.1", `${folder}/run.js`],
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.match(said, /^undefined +purple\n/, new TextDecoder().decode(stderr));
  });
});
