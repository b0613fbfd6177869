import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { loadModel } from "../../model/hub/load.ts";
import { testOnDevices } from "../_devices.ts";
import { writeSmallModel } from "./_model.ts";

const STEPS = Number(Deno.env.get("PLAINRL_STEPS") ?? 400); // deno task test:memory makes it 5000

testOnDevices(
  `device memory after step 50 and after step ${STEPS} of an RL loop is the same`,
  async (device) => {
    const folder = await Deno.makeTempDir();
    try {
      await writeSmallModel(folder);
      using model = await loadModel(device, folder, { valueHead: true });
      using frozen = await loadModel(device, folder, { frozen: true });
      const policy = new LanguagePolicy({ model, reference: frozen }, null);
      const zeros = (n: number) => new Float32Array(n);
      let after50: unknown;
      for (let step = 1; step <= STEPS; step++) {
        // Ten shapes of batches, more than are kept, so that programs are made and freed throughout.
        const prompts = Array.from(
          { length: 2 + step % 2 },
          (_, b) => Int32Array.from({ length: 1 + 8 * (step % 5) + b }, (_, t) => t),
        );
        const { responses } = await policy.generate(prompts, {
          maxNewTokens: 2,
          temperature: 1,
          seed: 1,
          stream: step,
        });
        const batch = { prompts, responses, temperature: 1 };
        await policy.reference!(batch);
        const { logprob } = await policy.evaluate(batch);
        const n = logprob.length;
        policy.backward({ dlogprob: logprob, dentropy: zeros(n), dvalue: zeros(n) });
        policy.step({ policy: 1e-5, value: 1e-5 });
        if (step === 50) after50 = device.memory;
      }
      assert.deepEqual(device.memory, after50);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
