/** What `deno publish` would send: all that programs load, and nothing for whoever works on the project. @module */
import assert from "node:assert/strict";
import { publishedFiles, publishedLines } from "../scripts/publish.ts";

const ROOT = new URL("../", import.meta.url);

/** What Deno prints when it runs in the root. */
async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env: { NO_COLOR: "1" } });
  const { success, stdout, stderr } = await command.output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.ok(success, text);
  return text;
}

Deno.test("what is published is what programs load: every module, the assets and no test", async () => {
  const listed = publishedFiles(await deno("publish", "--dry-run", "--allow-dirty", "--no-check"));
  const published = new Set(listed.map((url) => url.slice(ROOT.href.length)));
  const loaded = [...await modules("mod.ts"), ...await modules("cli/bin.ts")];
  const sums = await Deno.readTextFile(new URL("assets/sums.json", ROOT));
  const assets = Object.keys(JSON.parse(sums)).map((name) => `assets/${name}`);
  const needed = [...loaded, ...assets, "README.md", "LICENSE", "assets/words/LICENSE"];
  assert.ok(loaded.length > 150 && loaded.some((path) => path.endsWith(".wgsl")));
  assert.deepEqual(needed.filter((path) => !published.has(path)), []);
  const foreign = [...published].filter((path) => /^(?:tests|bench|scripts|\.)|_test\./.test(path));
  assert.deepEqual(foreign, []);
});

/** The modules of the project that `entry` loads, now or later, as paths from the root. */
async function modules(entry: string): Promise<string[]> {
  const text = await deno("info", "--json", entry);
  const graph = JSON.parse(text.slice(text.indexOf("{\n"))); // a first run says what it downloads before
  return graph.modules.map(({ specifier }: { specifier: string }) => specifier)
    .filter((url: string) => url.startsWith(ROOT.href))
    .map((url: string) => url.slice(ROOT.href.length));
}

Deno.test("publishedFiles() reads the list, publishedLines() adds up what goes out", () => {
  const output = `Checking for slow types in the public API...
Simulating publish of @plainrl/plainrl@0.1.0 with files:
   file:///p/assets/tiny/model.safetensors (1.67MB)
   file:///p/base/a%20b.ts (1.37KB)
   file:///p/mod.ts (12B)
Success Dry run complete`;
  assert.deepEqual(publishedFiles(output), [
    "file:///p/assets/tiny/model.safetensors",
    "file:///p/base/a%20b.ts",
    "file:///p/mod.ts",
  ]);
  const files = [
    { path: "mod.ts", bytes: 30_000 },
    { path: "assets/a.bin", bytes: 1_500_000 },
    { path: "base/a.ts", bytes: 10_000 },
    { path: "base/b/c.ts", bytes: 40_000 },
  ];
  assert.deepEqual(publishedLines(files), [
    "4 files, 1.58 MB would be published",
    "  1.50 MB  assets/",
    "  0.05 MB  base/",
    "  0.03 MB  mod.ts",
  ]);
});
