/** Does what CONTRIBUTING.md says, in a copy of the project, and nothing else; then uses it. @module */
import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { upload } from "../kernels/tensor.ts";
import { testOnDevices } from "./_devices.ts";
import { withFolder } from "./_folder.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const COPIED = [
  "base",
  "kernels",
  "model",
  "rl",
  "rewards",
  "tasks",
  "experiment",
  "cli",
  "assets",
];

/** Fences of the page that name a file: its new text, or the lines that change in it. */
async function fences(): Promise<{ language: string; path: string; text: string }[]> {
  const page = await Deno.readTextFile(`${ROOT}CONTRIBUTING.md`);
  return [...page.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)]
    .map(([, language, path, text]) => ({ language, path, text }));
}

/** The text with each `-` line replaced by the `+` lines after it; an import goes before all others. */
function applied(text: string, diff: string, path: string): string {
  const lines = diff.trimEnd().split("\n");
  let out = text;
  for (const [i, line] of lines.entries()) {
    if (line.startsWith("+import ")) out = out.replace(/^import /m, `${line.slice(1)}\nimport `);
    if (!line.startsWith("-")) continue;
    assert.equal(out.split(line.slice(1)).length, 2, `${path} must have once: ${line.slice(1)}`);
    const rest = lines.slice(i + 1), end = rest.findIndex((next) => !next.startsWith("+"));
    const plus = rest.slice(0, end < 0 ? rest.length : end).map((next) => next.slice(1));
    out = out.replace(line.slice(1), plus.join("\n"));
  }
  return out;
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Copies the project to `folder` and does there all that the page says; gives the files that are new. */
async function addAll(folder: string): Promise<string[]> {
  for (const name of COPIED) await copyTree(`${ROOT}${name}`, `${folder}/${name}`);
  for (const name of ["deno.json", "deno.lock", "mod.ts"]) {
    await Deno.copyFile(`${ROOT}${name}`, `${folder}/${name}`);
  }
  const added: string[] = [];
  for (const { language, path, text } of await fences()) {
    const place = `${folder}/${path}`;
    if (language === "diff") {
      await Deno.writeTextFile(place, applied(await Deno.readTextFile(place), text, path));
    } else {
      await Deno.writeTextFile(place, text, { createNew: true });
      added.push(path);
    }
  }
  return added;
}

// At sizes with and without a whole Pack.
testOnDevices(
  "the operation that was added gives squares",
  (device) =>
    withFolder(async (folder) => {
      await addAll(folder);
      const { square } = await import(`${pathToFileURL(folder)}/kernels/square.ts`);
      for (const N of [1, 5, 8, 301]) {
        const x = upload(device, Float32Array.from({ length: N }, (_, i) => i - 3), "x");
        const out = upload(device, new Float32Array(N + 1).fill(-7), "out");
        square(device, { x, out }, { N });
        const want = [...Array.from({ length: N }, (_, i) => (i - 3) ** 2), -7];
        assert.deepEqual([...(await device.read(out))[0]], want, `${N} elements`);
      }
    }),
);

Deno.test("an algorithm, a reward, a task, a command and an operation are files of their own, and a line in a list", () =>
  withFolder(async (folder) => {
    assert.deepEqual(await addAll(folder), [
      "rl/algorithms/gpg.ts",
      "rewards/vowels.ts",
      "tasks/data/plurals.csv",
      "tasks/plurals.ts",
      "cli/commands/tasks.ts",
      "kernels/square.wgsl",
      "kernels/square.ts",
    ]);
    const run = async (...words: string[]): Promise<string> => {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--check", "-A", "cli/bin.ts", ...words],
        cwd: folder,
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.ok(success, text(stderr));
      return text(stdout);
    };
    const prompts = (await run("tasks")).split("\n");
    assert.deepEqual([prompts[0], ...prompts.slice(-3)], [
      "colors 72",
      "imdb 196",
      "plurals 4",
      "",
    ]);
    const list = JSON.parse(await run("train", "--list", "--json"));
    const last = (kind: string) => list[kind].at(-1).name;
    assert.deepEqual(["tasks", "algorithms", "rewards"].map(last), [
      "plurals",
      "gpg",
      "vowels",
    ]);
    const help = await run("train", "--algorithm", "gpg", "--help");
    assert.match(help, /^ {2}epochs .*\n.*default 1\b/m);
    assert.match(help, /^ {2}vowelsLetters +which letters count$/m);
    assert.doesNotMatch(help, /clipLow/);
    const summary = JSON.parse(
      await run(
        ...["train", "plurals", "--algorithm", "gpg", "--reward", "vowels", "--steps", "2"],
        ...["--device", "cpu", "--json", "--quiet", "--out", "runs/new", "vowelsLetters=aeiouy"],
      ),
    );
    assert.deepEqual([summary.task, summary.algorithm, summary.rewards], [
      "plurals",
      "gpg",
      ["vowels"],
    ]);
    const config = JSON.parse(await Deno.readTextFile(`${folder}/runs/new/config.json`));
    assert.equal(config.config.vowelsLetters, "aeiouy");
    assert.equal(config.config.learningRate, 3e-4);
    const [head, first] = (await Deno.readTextFile(`${folder}/runs/new/metrics.csv`)).split("\n")
      .map((line) => line.split(","));
    assert.ok(Number.isFinite(Number(first[head.indexOf("loss/policy")])));
    assert.equal(first[head.indexOf("kl/reference")], "", "no reference");
    assert.ok(!head.some((name) => name.startsWith("value/")), "no value head");
    const plan = JSON.parse(
      await run(
        "train",
        "plurals",
        "--algorithm",
        "gpg",
        "--plan",
        "--json",
        "--device",
        "cpu",
      ),
    );
    assert.deepEqual(Object.keys(plan.parts), ["policy"]); // no reference is planned
  }));
