/** A reward that asks the very model that learns, while the trainer evaluates. */
import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { loadModel } from "../../model/hub/load.ts";
import { responseRows } from "../../model/rows.ts";
import { Trainer } from "../../rl/trainer.ts";

Deno.test("a reward that asks the model that learns does not change what is learned", async () => {
  const prompts = Array.from({ length: 4 }, (_, b) => Int32Array.of(b, 2));
  const run = async (asks: boolean) => {
    using device = new CpuDevice();
    using model = await loadModel(device, "tests/fixtures/gpt2-a");
    const policy = new LanguagePolicy({ model });
    const settings = { groupSize: 2, maxNewTokens: 3, learningRate: 1e-2, totalSteps: 2 };
    const trainer = new Trainer(policy, settings, "grpo");
    const all = [];
    for (let step = 0; step < 2; step++) {
      const { metrics } = await trainer.step(prompts, async ({ responses }) => {
        const before = policy.lastPass;
        for (let i = 0; i < 20 && policy.lastPass === before; i++) {
          await new Promise((done) => setTimeout(done));
        }
        assert.notEqual(policy.lastPass, before); // the trainer evaluates while this waits
        if (asks) {
          await new Promise((done) => setTimeout(done));
          const others = prompts.map(() => Int32Array.of(7));
          await model.evaluate(responseRows({ prompts: others, responses: others }));
        }
        return responses.map((r) => r[0] / 97);
      });
      all.push(metrics);
    }
    return all;
  };
  const plain = await run(false);
  assert.ok(plain[1]["optimizer/grad_norm"] > 0);
  assert.deepEqual(await run(true), plain);
});
