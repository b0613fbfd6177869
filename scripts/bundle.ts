/**
 * Bundles for a browser what must run in one, and fails where anything of Node or Deno is left in it:
 * `deno task test:bundle`. Needs the network once, for the bundler that `deno bundle` fetches.
 * @module
 */

/** Folders that must bundle, and folders inside them that need not. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  kernels: [],
  model: ["model/files", "model/hub"],
  rl: [],
  rewards: [],
  tasks: [],
};

/** Packages that have a form of their own for browsers: a page's build maps them to it as well. */
const BROWSER_FORMS: Readonly<Record<string, string>> = {
  "npm:csv-parse@7.0.3/sync": "npm:csv-parse@7.0.3/browser/esm/sync", // brings a Buffer of its own
};

/** What a browser does not have, as it would stand in a bundle. */
const FOREIGN: readonly RegExp[] = [/["']node:[\w/]+["']/, /\bDeno\s*\./, /\brequire\(["']/];
/** Globals of Node that a package may bring along for itself. */
const GLOBALS = ["Buffer", "process"];

async function* modules(folder: string, without: readonly string[]): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && !without.includes(path)) yield* modules(path, without);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Bundles every module of the part into one file; gives its text. */
async function bundle(part: string, without: readonly string[], folder: string): Promise<string> {
  const entry = `${folder}/${part}.ts`, out = `${folder}/${part}.js`;
  const config = `${folder}/deno.json`;
  const { imports, compilerOptions } = JSON.parse(await Deno.readTextFile("deno.json"));
  const forBrowser = { compilerOptions, imports: { ...imports, ...BROWSER_FORMS } };
  await Deno.writeTextFile(config, JSON.stringify(forBrowser));
  const lines: string[] = [];
  for await (const path of modules(part, without)) {
    lines.push(`export * as m${lines.length} from "${new URL(`../${path}`, import.meta.url)}";`);
  }
  await Deno.writeTextFile(entry, lines.join("\n"));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", "browser", "--config", config, "-o", out, entry],
    stderr: "piped",
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return await Deno.readTextFile(out);
}

/** The lines that name what a browser lacks and the bundle does not define. */
function foreignLines(text: string): string[] {
  const missing = GLOBALS.filter((name) =>
    !new RegExp(`\\b(?:var|let|const|function|class) ${name}\\b`).test(text)
  ).map((name) => new RegExp(`(?<![.\\w"'$])${name}\\.\\w`));
  return text.split("\n").filter((line) =>
    !/^\s*(\/\/|\*)/.test(line) && [...FOREIGN, ...missing].some((pattern) => pattern.test(line))
  ).map((line) => line.trim().slice(0, 120));
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  let failed = false;
  try {
    for (const [part, without] of Object.entries(PARTS)) {
      const text = await bundle(part, without, folder);
      const found = foreignLines(text);
      failed ||= found.length > 0;
      console.log(
        `${part.padEnd(8)} ${String(Math.round(text.length / 1000)).padStart(5)} kB  ${
          found.length === 0 ? "nothing of Node or Deno" : `${found.length} lines of Node or Deno:`
        }`,
      );
      for (const line of found.slice(0, 10)) console.log(`         ${line}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (failed) Deno.exit(1);
}
