import assert from "node:assert/strict";
import { isUsage } from "../../../base/usage.ts";
import { completeText } from "../../../experiment/complete.ts";
import { exportModel } from "../../../experiment/export.ts";
import { namedModel } from "../../../experiment/folder/named_model.ts";
import { planTask } from "../../../experiment/plan.ts";
import { trainTask } from "../../../experiment/train.ts";
import { inTemporary } from "../../_folder.ts";
import { Recorder, writeSmallModel } from "../_model.ts";

/** Writes a run of colors with models as its checkpoints, step 10 after step 2. */
async function writeRun(folder: string, steps = [2, 10]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const config = { task: "colors", config: { batchSize: 1 } };
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
  for (const step of steps) await writeSmallModel(`${folder}/checkpoints/step-${step}`);
}

const refuses = (name: string, message: RegExp) =>
  assert.rejects(() => namedModel(name), (error: Error) => {
    assert.match(error.message, message);
    assert.ok(isUsage(error), error.message);
    return true;
  });

inTemporary("a run stands for its last checkpoint, and a line says which", async (place) => {
  const run = `${place}/run`;
  await writeRun(run);
  const model = `${run}/checkpoints/step-10`;
  const want = { model, line: `${model}, the last checkpoint of ${run}` };
  assert.deepEqual(await namedModel(run), want);
  assert.deepEqual(await namedModel(`${run}/`), want);
  for (const name of ["tiny", "small", model, "gpt2", "owner/name", "owner/name@v1"]) {
    assert.deepEqual(await namedModel(name), { model: name });
  }
});

inTemporary(
  "a run can be trained on, planned, asked and exported by its own name",
  async (place) => {
    const run = `${place}/run`, device = "cpu" as const;
    await writeRun(run);
    const settings = { batchSize: 2 };
    const request = { task: "colors", model: run, steps: 1, device, settings };
    const recorder = new Recorder(`${place}/out`);
    await trainTask(request, recorder);
    const { source } = recorder.info!;
    assert.equal(source.kind === "folder" && source.path, `${run}/checkpoints/step-10`);
    assert.ok(recorder.said.includes(
      `model ${run}/checkpoints/step-10, the last checkpoint of ${run}`,
    ));
    assert.ok((await planTask(request)).total > 0);
    const asked = { prompt: "red", tokens: 2, temperature: 0, samples: 1, seed: 1, device };
    const { weights, device: on } = await completeText({ ...asked, model: run });
    assert.equal(weights, `${run}/checkpoints/step-10`);
    assert.deepEqual([on.kind, on.software], ["cpu", true]);
    const to = `${place}/export`;
    await Deno.mkdir(to);
    const { source: exported } = await exportModel({ model: run, to });
    assert.equal(exported.kind === "folder" && exported.path, `${run}/checkpoints/step-10`);
  },
);

inTemporary("what is neither run nor model says what it is", async (place) => {
  await writeRun(`${place}/runs/a`);
  await writeRun(`${place}/runs/new`, []);
  await refuses(`${place}/runs/new`, /it is a run without a checkpoint yet\. .*--resume .*\/new$/);
  await refuses(`${place}/runs`, /it is a folder of runs\. Name one: .*runs\/a, .*runs\/new$/);
  await refuses(
    `${place}/runs/a/checkpoints`,
    /the folder of a run's checkpoints\. Name the run, or one of step-10, step-2$/,
  );
  await Deno.mkdir(`${place}/empty`);
  await refuses(`${place}/empty`, /OWNER\/NAME of the hub: it is an empty folder$/);
  await Deno.mkdir(`${place}/half/checkpoint-200`, { recursive: true });
  await refuses(`${place}/half`, /pretraining has not ended\. .*pretrain --resume --out .*\/half$/);
  await Deno.mkdir(`${place}/runs/strange/config.json`, { recursive: true }); // no file of a run
  await refuses(`${place}/runs`, /it is a folder of runs\. Name one: .*runs\/a, .*runs\/new$/);
  await Deno.writeTextFile(`${place}/file`, "");
  await refuses(`${place}/file`, /it is a file$/);
  await refuses(place, /a folder without config\.json, which has empty, file, half, runs$/);
});

Deno.test("a name that nothing has says where it was looked for, and what is near", async () => {
  await refuses("./none", new RegExp(`^no run or model "\\./none" in ${Deno.cwd()}\\. `));
  await refuses("runs/none-at-all", /^no run or model "runs\/none-at-all" in \//);
  await refuses("/none/at/all", /^no run or model "\/none\/at\/all"\. {2}It takes a run folder/);
  await refuses("tinny", /Did you mean "tiny"\?/);
});
