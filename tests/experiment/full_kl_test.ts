/** KL over the whole vocabulary through a run: the policy's two kinds of reference, and the command's settings. */
import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { trainTask } from "../../experiment/train.ts";
import { responseRows } from "../../model/rows.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { adaptedModel, gradients, randomModel, SMALL } from "../model/_model.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

const batch = {
  prompts: [Int32Array.of(1, 2, 3), Int32Array.of(4)],
  responses: [Int32Array.of(8, 9), Int32Array.of(10, 0, 2, 3)],
  temperature: 0.7,
};
const SLOTS = [0, 1, 4, 5, 6, 7]; // that exist, of (2, 4)

testOnDevices(
  "a policy's KL is to its frozen copy, or to itself without the adapter",
  async (device) => {
    using base = randomModel(device, SMALL, { valueHead: false, frozen: true });
    using adapted = adaptedModel(device);
    const [own, copied] = [
      new LanguagePolicy({ model: adapted }, null),
      new LanguagePolicy({ model: adapted, reference: base }, null),
    ];
    const rows = responseRows(batch), { temperature } = batch;
    const want = (await adapted.evaluate(rows, { temperature, reference: base })).kl!;
    assert.ok(want.every((x) => x > 0));
    const dkl = Float32Array.from({ length: 8 }, (_, i) => i - 3);
    const given: unknown[] = [];
    for (const policy of [own, copied]) {
      assert.equal((await policy.evaluate(batch)).kl, undefined);
      const { kl } = await policy.evaluate(batch, { kl: true });
      assertClose(SLOTS.map((i) => kl![i]), want, "kl", 0);
      policy.backward({ dlogprob: new Float32Array(8), dkl });
      given.push(await gradients(adapted));
      policy.zeroGradient();
    }
    assert.deepEqual(given[1], given[0]);
    await adapted.evaluate(rows, { temperature, reference: base });
    adapted.backward({ dkl: SLOTS.map((i) => dkl[i]) });
    assert.deepEqual(await gradients(adapted), given[0]);
  },
);

testOnDevices("a policy without a reference says so", async (device) => {
  using model = randomModel(device);
  const policy = new LanguagePolicy({ model }, null);
  assert.deepEqual([policy.hasKl, policy.reference], [false, undefined]);
  await assert.rejects(() => policy.evaluate(batch, { kl: true }), {
    message:
      "Cannot evaluate KL as it is to a reference: this policy has none; give it a frozen copy",
  });
});

Deno.test("a run with KL over the vocabulary starts at exactly 0, with an adapter too", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    const full = { klEstimator: "full", klGradient: "full", klCoefficient: 0.1 };
    const own = { batchSize: 6, maxNewTokens: 2, learningRate: 1e-2, epochs: 2, ...full };
    for (const loraRank of [0, 2]) {
      const recorder = new Recorder(folder);
      const request = {
        task: "colors",
        model: `${folder}/model`,
        steps: 2,
        device: "cpu",
      } as const;
      const settings = { ...own, loraRank };
      await trainTask({ ...request, algorithm: "reinforce", settings }, recorder);
      assert.deepEqual(recorder.rows.map((row) => row["kl/reference"] > 0), [false, true]);
      assert.deepEqual(recorder.rows.map((row) => row["loss/kl"] > 0), [true, true]);
      assert.equal(recorder.rows[0]["kl/reference"], 0);
    }
  }));
