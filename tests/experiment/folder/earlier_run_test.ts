/** Run folders of earlier versions: columns named as TRL does, and no parts of a step timed. */
import assert from "node:assert/strict";
import { readManifest, writeManifest } from "../../../experiment/folder/manifest.ts";
import { markOf } from "../../../experiment/folder/marks.ts";
import { findResumable } from "../../../experiment/folder/resumable.ts";
import { readRun } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { inTemporary } from "../../_folder.ts";
import { completion, info, timings } from "../../cli/_folders.ts";

/** Writes a run of two steps as version 0.1.0 left it. */
async function earlierRun(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  const { config: _config, ...about } = info();
  const files = {
    "config.json": JSON.stringify({ ...about, config: {}, request: {}, command: "", versions: {} }),
    "metrics.csv":
      "step,objective/kl,ppo/mean_scores,rewards/exact/mean\n1,0,0.25,0\n2,0.5,0.5,1\n",
    "timings.csv": "step,seconds,step_seconds\n1,4.000,4.000\n2,7.000,3.000\n",
    "completions.csv": "step,phase,id,prompt,completion,answer,reward,score:exact\n" +
      '0,before:train,a,p," red",red,1,1\n0,before:heldout,b,p, blue,red,0,0\n' +
      "1,train,a,p, red,red,1,1\n2,train,a,p, blue,red,,0\n2,after:heldout,b,p, red,red,1,1\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}

inTemporary(
  "a run of an earlier version is read: today's names, phases told apart",
  async (place) => {
    await earlierRun(`${place}/run`);
    const run = await readRun(`${place}/run`);
    assert.deepEqual(run.names, ["kl/reference", "score/mean", "rewards/exact/mean"]);
    assert.deepEqual(run.metrics, [[1, 0, 0.25, 0], [2, 0.5, 0.5, 1]]);
    assert.deepEqual(
      run.completions.map((row) => [row.phase, row.split, row.reward, row.scores.exact]),
      [
        ["before", "train", 1, 1],
        ["before", "heldout", 0, 0],
        ["train", "train", 1, 1],
        ["train", "train", null, 0],
        ["after", "heldout", 1, 1],
      ],
    );
  },
);

inTemporary(
  "a run of an earlier version is resumed into one table with today's columns",
  async (place) => {
    const folder = `${place}/run`;
    await earlierRun(folder);
    let now = 0;
    const resume = { folder, step: 1 };
    const run = new RunFolder({ resume, command: "", request: {}, now: () => now });
    await run.start(info());
    now = 2000;
    // One more than that version had: the table keeps its columns.
    const had = { "kl/reference": 1, "score/mean": 0.75, "rewards/exact/mean": 1 };
    const metrics = { "rewards/exact/std": 0.5, ...had };
    await run.step({ step: 2, metrics, completions: [completion(2, "train", " red")], timings });
    await run.close();
    assert.equal(
      await Deno.readTextFile(`${folder}/metrics.csv`),
      "step,kl/reference,score/mean,rewards/exact/mean\n1,0,0.25,0\n2,1,0.75,1\n",
    );
    assert.equal(
      await Deno.readTextFile(`${folder}/timings.csv`),
      "step,seconds,step_seconds,generate,score,evaluate,update\n1,4.000,4.000,,,,\n" +
        "2,6.000,2.000,1.000,0.500,0.250,2.000\n",
    );
    const { completions } = await readRun(folder);
    assert.deepEqual(completions.map(({ phase, step }) => [phase, step]), [
      ["before", 0],
      ["before", 0],
      ["train", 1],
      ["train", 2],
    ]);
  },
);

inTemporary("a resumed run without one of the table's columns is refused", async (place) => {
  await earlierRun(`${place}/run`);
  const resume = { folder: `${place}/run`, step: 1 };
  const run = new RunFolder({ resume, command: "", request: {} });
  await run.start(info());
  const metrics = { "kl/reference": 1, "rewards/exact/mean": 1 };
  await assert.rejects(run.step({ step: 2, metrics, completions: [], timings }), {
    message: "Cannot write metrics of step 2 as every step has the same names: it has " +
      "kl/reference,rewards/exact/mean, the first had kl/reference,score/mean,rewards/exact/mean",
  });
  await run.close();
});

inTemporary(
  "a table keeps the columns that it began with, as checkpoints know its bytes",
  async (place) => {
    const folder = `${place}/run`, about = { command: "", request: {} };
    const report = (step: number) => ({
      ...{ step, metrics: { "kl/reference": step, "score/mean": 0.5 }, completions: [], timings },
    });
    const first = new RunFolder({ out: folder, ...about });
    await first.start(info());
    await first.step(report(1));
    await first.checkpoint(1, (to) => Deno.writeTextFile(`${to}/state`, "1"));
    await first.close();
    const before = {
      "metrics.csv": "step,objective/kl,ppo/mean_scores\n1,1,0.5\n",
      "timings.csv": "step,seconds,step_seconds\n1,4.000,4.000\n",
    };
    const checkpoint = `${folder}/checkpoints/step-1`, manifest = (await readManifest(checkpoint))!;
    for (const [name, text] of Object.entries(before)) { // as a version with other names left it
      await Deno.writeTextFile(`${folder}/${name}`, text);
      manifest.tables[name] = await markOf(`${folder}/${name}`);
    }
    const { step, device, tables, files: _, format: _format, plainrl: _version, ...identity } =
      manifest;
    await writeManifest(checkpoint, { identity, step, device, tables });
    using found = await findResumable(folder);
    assert.deepEqual(found.passedOver, []);
    let now = 0;
    const second = new RunFolder({ resume: found, now: () => now, ...about });
    await second.start(info());
    now = 2000;
    await second.step(report(2));
    await second.close();
    const after = { "metrics.csv": "2,2,0.5\n", "timings.csv": "2,6.000,2.000\n" };
    for (const [name, text] of Object.entries(before)) {
      const whole = text + after[name as keyof typeof after];
      assert.equal(await Deno.readTextFile(`${folder}/${name}`), whole);
    }
    assert.deepEqual((await readRun(folder)).names, ["kl/reference", "score/mean"]);
  },
);
