import assert from "node:assert/strict";

/** Each part of the project, and the parts that it may import from. A file belongs to the longest that fits. */
const ARROWS: Record<string, readonly string[]> = {
  "base": [],
  "kernels": ["base"],
  "model": ["kernels", "base"],
  "model/files": ["model", "kernels", "base"],
  "model/hub": ["model/files", "model", "base"],
  "rl": ["base"],
  "web": [],
  "rewards": ["base"],
  "tasks": ["rewards", "base"],
  "experiment": ["tasks", "rewards", "rl", "model/hub", "model/files", "model", "kernels", "base"],
  "cli": [
    ...["experiment", "tasks", "rewards", "rl", "model/hub", "model/files", "model"],
    ...["kernels", "base", "web"],
  ],
};
/** Folders that look at everything. */
const FREE = ["tests", "bench", "scripts"];
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1/g;

/** The part of the project that a file belongs to; undefined for files at the root. */
function partOf(file: string): string | undefined {
  return Object.keys(ARROWS).concat(FREE).filter((part) => file.startsWith(`${part}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Where an import of `file` points that it may not; undefined when it may. */
function forbidden(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".") && !specifier.startsWith("/")) return undefined;
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (/^deno\.json$|^assets\/.*\.json$/.test(target)) return undefined; // data, and no code
  const [from, to] = [partOf(file), partOf(target)];
  if (from === to || from === undefined || FREE.includes(from)) return undefined;
  const arrow = `${file} imports ${target}`;
  return ARROWS[from].includes(to ?? "") ? undefined : arrow;
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (/\.ts$/.test(entry.name)) yield path;
  }
}

Deno.test("every import follows an arrow of the design", async () => {
  const wrong: string[] = [];
  let imports = 0;
  for (const folder of new Set(Object.keys(ARROWS).map((part) => part.split("/")[0]))) {
    for await (const file of sources(folder)) {
      for (const [, , specifier] of (await Deno.readTextFile(file)).matchAll(IMPORT)) {
        imports++;
        const fault = forbidden(file, specifier);
        if (fault) wrong.push(fault);
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(imports > 100, `read only ${imports} imports`);
});

/** Functions that do not know the hub; `model/hub/load.ts` has the same for programs. */
const NO_HUB =
  /\b(?:loadGpt2|loadTokenizer|describeModel|baseOfAdapter)\b[^}]*\} from "[\w./]*model\/files\//;

Deno.test("what loads models by name finds an adapter's base in the hub's cache too", async () => {
  const wrong: string[] = [];
  for (const folder of ["experiment", "cli"]) {
    for await (const file of sources(folder)) {
      if (NO_HUB.test(await Deno.readTextFile(file))) wrong.push(file);
    }
  }
  if (NO_HUB.test(await Deno.readTextFile("mod.ts"))) wrong.push("mod.ts");
  assert.deepEqual(wrong, []);
  assert.match('import { loadGpt2, type A } from "../model/files/gpt2_folder.ts";', NO_HUB);
});

Deno.test("no folder of code stands outside the arrows", async () => {
  const unknown: string[] = [];
  for await (const entry of Deno.readDir(".")) {
    if (!entry.isDirectory || entry.name.startsWith(".") || entry.name === "runs") continue;
    if (entry.name in ARROWS || FREE.includes(entry.name)) continue;
    for await (const file of sources(entry.name)) unknown.push(file);
  }
  assert.deepEqual(unknown, []);
});

Deno.test("an import against an arrow is found, one along it is not", () => {
  assert.equal(
    forbidden("rl/ppo.ts", "../kernels/device.ts"),
    "rl/ppo.ts imports kernels/device.ts",
  );
  assert.equal(
    forbidden("tasks/data/a.ts", "../../cli/main.ts"),
    "tasks/data/a.ts imports cli/main.ts",
  );
  assert.equal(
    forbidden("model/lora/lora.ts", "../hub/hub.ts"),
    "model/lora/lora.ts imports model/hub/hub.ts",
  );
  assert.equal(forbidden("cli/commands/doctor.ts", "../../kernels/devices/open.ts"), undefined);
  assert.equal(forbidden("model/gpt2.ts", "./config.ts"), undefined);
  assert.equal(forbidden("rl/ppo.ts", "zod"), undefined);
  const text = `import a from "./a.ts";\nexport { b } from './b.ts';\nawait import("../c/d.ts");`;
  assert.deepEqual([...text.matchAll(IMPORT)].map((m) => m[2]), ["./a.ts", "./b.ts", "../c/d.ts"]);
});
