import assert from "node:assert/strict";

/** Folder, and the folders that it may import from. What an arrow ends at may be followed further. */
const ARROWS: Record<string, readonly string[]> = {
  kernels: [],
  model: ["kernels"],
  rl: [],
  rewards: [],
  tasks: ["model", "rl", "rewards"],
  cli: ["tasks"],
};
/** Folders that look at everything. */
const FREE = ["tests", "bench"];
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1/g;

function reachable(folder: string): Set<string> {
  const found = new Set<string>();
  const follow = (name: string) => {
    for (const next of ARROWS[name] ?? []) {
      if (!found.has(next)) follow((found.add(next), next));
    }
  };
  follow(folder);
  return found;
}

/** Where an import of `file` points that it may not; undefined when it may. */
function forbidden(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".") && !specifier.startsWith("/")) return undefined;
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (target === "deno.json") return undefined; // holds the version, and no code
  const [from, to] = [file.split("/")[0], target.split("/")[0]];
  if (from === to || FREE.includes(from) || !file.includes("/")) return undefined;
  return reachable(from).has(to) ? undefined : `${file} imports ${target}`;
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
  for (const folder of Object.keys(ARROWS)) {
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
  assert.equal(forbidden("cli/doctor.ts", "../kernels/open.ts"), undefined);
  assert.equal(forbidden("model/gpt2.ts", "./config.ts"), undefined);
  assert.equal(forbidden("rl/ppo.ts", "zod"), undefined);
  const text = `import a from "./a.ts";\nexport { b } from './b.ts';\nawait import("../c/d.ts");`;
  assert.deepEqual([...text.matchAll(IMPORT)].map((m) => m[2]), ["./a.ts", "./b.ts", "../c/d.ts"]);
});
