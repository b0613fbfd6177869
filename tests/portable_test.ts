/** The path of a training run touches Deno and Node in three folders alone, so that a tab can follow it. @module */
import assert from "node:assert/strict";

/** What a run is made of. */
const PATH = ["base", "kernels", "model", "rl", "rewards", "tasks", "experiment"];
/** Where files, the network's cache and the machine are dealt with. */
const MAY = ["model/files/", "model/hub/", "experiment/folder/"];

/** The code without what its comments say; strings stay. */
const withoutComments = (code: string): string =>
  code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");

/** What of Deno or Node stands in the code; undefined where nothing does. */
const foreign = (code: string): string | undefined =>
  /\bDeno\s*[.[?!]|\bDeno\s*\}|["'`]node:[\w/]+["'`]|(?<![.\w])process\.\w+|\bBuffer\.\w+/
    .exec(withoutComments(code))?.[0];

async function* modules(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* modules(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

Deno.test("no file of a run's path uses Deno or Node outside the folders that may", async () => {
  const found: string[] = [], used = new Set<string>();
  let read = 0;
  for (const part of PATH) {
    for await (const file of modules(part)) {
      const what = foreign(await Deno.readTextFile(file));
      const may = MAY.find((folder) => file.startsWith(folder));
      read++;
      if (what === undefined) continue;
      if (may) used.add(may);
      else found.push(`${file}: ${what}`);
    }
  }
  assert.deepEqual(found, []);
  assert.deepEqual([...used].sort(), [...MAY].sort()); // a folder that needs no leave has none
  assert.ok(read > 150, `read only ${read} files`);
});

Deno.test("no path on a disk is a URL's pathname, which is /C:/… on Windows and has %20 for a space", async () => {
  const folders = [...PATH, "cli", "bench", "scripts", "tests"];
  const wrong: string[] = [];
  for (const folder of folders) {
    for await (const file of modules(folder)) {
      for (const line of withoutComments(await Deno.readTextFile(file)).split("\n")) {
        if (/(?:import\.meta\.url|ROOT|TINY|WORD_VECTORS)\)?\.pathname\b/.test(line)) {
          wrong.push(file);
        }
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("a use of Deno or Node is found in code, and not in what a comment says", () => {
  for (
    const code of [
      "const text = await Deno.readTextFile(path);",
      "globalThis.Deno?.version",
      'import { join } from "node:path";',
      "await import('node:crypto')",
      "/** Reads. */ process.cwd()",
      "const { Deno } = globalThis;",
      "const b = Buffer.from(text);",
    ]
  ) assert.notEqual(foreign(code), undefined, code);
  for (
    const code of [
      "// Deno.readFile is no good here",
      "/**\n * Costs 11 ms in Deno.\n */\nconst a = 1;",
      "run(); // as node: does it",
      'throw new Error("run: deno task fetch");',
      "this.process.end",
    ]
  ) assert.equal(foreign(code), undefined, code);
});

Deno.test("without WebGPU all that a run is made of loads, and the twins take over", async () => {
  const lines = [
    "for (const name of Object.keys(Object.getOwnPropertyDescriptors(globalThis))) {",
    "  if (name.startsWith('GPU')) delete globalThis[name];",
    "}",
    "delete Object.getPrototypeOf(navigator).gpu;",
    "await import('./experiment/train.ts');",
    "const { openDevice } = await import('./kernels/devices/open.ts');",
    "using device = await openDevice();",
    "console.log(typeof GPUBufferUsage, device.kind);",
  ];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", lines.join("\n")],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(text(stdout).trim(), "undefined cpu", text(stderr));
});
