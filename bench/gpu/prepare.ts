/**
 * Writes a folder with all that a machine without a network needs to run `bench:gpu`:
 * `deno task bench:prepare [FOLDER]`. Deno, npm packages and Vulkan loaders, compressed, a start script,
 * and a manifest.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { short } from "../_table.ts";
import {
  type CachedPackage,
  filesBelow,
  isCarried,
  type ModuleGraph,
  packagesOf,
} from "./packages.ts";

/** Bytes that the folder may hold: with the project it must fit the 64 MiB of one transfer. */
export const MAX_BYTES = 60e6;
const TARGET = "x86_64-unknown-linux-gnu";
/** What is run there: its packages are carried. */
const ENTRIES = ["bench/gpu/main.ts", "bench/gpu/first_run.ts", "cli/bin.ts"];
/** Vulkan's loader, and what NVIDIA's driver opens besides. */
const LOADERS = [
  ...["libvulkan1", "libegl1", "libglvnd0", "libopengl0", "libgl1", "libglx0", "libgles2"],
  ...["libx11-6", "libxext6", "libxcb1", "libxau6", "libxdmcp6", "libbsd0", "libmd0"],
];

/** A file of the folder. */
export interface Part {
  /** Relative to the folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** `manifest.json`. */
export interface Manifest {
  readonly version: 1;
  readonly deno: string;
  /** Of Deno's program before it was compressed. */
  readonly denoSha256: string;
  readonly packages: readonly string[];
  readonly parts: readonly Part[];
}

const megabytes = (bytes: number): string => `${short(bytes / 1e6)} MB`;

/**
 * The bytes of all parts together.
 * @throws {RangeError} when they exceed `most`; the message lists the largest
 */
export function totalBytes(parts: readonly Part[], most = MAX_BYTES): number {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= most) return total;
  const largest = parts.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3)
    .map(({ path, bytes }) => `${path} ${megabytes(bytes)}`);
  throw new RangeError(
    `Cannot prepare the folder as it may hold ${megabytes(most)}: ` +
      `it would hold ${megabytes(total)}, ${largest.join(", ")}`,
  );
}

const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

async function capture(
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd })
    .output();
  if (success) return stdout;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`Cannot run ${command} ${args[0]} as it must end well: ${said}`);
}

/** Runs a program on the bytes of a file. `xz` is the smallest that a bare machine can unpack. */
const compressed = (file: string): Promise<Uint8Array> =>
  capture("xz", ["-9e", "--threads=0", "--keep", "--stdout", file]);

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${folder}/manifest.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Makes the folder, or takes one that this program wrote. @throws {Error} for any other */
async function takeFolder(folder: string): Promise<Manifest | undefined> {
  const manifest = await readManifest(folder);
  await Deno.mkdir(folder, { recursive: true });
  const first = (await Deno.readDir(folder)[Symbol.asyncIterator]().next()).value;
  if (first && !manifest) {
    throw new Error(
      `Cannot prepare ${folder} as it must be empty or have a manifest.json: it has ${first.name}`,
    );
  }
  return manifest;
}

/** Deno's program, unless the folder has the same one already: compressing takes two minutes. */
async function writeDeno(folder: string, file: string, earlier?: Manifest): Promise<string> {
  const hash = sha256(await Deno.readFile(file));
  const kept = earlier?.denoSha256 === hash &&
    earlier.parts.find(({ path }) => path === "deno.xz");
  const now = kept && await Deno.readFile(`${folder}/deno.xz`).catch(() => undefined);
  if (!kept || !now || sha256(now) !== kept.sha256) {
    await Deno.writeFile(`${folder}/deno.xz`, await compressed(file));
  }
  return hash;
}

/** The packages of all that runs there, one entry for each name and version. */
async function neededPackages(): Promise<Map<string, CachedPackage>> {
  const packages = new Map<string, CachedPackage>();
  const tests = (await filesBelow("tests/kernels")).filter((path) => path.endsWith("_test.ts"));
  for (const entry of [...ENTRIES, ...tests.map((path) => `tests/kernels/${path}`)]) {
    const text = new TextDecoder().decode(
      await capture(Deno.execPath(), ["info", "--json", entry]),
    );
    const graph: ModuleGraph = JSON.parse(text);
    for (const found of packagesOf(graph)) {
      const key = `${found.name}@${found.version}`;
      if (found.folder || !packages.has(key)) packages.set(key, found);
    }
  }
  return packages;
}

/** Their files, laid out as in Deno's cache. Gives the names of those that are not empty. */
async function writePackages(folder: string): Promise<string[]> {
  const packages = await neededPackages();
  const temporary = await Deno.makeTempDir({ prefix: "plainrl-prepare-" });
  try {
    for (const { name, version, folder: from } of packages.values()) {
      const to = `${temporary}/npm/localhost/${name}/${version}`;
      await Deno.mkdir(to, { recursive: true });
      for (const path of from ? (await filesBelow(from)).filter(isCarried) : []) {
        const target = `${to}/${path}`;
        await Deno.mkdir(dirname(target), { recursive: true });
        await Deno.copyFile(`${from}/${path}`, target);
      }
    }
    const tar = `${temporary}/packages.tar`;
    const always = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    await capture("tar", ["-cf", tar, ...always, "-C", temporary, "npm"]);
    await Deno.writeFile(`${folder}/packages.tar.xz`, await compressed(tar));
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
  return [...packages].flatMap(([key, { folder }]) => folder ? [key] : []).sort();
}

/** Debian's packages of the loaders; gives what is missing, as a machine may have its own. */
async function writeLoaders(folder: string): Promise<string | undefined> {
  const to = `${folder}/loaders`;
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await Deno.mkdir(to);
  const lists = await Deno.makeTempDir({ prefix: "plainrl-apt-" });
  await Deno.mkdir(`${lists}/partial`);
  const options = [
    ...["-oAPT::Architecture=amd64", "-oAPT::Architectures=amd64"],
    `-oDir::State::Lists=${lists}`,
  ];
  try {
    await capture("apt-get", [...options, "update"]);
    await capture("apt-get", [...options, "download", ...LOADERS], to);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await Deno.remove(lists, { recursive: true });
  }
}

async function partsOf(folder: string): Promise<Part[]> {
  const parts: Part[] = [];
  for (const path of await filesBelow(folder)) {
    if (path === "manifest.json" || path === "SHA256SUMS") continue;
    const data = await Deno.readFile(`${folder}/${path}`);
    parts.push({ path, bytes: data.length, sha256: sha256(data) });
  }
  return parts;
}

/** Writes the folder, and says what it wrote. */
export async function prepare(folder: string, deno: string, say = console.log): Promise<void> {
  const earlier = await takeFolder(folder);
  const denoSha256 = await writeDeno(folder, deno, earlier);
  const packages = await writePackages(folder);
  const missing = await writeLoaders(folder);
  await Deno.copyFile("scripts/gpu_run.sh", `${folder}/run.sh`);
  await Deno.chmod(`${folder}/run.sh`, 0o755);
  const parts = await partsOf(folder);
  const sums = parts.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
  // Without sums the start script refuses: a folder that is too large is not used by mistake.
  await Deno.remove(`${folder}/SHA256SUMS`).catch(() => {});
  const total = totalBytes(parts);
  const manifest: Manifest = { version: 1, deno: Deno.version.deno, denoSha256, packages, parts };
  await Deno.writeTextFile(`${folder}/manifest.json`, JSON.stringify(manifest, null, 1) + "\n");
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums);
  for (const { path, bytes } of parts) say(`${megabytes(bytes).padStart(9)}  ${path}`);
  say(
    `${megabytes(total).padStart(9)}  in all, of ${
      megabytes(MAX_BYTES)
    }; ${packages.length} packages`,
  );
  if (missing) say(`no Vulkan loaders: ${missing}`);
  say(`There: sh ${folder}/run.sh [--short]`);
}

/** @throws {TypeError} for unknown arguments, or on a machine whose Deno would not run there */
function readArguments(args: readonly string[]): { folder: string; deno: string } {
  const { values, positionals } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: { deno: { type: "string" } },
    allowPositionals: true,
  });
  if (positionals.length > 1) {
    throw new TypeError(`Cannot prepare more than one folder: ${positionals.join(", ")}`);
  }
  if (!values.deno && Deno.build.target !== TARGET) {
    throw new TypeError(
      `Cannot carry this Deno as the machine needs ${TARGET}: it is ${Deno.build.target}. ` +
        "Fix: --deno FILE, from the npm package @deno/linux-x64-glibc",
    );
  }
  return { folder: positionals[0] ?? ".gpu", deno: values.deno ?? Deno.execPath() };
}

if (import.meta.main) {
  try {
    const { folder, deno } = readArguments(Deno.args);
    await prepare(folder, deno);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
