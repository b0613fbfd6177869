/** A checkpoint that is damaged, foreign, or of a run that was changed since is never continued from in silence. */
import assert from "node:assert/strict";
import { findResumable, NotResumableError } from "../../../experiment/folder/resumable.ts";
import { readManifest } from "../../../experiment/folder/manifest.ts";
import { checkpointSteps } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import type { TrainRequest } from "../../../experiment/train.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { inTemporary } from "../../_folder.ts";
import { info } from "../../cli/_folders.ts";
import { capitals, copyFolder, results, resumeIn, runInto, smallRequest } from "./_small_run.ts";

/** A run stopped after its third step, with a checkpoint of each, and copies of it to be damaged. */
async function cutRun(place: string) {
  const request = await smallRequest(place), cut = `${place}/cut`;
  await runInto(cut, request, { stop: 3 });
  let copies = 0;
  const copy = async () => {
    const folder = `${place}/copy-${++copies}`;
    await copyFolder(cut, folder);
    return folder;
  };
  return { request, cut, copy };
}

/** Where a resume would continue, or why it would not. */
async function found(folder: string): Promise<{ step?: number; why: string[] }> {
  try {
    using run = await findResumable(folder);
    return { step: run.step, why: run.passedOver.map(({ why }) => why) };
  } catch (error) {
    assert.ok(error instanceof NotResumableError, String(error));
    return { why: [error.message] };
  }
}

const edit = async (path: string, change: (text: string) => string) => {
  const text = await Deno.readTextFile(path), changed = change(text);
  assert.notEqual(changed, text, path);
  await Deno.writeTextFile(path, changed);
};

const end = (folder: string) => `${folder}/checkpoints/step-3`;

/** What happens to a run between two processes, and what a resume says of its newest checkpoint. */
const DAMAGES: [what: string, damage: (folder: string, place: string) => Promise<void>, RegExp][] =
  [
    [
      "a file of another step",
      (run) =>
        Deno.copyFile(
          `${run}/checkpoints/step-2/optimizer.safetensors`,
          `${end(run)}/optimizer.safetensors`,
        ),
      /^optimizer\.safetensors does not hold what was written: its hash differs$/,
    ],
    [
      "a file cut short",
      (run) => Deno.truncate(`${end(run)}/model.safetensors`, 1000),
      /^model\.safetensors has 1000 bytes: it was written with \d+$/,
    ],
    ["a file gone", (run) => Deno.remove(`${end(run)}/tokenizer.json`), /^tokenizer\.json is miss/],
    [
      "a file too many, which would make an adapter of it",
      (run) => Deno.writeTextFile(`${end(run)}/adapter_config.json`, "{}"),
      /^adapter_config\.json is not a file of it$/,
    ],
    [
      "another n_head",
      (run) => edit(`${end(run)}/config.json`, (text) => text.replace('n_head": 2', 'n_head": 4')),
      /^config\.json does not hold what was written/,
    ],
    [
      "an edited state",
      (run) => edit(`${end(run)}/trainer.json`, (text) => text.replace('"step": 3', '"step": 1')),
      /^trainer\.json does not hold what was written/,
    ],
    [
      "an edited manifest",
      (run) => edit(`${end(run)}/manifest.json`, (text) => text.replace('"seed": 2', '"seed": 3')),
      /manifest\.json as its text is not that of its own hash$/,
    ],
    [
      "a manifest cut short",
      (run) => Deno.truncate(`${end(run)}/manifest.json`, 300),
      /manifest\.json as it is not whole: /,
    ],
    ["no manifest", (run) => Deno.remove(`${end(run)}/manifest.json`), /^it has no manifest$/],
    [
      "the checkpoint of a run with another seed",
      async (run, place) => {
        await Deno.remove(end(run), { recursive: true });
        await copyFolder(`${place}/other/checkpoints/step-3`, end(run));
      },
      /it belongs to another run$/,
    ],
  ];

inTemporary(
  "of a damaged checkpoint the older good one is taken, with the reason",
  async (place) => {
    const { request, copy } = await cutRun(place);
    await runInto(`${place}/other`, { ...request, seed: 3 }, { stop: 3 });
    assert.deepEqual(await found(await copy()), { step: 3, why: [] });
    for (const [what, damage, message] of DAMAGES) {
      const folder = await copy();
      await damage(folder, place);
      const { step, why } = await found(folder);
      assert.deepEqual([step, why.length], [2, 1], `${what}: ${why}`);
      assert.match(why[0], message, what);
    }
    const renamed = await copy();
    await Deno.rename(end(renamed), `${renamed}/checkpoints/step-7`);
    const { step, why } = await found(renamed);
    assert.deepEqual([step, why], [2, ["it is the checkpoint of step 3, renamed"]]);
    const beside = await copy(); // what a file browser leaves is no damage
    await Deno.writeTextFile(`${end(beside)}/.DS_Store`, "");
    assert.equal((await found(beside)).step, 3);
    const later = await copy();
    await edit(`${end(later)}/manifest.json`, (text) => text.replace('"format": 1', '"format": 2'));
    assert.match((await found(later)).why[0], /this version reads format 1: it is 2$/);
  },
);

const lines = (change: (rows: string[]) => string[]) => (text: string) =>
  change(text.trimEnd().split("\n")).join("\n") + "\n";

inTemporary("rows that were changed are seen, whichever table and however", async (place) => {
  const { copy } = await cutRun(place);
  const changes: [string, (text: string) => string][] = [
    ["a missing row", lines(([head, , ...rest]) => [head, ...rest])],
    ["a doubled row", lines(([head, first, ...rest]) => [head, first, first, ...rest])],
    ["swapped rows", lines(([head, a, b, ...rest]) => [head, b, a, ...rest])],
    ["a byte order mark", (text) => `\ufeff${text}`],
    ["carriage returns", (text) => text.replaceAll("\n", "\r\n")],
    ["an empty file", () => ""],
  ];
  for (const name of ["metrics.csv", "completions.csv", "timings.csv"]) {
    for (const [what, change] of changes) {
      const folder = await copy();
      await edit(`${folder}/${name}`, change);
      const { step, why } = await found(folder);
      const told = step === undefined
        ? `step-3: of ${name}, it.*step-1: of .*` +
          "Put back what was changed, or start again: the command$"
        : `^of ${name}, its first \\d+ bytes are not those that belong to the checkpoint: rows`;
      assert.match(why[0], new RegExp(told), `${what} in ${name}`);
      // A first row that comes twice leaves what belongs to the first step as it was.
      const early = what === "a doubled row" && name !== "completions.csv";
      assert.equal(step, early ? 1 : undefined, `${what} in ${name}`);
    }
    const folder = await copy();
    await Deno.remove(`${folder}/${name}`);
    assert.match(
      (await found(folder)).why[0],
      /it is empty or gone, and \d+ bytes of it belong to/,
    );
  }
  const folder = await copy(); // the last row alone: checkpoints before it are good
  await edit(`${folder}/metrics.csv`, lines((rows) => rows.slice(0, -1)));
  const { step, why } = await found(folder);
  assert.equal(step, 2);
  assert.match(why[0], /^of metrics\.csv, it is cut off at byte \d+, and \d+ bytes of it belong/);
});

inTemporary("after a fall back to an older checkpoint a run ends as if uncut", async (place) => {
  const { request, copy } = await cutRun(place);
  await runInto(`${place}/whole`, request);
  const wanted = await results(`${place}/whole`);
  for (const broken of [[], [3], [3, 2]]) {
    const folder = await copy();
    for (const step of broken) {
      await Deno.truncate(`${folder}/checkpoints/step-${step}/model.safetensors`, 100);
    }
    const { found: { passedOver }, said } = await resumeIn(folder, request);
    assert.equal(passedOver.length, broken.length);
    assert.ok(said.every((text) => !/manifest|device \(/.test(text)), `${said}`);
    assert.deepEqual(await results(folder), wanted);
    assert.deepEqual(await checkpointSteps(folder), [2, 3, 4]);
    for (const step of broken) { // for whoever wants to look at it
      const kept = await Deno.stat(`${folder}/checkpoints/step-${step}.unused/model.safetensors`);
      assert.equal(kept.size, 100);
    }
  }
});

inTemporary("rows behind those of a checkpoint are cut off, closing answers too", async (place) => {
  const { request, copy } = await cutRun(place);
  const folder = await copy(), tables = ["metrics.csv", "completions.csv", "timings.csv"];
  const rows = await readManifest(`${folder}/checkpoints/step-2`);
  await Deno.remove(end(folder), { recursive: true });
  const run = new RunFolder({ resume: { folder, step: 2 }, command: "", request: {} });
  await run.start({ ...info("capitals"), config: {} });
  for (const name of tables) {
    assert.equal((await Deno.stat(`${folder}/${name}`)).size, rows!.tables[name].bytes, name);
  }
  await run.close();
  const whole = `${place}/whole`;
  await runInto(whole, request);
  const wanted = await results(whole);
  await Deno.remove(`${whole}/summary.json`); // as a kill amid the closing answers
  const { found: { step } } = await resumeIn(whole, request);
  assert.equal(step, 4);
  await assert.rejects(
    findResumable(whole),
    /Cannot resume \S+ as the run is finished: it has a sum/,
  );
  const earlier = await findResumable(whole, { finished: true, upTo: 3 });
  assert.deepEqual([earlier.step, earlier.passedOver], [3, []]);
  earlier[Symbol.dispose]();
  assert.deepEqual(await results(whole), wanted);
});

inTemporary(
  "a run that was changed since its checkpoint is refused, with what differs",
  async (place) => {
    const { request, cut, copy } = await cutRun(place);
    const refused = async (change: Partial<TrainRequest>, message: RegExp, device?: CpuDevice) => {
      await assert.rejects(resumeIn(cut, { ...request, ...change }, { device }), {
        name: "CheckpointError",
        message,
      });
    };
    await refused(
      { seed: 3 },
      /as the run is not as it was then: the seed is 3, it was 2\. Put it b/,
    );
    const settings = { ...request.settings, learningRate: 1e-3 };
    await refused(
      { settings },
      /then: learningRate is 0\.001, it was 0\.01\. Put it back as it was, or/,
    );
    await refused(
      { task: capitals(" Lyon") },
      /the examples of the task capitals have changed\. Put/,
    );
    await refused(
      { task: { ...capitals(), name: "towns" } },
      /the task is "towns", it was "capitals"/,
    );
    await refused({ steps: 5 }, /: totalSteps is 5, it was 4\. /);
    await refused({ reward: "exact:2" }, /: the weight of exact is 2, it was 1\. /);
    class Other extends CpuDevice {
      override readonly name = "another processor" as never;
    }
    using other = new Other();
    await refused(
      {},
      /only the same device continues exactly: it was saved on .* \(cpu\) and this is another processor \(cpu\), which rounds otherwise\. Continue there, or here all the same with --device cpu$/,
      other,
    );
    // What whoever resumes asks for passes, and is said.
    const asked = {
      ...request,
      settings,
      steps: 5,
      changed: ["learningRate", "totalSteps", "device"],
    };
    const folder = await copy();
    const { said } = await resumeIn(folder, asked, { device: other });
    assert.match(
      said.join("\n"),
      /^continuing on another device: it was saved on .*end otherwise$/m,
    );
    const manifest = await readManifest(`${folder}/checkpoints/step-5`);
    assert.equal(manifest!.device.name, "another processor");
    assert.equal(manifest!.settings.learningRate, 1e-3);
  },
);

inTemporary("an edited config.json of the run is refused, with what differs", async (place) => {
  const { copy } = await cutRun(place);
  const edits: [(text: string) => string, RegExp][] = [
    [
      (text) => text.replace(/"seed": 2/, '"seed": 3'),
      /step-3: .*config\.json.*the seed is 3, it was 2/,
    ],
    [
      (text) => text.replace('"learningRate": 0.01', '"learningRate": 0.1'),
      /learningRate is 0\.1, it/,
    ],
    [(text) => text.replace(/"id": "./, '"id": "x'), /it belongs to another run/],
    [(text) => text.replace('"exact": 1', '"exact": 3'), /the weight of exact is 3, it was 1/],
  ];
  for (const [change, message] of edits) {
    const folder = await copy();
    await edit(`${folder}/config.json`, change);
    assert.match((await found(folder)).why[0], message);
  }
});

inTemporary(
  "a checkpoint of an earlier version is continued from, with a notice",
  async (place) => {
    const { request, copy } = await cutRun(place);
    await runInto(`${place}/whole`, request);
    const folder = await copy();
    await edit(`${folder}/config.json`, (text) => text.replace(/ *"id": ".*",\n/, ""));
    for (const step of [1, 2, 3]) {
      await Deno.remove(
        `${folder}/checkpoints/step-${step}/manifest.json`,
      );
    }
    const torn = `${place}/torn`;
    await copyFolder(folder, torn);
    await Deno.truncate(`${end(torn)}/optimizer.safetensors`, 2000);
    const { step, why } = await found(torn);
    assert.equal(step, 2);
    assert.match(why[0], /optimizer\.safetensors/);
    await Deno.writeTextFile(`${torn}/checkpoints/step-2/trainer.json`, "null");
    assert.match(
      (await found(torn)).why[1],
      /its trainer\.json must hold an object: it holds null/,
    );
    const { found: { notices }, said } = await resumeIn(folder, request);
    assert.match(notices[0], /step-3 is of an earlier version: it cannot be checked$/);
    assert.match(
      said.join("\n"),
      /step-3 has no manifest, as in earlier versions: it is taken as it is/,
    );
    assert.deepEqual(await results(folder), await results(`${place}/whole`));
  },
);

inTemporary(
  "a library's resume at a step whose tables are not there changes nothing",
  async (place) => {
    const { request, copy } = await cutRun(place);
    const folder = await copy();
    await edit(`${folder}/metrics.csv`, () => "step\n");
    const before = await checkpointSteps(folder);
    const run = new RunFolder({ resume: { folder, step: 2 }, command: "", request: {} });
    const { trainTask } = await import("../../../experiment/train.ts");
    await assert.rejects(
      trainTask({ ...request, resume: `${folder}/checkpoints/step-2` }, run),
      /Cannot continue \S+metrics\.csv as it is cut off at byte 5, and \d+ bytes of it belong to the/,
    );
    await run.close();
    assert.deepEqual(await checkpointSteps(folder), before);
    assert.equal(await Deno.readTextFile(`${folder}/metrics.csv`), "step\n");
  },
);
