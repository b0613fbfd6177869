/** Runs of a GPT-Neo from start to export: all weights, and an adapter on f16. @module */
import { loadModel } from "../../model/hub/load.ts";
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { languageModelRows } from "../../model/rows.ts";
import { completeText } from "../../experiment/complete.ts";
import { exportModel } from "../../experiment/export.ts";
import type { RunSettings } from "../../experiment/settings.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { assertClose } from "../_close.ts";
import { Recorder, stopAndResume, writeSmallNeo } from "./_model.ts";

const VARIANTS: Record<string, Partial<RunSettings>> = {
  "all weights": { frozenDtype: "f16" },
  "an adapter on f16": {
    loraRank: 3,
    loraTargets: "all-linear",
    frozenDtype: "f16",
    recompute: true,
  },
};
for (const [name, chosen] of Object.entries(VARIANTS)) {
  Deno.test(`GPT-Neo, ${name}: stopped and resumed ends the same, and is exported`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await writeSmallNeo(`${folder}/model`);
      const settings = { batchSize: 4, learningRate: 1e-2, ...chosen };
      const request: TrainRequest = {
        ...{ task: "colors", model: `${folder}/model`, steps: 3, seed: 2, device: "cpu" },
        settings,
      };
      const whole = new Recorder(`${folder}/whole`);
      await trainTask(request, whole);
      const hasAdapter = settings.loraRank !== undefined;
      assert.equal(whole.rows[0]["kl/reference"] === 0, hasAdapter); // f16 rounds a copy's weights
      assert.notEqual(whole.rows[1]["kl/reference"], 0);
      const { first, second } = await stopAndResume(request, folder);
      assert.deepEqual([...first.rows, ...second.rows], whole.rows);
      const checkpoint = whole.checkpoints.at(-1)!, to = `${folder}/export`;
      const { modelType, adapter } = await exportModel({ model: checkpoint, to });
      assert.deepEqual([modelType, adapter?.rank], ["gpt_neo", settings.loraRank]);
      using device = new CpuDevice();
      using trained = await loadModel(device, checkpoint, { frozen: true });
      using exported = await loadModel(device, to, { frozen: true });
      const rows = languageModelRows([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
      const [got, want] = [await exported.evaluate(rows), await trained.evaluate(rows)];
      assertClose(got.logprob, want.logprob, "log-probabilities", 1e-5);
      const asked = { prompt: "red and blue", tokens: 4, temperature: 0, samples: 1, seed: 1 };
      const complete = (model: string) => completeText({ ...asked, model, device: "cpu" });
      assert.deepEqual((await complete(to)).completions, (await complete(checkpoint)).completions);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
