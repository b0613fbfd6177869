/** Values of the tokens' own positions, as PGSRM's value head has them: which state, which memory. */
import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { planRun, runShape } from "../../experiment/memory_plan.ts";
import { modelOptions } from "../../experiment/models.ts";
import { RUN_OPTIONS } from "../../experiment/settings.ts";
import { parseConfig } from "../../model/config.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { gradients, randomModel } from "../model/_model.ts";

const prompts = [[1, 2, 3], [4]].map((ids) => Int32Array.from(ids));
const responses = [[7, 8], [9, 10, 0]].map((ids) => Int32Array.from(ids));

testOnDevices("a token's own value is the value before whatever comes next", async (device) => {
  using model = randomModel(device, undefined, { valueDetached: true });
  const policy = new LanguagePolicy({ model }, null);
  const next = responses.map((response) => Int32Array.of(...response, 5));
  const longer = await policy.evaluate({ prompts, responses: next, temperature: 1 });
  const plain = await policy.evaluate({ prompts, responses, temperature: 1 });
  const own = await policy.evaluate({ prompts, responses, temperature: 1, valueAt: "own" });
  const [v, w] = [longer.value!, own.value!]; // (2, 4) and (2, 3)
  assertClose([w[0], w[1], w[3], w[4], w[5]], [v[1], v[2], v[5], v[6], v[7]], "value", 1e-6);
  assertClose(own.logprob, plain.logprob, "logprob", 1e-6);
  assertClose(own.entropy, plain.entropy, "entropy", 1e-6);
  // The gradient goes back to the same rows: by the last token's value alone, and by log-probabilities.
  const zeros = new Float32Array(6), last = Float32Array.of(0, 0.5, 0, 0, 0, -2);
  policy.backward({ dlogprob: zeros, dvalue: last });
  const got = await gradients(model);
  model.zeroGradient();
  await policy.evaluate({ prompts, responses: next, temperature: 1 });
  policy.backward({
    dlogprob: new Float32Array(8),
    dvalue: Float32Array.of(0, 0, 0.5, 0, 0, 0, 0, -2),
  });
  const want = await gradients(model);
  assertClose(got.get("v_head.weight")!, want.get("v_head.weight")!, "dweight", 1e-6);
  assertClose(got.get("v_head.bias")!, [-1.5], "dbias", 1e-6);
  model.zeroGradient();
  const dlogprob = Float32Array.of(1, -1, 0, 2, 0.5, -0.5),
    of: Map<string, ArrayLike<number>>[] = [];
  for (const valueAt of ["before", "own"] as const) {
    await policy.evaluate({ prompts, responses, temperature: 1, valueAt });
    policy.backward({ dlogprob });
    of.push(await gradients(model));
    model.zeroGradient();
  }
  for (const [name, x] of of[0]) assertClose(of[1].get(name)!, x, name, 1e-5);
});

testOnDevices("a run of pgsrm holds what was planned, to the byte", async (device) => {
  const config = parseConfig({
    vocab_size: 31,
    n_positions: 64,
    n_embd: 16,
    n_layer: 2,
    n_head: 2,
  });
  const settings = { ...RUN_OPTIONS.resolve({ batchSize: 6 }), maxNewTokens: 8, microbatchRows: 0 };
  const given = { maxNewTokens: 8, totalSteps: 2, learningRate: 1e-3 };
  const { needs } = new Trainer(
    { valueDetached: true, reference: () => {} } as never,
    given,
    "pgsrm",
  );
  const sizes = { config, promptTokens: 16, settings, needs };
  const plan = planRun(device, sizes);
  const options = modelOptions(settings, needs);
  using model = Gpt2.create(device, config, options.policy);
  using reference = Gpt2.create(device, config, options.reference);
  const policy = new LanguagePolicy({ model, reference }, null);
  policy.reserve(runShape(sizes));
  assert.equal(device.memory.peak, plan.total);
  const trainer = new Trainer(policy, given, "pgsrm");
  const asked = [16, 3, 9, 16, 1, 12].map((length, b) => new Int32Array(length).fill(b + 1));
  for (let step = 0; step < 2; step++) {
    await trainer.step(
      asked,
      ({ responses }) => Promise.resolve(responses.map((ids) => ids[0] % 3)),
    );
  }
  assert.equal(device.memory.peak, plan.total);
});
