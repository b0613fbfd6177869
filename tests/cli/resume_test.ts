/** `train --resume` from a command line: which run, which checkpoint, and what is said of the others. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { listFolder } from "../../experiment/folder/files.ts";
import { unfinishedRuns } from "../../experiment/folder/resumable.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { inTemporary } from "../_folder.ts";
import { info } from "./_folders.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Starts the command line with made-up commands where `place` is. */
const start = (place: string, line: string): Deno.ChildProcess =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", `--config=${root}deno.json`, "--allow-read"]
      .concat("--allow-write=runs", `${root}tests/cli/_fake.ts`, ...line.split(" ")),
    cwd: place,
    stdout: "null",
    stderr: "piped",
  }).spawn();

/** Runs it to its end. */
async function command(place: string, line: string): Promise<{ code: number; err: string }> {
  const { code, stderr } = await start(place, line).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

/** A child that has shown its fourth step; `err` is what it wrote until it ends. */
async function running(place: string, line: string) {
  const child = start(place, line);
  let text = "";
  const shown = Promise.withResolvers<void>();
  const err = (async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (/ {5}4 /.test(text)) shown.resolve();
    }
    shown.reject(new Error(text));
    return text;
  })();
  await shown.promise;
  return { child, err };
}

async function killed(place: string, line: string): Promise<void> {
  const { child, err } = await running(place, line);
  child.kill("SIGKILL");
  await Promise.all([child.status, err]);
}

inTemporary(
  "a run that was killed is found among what is none, and ends as if uncut",
  async (place) => {
    await killed(place, "train slow --steps 30 --save-every 1 --out runs/cut");
    const runs = `${place}/runs`;
    await Deno.writeTextFile(`${runs}/.DS_Store`, "");
    await Deno.writeTextFile(`${runs}/slow-notes.txt`, "");
    await Deno.mkdir(`${runs}/slow-foreign/checkpoints`, { recursive: true });
    await Deno.writeTextFile(`${runs}/slow-foreign/thesis.txt`, "years of work");
    await Deno.mkdir(`${runs}/slow-file`);
    await Deno.writeTextFile(`${runs}/slow-file/checkpoints`, "");
    await Deno.mkdir(`${runs}/slow-broken`);
    await Deno.writeTextFile(`${runs}/slow-broken/config.json`, '{"task": "slow"}');
    const { code, err } = await command(place, "train slow --resume --device cpu");
    assert.equal(code, 0, err);
    assert.match(
      err,
      /^passed over runs\/slow-broken: Cannot read runs\/slow-broken\/config\.json as algorithm is missing/m,
    );
    assert.match(err, /^continuing runs\/cut from step [1-9]\d*$/m);
    assert.doesNotMatch(err, /foreign|notes|DS_Store|slow-file/);
    assert.deepEqual(await listFolder(`${runs}/slow-foreign`), ["checkpoints", "thesis.txt"]);
    await command(place, "train slow --steps 30 --out runs/whole --quiet");
    for (const file of ["metrics.csv", "completions.csv", "summary.json"]) {
      const [cut, whole] = ["cut", "whole"].map((run) =>
        Deno.readTextFile(`${runs}/${run}/${file}`)
      );
      assert.equal(await cut, await whole, file);
    }
  },
);

inTemporary(
  "the newest checkpoint that is good is taken, and the others are named",
  async (place) => {
    await killed(place, "train slow --steps 30 --save-every 1 --out runs/a");
    const steps = await checkpointSteps(`${place}/runs/a`), [good, newest] = steps.slice(-2);
    const weights = `${place}/runs/a/checkpoints/step-${newest}/model.safetensors`;
    const bytes = await Deno.readFile(weights);
    bytes[1234] ^= 8;
    await Deno.writeFile(weights, bytes);
    const { code, err } = await command(place, "train --resume runs/a --quiet");
    assert.equal(code, 0, err);
    assert.match(
      err,
      new RegExp(
        `^passed over runs/a/checkpoints/step-${newest}: model\\.safetensors does not hold what was ` +
          `written: its hash differs\ncontinuing runs/a from step ${good}$`,
        "m",
      ),
    );
    assert.equal((await readRun(`${place}/runs/a`)).metrics.length, 30);
  },
);

inTemporary("a run that is being trained is left alone, and its owner named", async (place) => {
  const line = "train slow --steps 20 --save-every 1 --out runs/slow-live";
  const { child, err } = await running(place, line);
  child.kill("SIGSTOP"); // alive, however long the others take
  try {
    const second = await command(place, "train --resume runs/slow-live");
    assert.equal(second.code, 2, second.err);
    const owner = new RegExp(`process ${child.pid} on \\S+ since 20\\S+Z has it`);
    assert.match(second.err, /^error: Cannot write runs\/slow-live as one process at a time may: /);
    assert.match(second.err, owner);
    const bare = await command(place, "train slow --resume");
    assert.equal(bare.code, 2, bare.err);
    assert.match(
      bare.err,
      /^error: no unfinished run of slow in runs that can be continued: passed/,
    );
    assert.match(bare.err, owner);
  } finally {
    child.kill("SIGCONT");
    const { code } = await child.status;
    assert.equal(code, 0, await err); // nothing was taken from it
  }
});

inTemporary(
  "a run without a checkpoint is named, with the line that starts it again",
  async (place) => {
    const command0 = "deno task train colors --seed 7";
    const other = new RunFolder({ out: `${place}/runs/b`, command: "", request: {} });
    await other.start(info("slow")); // of another task
    await other.close();
    await Deno.utime(`${place}/runs/b/config.json`, 1, 1);
    const run = new RunFolder({ out: `${place}/runs/colors-a`, command: command0, request: {} });
    await run.start(info());
    await run.close();
    for (
      const line of ["train --resume", "train colors --resume", "train --resume runs/colors-a"]
    ) {
      const { code, err } = await command(place, line);
      assert.equal(code, 2, err);
      assert.ok(
        err.includes(
          `Cannot resume runs/colors-a as it has no checkpoint yet. Start again: ${command0}`,
        ),
        err,
      );
    }
  },
);

inTemporary("a folder that may not be looked into is passed over", async (place) => {
  for (const name of ["a", "b"]) {
    const run = new RunFolder({ out: `${place}/${name}`, command: "", request: {} });
    await run.start(info());
    await run.close();
  }
  const { readDir } = Deno;
  Deno.readDir = (path) => {
    if (!String(path).endsWith("/b")) return readDir(path);
    throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  };
  try {
    const found = (await unfinishedRuns(place)).map(({ folder }) => folder);
    assert.deepEqual(found, [`${place}/a`]);
  } finally {
    Deno.readDir = readDir;
  }
});
