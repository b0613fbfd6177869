import assert from "node:assert/strict";
import { note, readHistory } from "../../experiment/folder/history.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { inTemporary } from "../_folder.ts";
import { writeSmallModel } from "../experiment/_model.ts";
import { run } from "./_terminal.ts";

/** A command line that trains a small model into `folder`; what it leaves out is said beside it. */
const SMALL = "epochs=2 minibatches=2 batchSize=6 learningRateSchedule=constant";
async function smallRun(place: string, words: string) {
  await Deno.mkdir(`${place}/model`, { recursive: true });
  await writeSmallModel(`${place}/model`);
  const model = `--model ${place}/model --device cpu --seed 2`;
  return await run(`train colors ${model} ${SMALL} --out ${place}/run ${words}`);
}

/** The command after a phrase of what was said. */
const advised = (said: string, phrase: string): string =>
  new RegExp(`${phrase}: {1,2}deno task (train .*?)\\n`).exec(said)?.[1] ?? "none";

inTemporary(
  "a divergence names its cause, the folder and a line that works; its last good checkpoint is kept",
  async (place) => {
    const { code, err } = await smallRun(place, "--steps 9 --save-every 1 learningRate=1e3");
    assert.equal(code, 1);
    assert.match(err, /updates in a row had to be skipped: |logits must be finite numbers: /);
    assert.match(err, new RegExp(`^diverged; folder {2}${place}/run$`, "m"));
    assert.match(err, /^the last good checkpoint is that of step 0\./m);
    assert.ok((await checkpointSteps(`${place}/run`)).includes(0));
    const line = advised(err, "Continue");
    assert.match(line, / learningRate=0\.\d+$/); // the task's own
    const page = await Deno.readTextFile(`${place}/run/report.html`);
    assert.match(
      page,
      /It diverged after step \d: Cannot (continue training|draw a token|evaluate) as /,
    );
    assert.match(page, new RegExp(`that mends it:</p>\\n<pre>deno task ${line}</pre>`));

    const same = await run(`train --resume ${place}/run`);
    assert.equal(same.code, 2); // it would diverge again
    assert.equal(advised(same.err, "Change one"), line);

    const mended = await run(line);
    assert.equal(mended.code, 0, mended.err);
    assert.match(mended.err, /from step 0, from there on with learningRate=0\./);
    const data = await readRun(`${place}/run`);
    assert.deepEqual(data.metrics.map(([step]) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const rate = data.names.indexOf("optimizer/learning_rate") + 1;
    assert.ok(data.metrics.every((row) => row[rate] < 1), "the new rate from step 1 on");
    assert.equal(data.config.config.learningRate, data.metrics[0][rate]);
    assert.deepEqual((await readHistory(`${place}/run`)).map(({ kind, step }) => [kind, step]), [
      ["diverged", (await readHistory(`${place}/run`))[0].step],
      ["resumed", 0],
    ]);
    const report = await Deno.readTextFile(`${place}/run/report.html`);
    assert.match(report, /From step 1 on: learningRate 0\.\d+, not 1000\./);
    assert.doesNotMatch(report, /It diverged/);
    for (const step of await checkpointSteps(`${place}/run`)) {
      const weights = await Deno.readFile(
        `${place}/run/checkpoints/step-${step}/model.safetensors`,
      );
      const head = Number(new DataView(weights.buffer).getBigUint64(0, true));
      const numbers = new Float32Array(weights.slice(8 + head).buffer);
      assert.ok(numbers.every(Number.isFinite), `step ${step} is of the run that diverged`);
    }
  },
);

inTemporary(
  "a run that diverged is continued from the checkpoint before it, not from the newest",
  async (place) => {
    await smallRun(place, "--steps 5 --save-every 1");
    const [from, next] = [3, "deno task train again"];
    await note(`${place}/run`, { kind: "diverged", step: 5, cause: "it was", from, next });
    await Deno.remove(`${place}/run/summary.json`);
    const same = await run(`train --resume ${place}/run --save-every 2`);
    assert.match(
      same.err,
      /^error: Cannot resume .* would again\. Change one: {2}deno task train again$/m,
    );
    const { code, err } = await run(`train --resume ${place}/run maxGradNorm=0.5`);
    assert.equal(code, 0, err);
    assert.match(err, /^continuing .* from step 3, from there on with maxGradNorm=0\.5$/m);
    assert.equal((await readRun(`${place}/run`)).metrics.length, 5);
  },
);

inTemporary(
  "a finished run is extended, and what was changed holds in every later resume",
  async (place) => {
    const short = "learningRateSchedule=linear";
    const first = await smallRun(place, "--steps 2 learningRate=1e-3");
    assert.equal(first.code, 0, first.err);
    const before = (await readRun(`${place}/run`)).summary!;
    const again = await run(`train --resume ${place}/run`);
    assert.equal(again.code, 2);
    assert.match(again.err, /is finished: it has its 2 steps\./);
    const line = advised(again.err, "Extend it");
    assert.match(line, / --steps 4$/);
    const longer = await run(`${line} ${short} learningRate=5e-4 --save-every 1`);
    assert.equal(longer.code, 0, longer.err);
    const data = await readRun(`${place}/run`);
    assert.deepEqual([data.metrics.length, data.summary!.steps, data.config.steps], [4, 4, 4]);
    const rate = data.names.indexOf("optimizer/learning_rate") + 1;
    // Linear over 4 steps: the third has half of it, the fourth a quarter.
    assert.deepEqual(data.metrics.map((row) => row[rate]), [1e-3, 1e-3, 2.5e-4, 1.25e-4]);
    const [finished, resumed] = await readHistory(`${place}/run`);
    assert.deepEqual([finished.kind, finished.step], ["finished", 2]);
    assert.deepEqual("after" in finished && finished.after.heldout, before.heldout.after);
    assert.deepEqual([resumed.kind, resumed.step], ["resumed", 2]);
    assert.deepEqual(await checkpointSteps(`${place}/run`), [2, 3, 4]);

    const more = await run(`train --resume ${place}/run --steps 6`);
    assert.equal(more.code, 0, more.err);
    assert.match(
      more.err,
      /learningRateSchedule=linear now spans 6 steps, not 4: from step 5 on, values are those of a run of 6/,
    );
    const { metrics } = await readRun(`${place}/run`);
    assert.deepEqual(
      metrics.slice(4).map((row) => row[rate].toPrecision(6)),
      [5e-4 * 2 / 6, 5e-4 / 6].map((x) => x.toPrecision(6)),
    );
    const shorter = await run(`train --resume ${place}/run --steps 5`);
    assert.match(shorter.err, /is finished: it has its 6 steps/);
    const page = await Deno.readTextFile(`${place}/run/report.html`);
    assert.match(page, /From step 3 on: .*learningRate 0\.0005, not 0\.001; /);
  },
);

inTemporary("what a run learns and from what may not be changed on --resume", async (place) => {
  await smallRun(place, "--steps 1");
  for (
    const change of ["--seed 3", "--model tiny", "--reward exact", "batchSize=12", "gamma=0.9"]
  ) {
    const { code, err } = await run(`train --resume ${place}/run --steps 2 ${change}`);
    assert.equal(code, 2, change);
    const [name] = change.split(/[ =]/);
    assert.match(err, new RegExp(`^error: Cannot change ${name} on --resume as .* may change; `));
  }
  assert.equal((await readRun(`${place}/run`)).metrics.length, 1);
});

inTemporary(
  "a history or request that no run wrote is refused, and says what is wrong",
  async (place) => {
    await smallRun(place, "--steps 2 --save-every 1 learningRate=1e-3");
    const folder = `${place}/run`;
    const resumed = { kind: "resumed", time: "2026-01-01T00:00:00Z", asked: {}, changed: {} };
    const histories: [unknown, RegExp][] = [
      [[{ kind: "resumed" }], /history\.json as 0\.step is missing/],
      [[{ ...resumed, step: 1 }], /history\.json as 0\.asked\.settings is missing/],
      [[{ kind: "diverged", step: 2, time: "" }], /history\.json as 0\.cause is missing/],
      [
        [{ ...resumed, step: 2, asked: { settings: { temperature: 5 } } }],
        /it changes temperature,/,
      ],
      // Of before the checkpoint, which would have been saved so.
      [
        [{ ...resumed, step: 1, asked: { settings: { learningRate: 5 } } }],
        /learningRate is 5, it was 0\.001/,
      ],
    ];
    for (const [history, message] of histories) {
      await Deno.writeTextFile(`${folder}/history.json`, JSON.stringify(history));
      const { code, err } = await run(`train --resume ${folder} --steps 3`);
      assert.ok(code > 0, err);
      assert.match(err, message);
    }
    await Deno.remove(`${folder}/history.json`);
    const config = JSON.parse(await Deno.readTextFile(`${folder}/config.json`));
    const requests: [object, RegExp][] = [
      [{}, /the request in its config\.json must be as the run wrote it: task is missing/],
      [{ ...config.request, rewards: 5 }, /rewards is 5 /],
      [{ ...config.request, model: {} }, /model is {} /],
    ];
    for (const [request, message] of requests) {
      await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ ...config, request }));
      const { code, err } = await run(`train --resume ${folder} --steps 3`);
      assert.equal(code, 2, err);
      assert.match(err, message);
    }
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    const { code, err } = await run(`train --resume ${folder} --steps 3`); // nothing was lost
    assert.equal(code, 0, err);
  },
);

inTemporary(
  "--out of a run that is there says how it goes on, and the line works",
  async (place) => {
    await smallRun(place, "--steps 1");
    const { code, err } = await smallRun(place, "--steps 1");
    assert.equal(code, 2);
    const line = advised(err, "extend the run that is there");
    assert.match(line, /--resume .*\/run --steps 2$/);
    assert.equal((await run(line)).code, 0);
    await Deno.remove(`${place}/run/summary.json`);
    const unfinished = await smallRun(place, "--steps 1");
    assert.equal((await run(advised(unfinished.err, "continue the run that is there"))).code, 0);
    await Deno.mkdir(`${place}/other`);
    await Deno.writeTextFile(`${place}/other/thesis.txt`, "years of work");
    const other = await run(`train colors --out ${place}/other`);
    assert.match(other.err, /other as it is not empty\. Choose another with --out\n$/);
  },
);

inTemporary(
  "--resume without a run advises a line that works; tasks have near names",
  async (place) => {
    const before = Deno.cwd();
    try {
      Deno.chdir(place);
      const none = await run("train --resume");
      assert.equal(none.code, 2);
      assert.match(none.err, /^error: no unfinished run .*\. Start one: deno task train colors\n$/);
      const of = await run("train parents --resume");
      assert.match(of.err, /no task "parents"\./);
      const near = await run("train colorz --resume");
      assert.equal(near.code, 2);
      assert.match(near.err, /^error: no task "colorz"\. Did you mean "colors"\?/);
    } finally {
      Deno.chdir(before);
    }
  },
);
