/** That the models of a run are opened with what its settings say. */
import assert from "node:assert/strict";
import { openRun } from "../../experiment/open.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { testOnDevices } from "../_devices.ts";
import { writeSmallModel } from "./_model.ts";

testOnDevices("a run's model has the run's clipping and recomputation", async (device) => {
  const folder = await Deno.makeTempDir();
  try {
    await writeSmallModel(folder);
    const open = async (settings: Record<string, number | boolean>) => {
      const given = { batchSize: 4, maxNewTokens: 4, ...settings };
      const plan = resolveRequest({
        task: "colors",
        reward: "exact",
        model: folder,
        steps: 2,
        settings: given,
      });
      using run = await openRun(plan, device);
      const { options, optimizer } = run.policy.model, { valueHead, recompute } = options;
      return { valueHead, recompute, maxGradNorm: optimizer!.options.maxGradNorm };
    };
    assert.deepEqual(await open({}), { valueHead: true, recompute: false, maxGradNorm: 1 });
    for (const lora of [{ loraRank: 0 }, { loraRank: 2 }]) {
      for (const [recompute, maxGradNorm] of [[true, 0.25], [false, 0]] as const) {
        const want = { valueHead: true, recompute, maxGradNorm };
        assert.deepEqual(await open({ ...lora, recompute, maxGradNorm }), want);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
