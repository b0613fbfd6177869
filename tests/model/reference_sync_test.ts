/** The weights of a reference that is moved towards its model. */
import assert from "node:assert/strict";
import { mixReference } from "../../model/reference.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { testOnDevices } from "../_devices.ts";

const config = { vocab_size: 31, n_positions: 16, n_embd: 12, n_layer: 2, n_head: 2 };
const batch = {
  prompts: [Int32Array.of(1, 2), Int32Array.of(3)],
  responses: [Int32Array.of(4, 5), Int32Array.of(6, 7)],
  temperature: 1,
};

async function weightsOf(model: Gpt2): Promise<Record<string, Float32Array>> {
  const all: Record<string, Float32Array> = {};
  for await (const [{ name }, data] of model.weights.read()) all[name] = Float32Array.from(data);
  return all;
}

testOnDevices(
  "a reference is mixed by name, beside a value head that it has not",
  async (device) => {
    using model = Gpt2.create(device, config, { seed: 1, valueHead: true, valueInit: "normal" });
    using reference = Gpt2.create(device, config, { seed: 2, frozen: true });
    const [policy, before] = [await weightsOf(model), await weightsOf(reference)];
    mixReference(reference, model, 0.6);
    const mixed = await weightsOf(reference);
    assert.deepEqual(Object.keys(mixed).toSorted(), Object.keys(before).toSorted());
    for (const [name, now] of Object.entries(mixed)) {
      now.forEach((x, i) => {
        const want = 0.6 * policy[name][i] + 0.4 * before[name][i];
        assert.ok(Math.abs(x - want) <= 1e-7 * Math.max(1, Math.abs(want)), `${name}[${i}]: ${x}`);
      });
    }
    mixReference(reference, model, 1);
    const copy = await weightsOf(reference);
    for (const name of Object.keys(copy)) assert.deepEqual(copy[name], policy[name], name);
    assert.deepEqual(await weightsOf(model), policy);
  },
);

testOnDevices("a synced policy's KL is 0 again, in passes recorded before", async (device) => {
  using model = Gpt2.create(device, config, { seed: 1, valueHead: true });
  using reference = Gpt2.create(device, config, { seed: 2, frozen: true });
  const policy = new LanguagePolicy({ model, reference }, null);
  const now = await policy.evaluate(batch, { kl: true });
  assert.notDeepEqual((await policy.reference!(batch)).logprob, now.logprob);
  assert.ok(now.kl!.every((x) => x > 0));
  policy.syncReference!(1);
  assert.deepEqual((await policy.reference!(batch)).logprob, now.logprob);
  assert.ok((await policy.evaluate(batch, { kl: true })).kl!.every((x) => x === 0));
});

testOnDevices("a reference that cannot move is refused, and left as it was", async (device) => {
  using model = Gpt2.create(device, config, { seed: 1 });
  const refused = async (options: Gpt2Options, other: object, message: RegExp) => {
    using reference = Gpt2.create(device, { ...config, ...other }, { ...options, frozen: true });
    const before = await weightsOf(reference);
    assert.throws(() => mixReference(reference, model, 0.6), { name: "TypeError", message });
    assert.deepEqual(await weightsOf(reference), before);
  };
  await refused(
    { matrixDtype: "f16" },
    {},
    /must be f32 to take up small changes: wte.weight is f16/,
  );
  await refused({}, { n_layer: 3 }, /must have its h.2.ln_1.weight of shape \(12\): it has none/);
  await refused({}, { n_positions: 8 }, /its wpe.weight of shape \(8,12\): it has \(16,12\)/);
  using reference = await model.frozenCopy();
  for (const alpha of [0, -0.1, 1.1, NaN]) {
    assert.throws(() => mixReference(reference, model, alpha), /must be above 0, up to 1: it is/);
  }
  using half = await model.frozenCopy({ matrixDtype: "f16" });
  using adapted = Gpt2.create(device, config, { seed: 1, lora: { rank: 2, alpha: 4 } });
  const policies = [
    { model, reference },
    { model },
    { model, reference: half },
    { model: adapted },
    { model: adapted, reference },
  ];
  assert.deepEqual(
    policies.map((models) => new LanguagePolicy(models, null).syncReference !== undefined),
    [true, false, false, false, false],
  );
});
