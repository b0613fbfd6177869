import assert from "node:assert/strict";
import type { RunSettings } from "../../experiment/settings.ts";
import { trainTask } from "../../experiment/train.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

Deno.test("frozenDtype=f16 moves the first KL off 0, by little, and says so in the settings", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeSmallModel(folder); // as F32, so that f16 rounds
    const run = async (chosen: Partial<RunSettings>): Promise<[kl: number, dtype: unknown]> => {
      const recorder = new Recorder(`${folder}/${chosen.frozenDtype}`);
      const settings = { batchSize: 6, maxNewTokens: 4, ...chosen };
      const request = { task: "colors", model: folder, steps: 1, settings, device: "cpu" } as const;
      await trainTask(request, recorder);
      return [recorder.rows[0]["kl/reference"], recorder.info?.config.frozenDtype];
    };
    assert.deepEqual(await run({}), [0, "f32"]);
    const [kl, dtype] = await run({ frozenDtype: "f16" });
    assert.equal(dtype, "f16");
    assert.ok(kl !== 0 && Math.abs(kl) < 0.01, `${kl} nats a sequence`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
