/** That a run's value head is saved, kept, and where a model has one taken up again. */
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { loadModel } from "../../model/hub/load.ts";
import { exportModel } from "../../experiment/export.ts";
import { openRun } from "../../experiment/open.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import type { Reward } from "../../rewards/reward.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

const settings = { batchSize: 4, maxNewTokens: 3, learningRate: 1e-2, epochs: 1 };
/** Different for every completion, and never 0. */
const reward: Reward = {
  name: "long",
  score: ({ completions }) => Promise.resolve(completions.map((text) => 1 + text.length / 10)),
};
const request: TrainRequest = { task: "colors", reward, steps: 2, device: "cpu", settings };

/** Numbers of the head and of one weight of the trunk in a folder. */
async function numbersIn(folder: string): Promise<{ head: number[]; trunk: number[] }> {
  using device = new CpuDevice();
  using model = await loadModel(device, folder, { frozen: true, valueHead: true, merge: true });
  const names = ["v_head.weight", "v_head.bias", "h.0.mlp.c_fc.weight"];
  const [weight, bias, trunk] = await device.read(...names.map((name) => model.weights.get(name)));
  return { head: [...weight, ...bias], trunk: [...trunk] };
}

/** The head with which a run would begin. */
async function headAtStart(asked: TrainRequest): Promise<number[]> {
  using device = new CpuDevice();
  using run = await openRun(resolveRequest(asked), device);
  const { weights, adapter } = run.policy.model, store = adapter?.parameters ?? weights;
  const names = ["v_head.weight", "v_head.bias"];
  return (await device.read(...names.map((name) => store.get(name)))).flatMap((x) => [...x]);
}

Deno.test("a run in its critic's warm-up saves a head that learned, and a trunk that did not move", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    const start = await numbersIn(`${folder}/model`);
    assert.ok(start.head.every((x) => x === 0));
    const run = new Recorder(`${folder}/run`);
    const warm = { ...settings, criticWarmup: 2 };
    await trainTask({ ...request, model: `${folder}/model`, settings: warm }, run);
    const checkpoint = run.checkpoints.at(-1)!, saved = await numbersIn(checkpoint);
    assert.deepEqual(saved.trunk, start.trunk);
    assert.ok(saved.head.every((x) => x !== 0));
    assert.deepEqual(run.rows.map((row) => row["kl/reference"]), [0, 0]);

    // A run from that checkpoint, or from what is exported of it, begins with its head.
    await exportModel({ model: checkpoint, to: `${folder}/kept`, valueHead: true });
    await exportModel({ model: checkpoint, to: `${folder}/bare` });
    const ways: Record<string, string | number>[] = [{}, { loraRank: 2 }, { valueInit: "normal" }];
    for (const more of ways) {
      const from = (model: string) =>
        headAtStart({ ...request, model, settings: { ...settings, ...more } });
      assert.deepEqual(await from(checkpoint), saved.head);
      assert.deepEqual(await from(`${folder}/kept`), saved.head);
      const fresh = await from(`${folder}/bare`);
      assert.equal(fresh.some((x) => x !== 0), "valueInit" in more);
    }
    // Two seeds, two heads.
    const drawn = (seed: number) =>
      headAtStart({
        ...{ ...request, seed, model: `${folder}/bare` },
        settings: { ...settings, valueInit: "normal" },
      });
    assert.notDeepEqual(await drawn(1), await drawn(2));
    // And an adapter's checkpoint, from which a run trains all weights.
    const adapted = new Recorder(`${folder}/adapted`);
    const lora = { ...settings, loraRank: 2 };
    await trainTask({ ...request, model: checkpoint, settings: lora }, adapted);
    const beside = await numbersIn(adapted.checkpoints.at(-1)!);
    assert.notDeepEqual(beside.head, saved.head);
    const after = await headAtStart({ ...request, model: adapted.checkpoints.at(-1)! });
    assert.deepEqual(after, beside.head);
  }));

Deno.test("settings of optimizer and value head reach a run's model", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    const more = { adamBeta1: 0.8, weightDecay: 0.1, valueWeightDecay: 0.2, clipApart: true };
    const asked = { ...settings, ...more, detachValue: true, valueInit: "normal" };
    using device = new CpuDevice();
    const plan = resolveRequest({ ...request, model: `${folder}/model`, settings: asked });
    using run = await openRun(plan, device);
    const { options, optimizer } = run.policy.model;
    assert.deepEqual([options.valueDetached, options.valueInit], [true, "normal"]);
    const { beta1, weightDecay, valueWeightDecay, clipApart } = optimizer!.options;
    assert.deepEqual([beta1, weightDecay, valueWeightDecay, clipApart], [0.8, 0.1, 0.2, true]);
    assert.equal(run.policy.valueDetached, true);
  }));

Deno.test("a decay of more than a whole weight, or a warm-up beyond the run, is refused before it starts", () => {
  const resolve = (settings: Record<string, number | string>) =>
    resolveRequest({ ...request, settings: { ...request.settings, ...settings } });
  const share = /a learning rate times its weight decay .* at most 1: it is 10$/;
  assert.throws(() => resolve({ learningRate: 1, weightDecay: 10 }), share);
  assert.throws(() => resolve({ valueLearningRate: 1, valueWeightDecay: 10 }), share);
  assert.throws(() => resolve({ warmupSteps: 3 }), /at most the 2 steps of the run: it is 3/);
  const each = { scheduleUnit: "optimizer-steps", minibatches: 2, epochs: 3 };
  resolve({ ...each, warmupSteps: 12 });
  assert.throws(
    () => resolve({ ...each, warmupSteps: 13 }),
    /warmupSteps must be at most the 12 steps of the run: it is 13/,
  );
  const { notices } = resolveRequest({
    ...{ ...request, algorithm: "grpo" },
    settings: { batchSize: 8, valueWeightDecay: 0.1 },
  });
  assert.match(
    notices.join(),
    /valueWeightDecay=0.1 changes nothing as the algorithm has no value/,
  );
});
