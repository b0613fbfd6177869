import assert from "node:assert/strict";
import type { Device, Tensor } from "../../kernels/device.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { loadSentenceEmbedder, loadSentimentModel } from "../../model/files/encoder_folder.ts";
import { generate, generateStream, reserveGeneration } from "../../model/generation/generate.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { memoryByKind, sumOfKinds } from "../../model/memory.ts";
import { responseRows } from "../../model/rows.ts";
import { testOnDevices } from "../_devices.ts";
import { modelFolder } from "../_fixtures.ts";
import { SMALL } from "./_model.ts";

const CONFIG = { ...SMALL, n_positions: 40 };
const SHAPES: Record<string, Gpt2Options> = {
  "a policy": { valueHead: true },
  "a policy that recomputes": { valueHead: true, recompute: true },
  "logits in chunks": { valueHead: true, chunkBytes: 1 },
  "a reference": { frozen: true },
};
const PROMPTS = 5, PROMPT = 17, RESPONSE = 16;

/** Takes all that rollouts and updates of these sizes need. */
function reserve(model: Gpt2, filtered = false): void {
  const sizes = { prompts: PROMPTS, promptTokens: PROMPT, maxNewTokens: RESPONSE };
  reserveGeneration(model, { ...sizes, filtered });
  model.reserve({ B: PROMPTS, T: PROMPT + RESPONSE - 1, R: PROMPTS * RESPONSE });
}

function plan(device: Device, options: Gpt2Options, filtered = false): CountingDevice {
  const counting = new CountingDevice(device);
  using model = Gpt2.empty(counting, CONFIG, options);
  reserve(model, filtered);
  return counting;
}

/** Rollouts and updates of many shapes, the largest among them. */
async function use(model: Gpt2): Promise<void> {
  for (const [count, prompt, response] of [[2, 3, 4], [5, 9, 16], [4, 1, 16], [5, 17, 16]]) {
    const prompts = Array.from({ length: count }, (_, b) => new Int32Array(prompt).fill(b));
    await generate(model, prompts, { maxNewTokens: response, eos: null });
    const responses = prompts.map((_, b) => new Int32Array(response - (b === 1 ? 1 : 0)).fill(b));
    const { logprob } = await model.evaluate(responseRows({ prompts, responses }));
    if (!model.optimizer) continue;
    model.backward({ dlogprob: logprob });
    model.step(1e-3);
  }
}

for (const [name, options] of Object.entries(SHAPES)) {
  testOnDevices(`${name}: the plan is the peak of use after reserve()`, async (device) => {
    const counted = plan(device, options);
    using model = Gpt2.empty(device, CONFIG, options);
    reserve(model);
    const reserved = device.memory;
    assert.equal(counted.memory.peak, reserved.peak);
    await use(model);
    assert.deepEqual([device.memory.peak, device.memory.held], [reserved.peak, reserved.held]);
    assert.equal(sumOfKinds(memoryByKind(counted)), reserved.peak);
  });

  testOnDevices(`${name}: without reserve() use stays below the plan`, async (device) => {
    using model = Gpt2.empty(device, CONFIG, options);
    await use(model);
    const { peak } = plan(device, options).memory;
    assert.ok(device.memory.peak <= peak, `${device.memory.peak} and ${peak}`);
    assert.ok(device.memory.peak > 0.8 * peak, `${device.memory.peak} and ${peak}`);
  });
}

Deno.test("kinds of a plan are what the sizes say", () => {
  const config = { ...CONFIG, n_embd: 64, vocab_size: 640, n_inner: 256 };
  const kinds = (options: Gpt2Options) => {
    const counting = new CountingDevice(new CpuDevice());
    using model = Gpt2.empty(counting, config, options);
    reserve(model);
    return memoryByKind(counting);
  };
  const policy = kinds({}), frozen = kinds({ frozen: true }), again = kinds({ recompute: true });
  const [C, V, I, L, H, T] = [64, 640, 256, 2, 2, 32];
  const parameters = V * C + 40 * C + L * (4 * C * C + 2 * C * I + 9 * C + I) + 2 * C;
  assert.equal(policy.weights, 4 * parameters);
  assert.equal(policy.gradients, policy.weights);
  assert.equal(policy.moments, 2 * policy.weights);
  assert.deepEqual([frozen.weights, frozen.gradients, frozen.moments], [policy.weights, 0, 0]);
  const S = 40; // 17 + 16, in steps of 8
  assert.equal(policy.cache, 4 * 2 * L * PROMPTS * S * C);
  assert.equal(frozen.cache, policy.cache);
  const N = PROMPTS * T;
  // 80 rows are asked about; a batch of shorter prompts may be asked about as a whole, at most 159 rows
  assert.equal(policy.logits, 4 * (2 * PROMPTS * RESPONSE - 1 + PROMPTS) * V);
  const layer = 4 * (N * (7 * C + 2 * I) + N * 2 * H) + 4 * Math.ceil(4 * N / 256) * 256;
  // recompute keeps one layer's activations in the place of L
  assert.equal(policy.activations - again.activations, (L - 1) * layer);
  assert.ok(frozen.activations < again.activations);
});

/** Notes what is allocated without a kind. */
class StrictDevice extends CountingDevice {
  readonly unstated: string[] = [];

  override alloc(...[length, label, dtype, kind]: Parameters<CountingDevice["alloc"]>): Tensor {
    if (kind === undefined) this.unstated.push(label);
    return super.alloc(length, label, dtype, kind);
  }
}

Deno.test("a model says of every tensor what it is for", async () => {
  for (const options of [...Object.values(SHAPES), { lora: { rank: 3 }, valueHead: true }]) {
    for (const tie_word_embeddings of [true, false]) {
      const counting = new StrictDevice(new CpuDevice());
      using model = Gpt2.empty(counting, { ...CONFIG, tie_word_embeddings }, options);
      reserve(model, true);
      assert.deepEqual(counting.unstated, []);
    }
  }
  const counting = new StrictDevice(new CpuDevice());
  using embedder = await loadSentenceEmbedder(counting, modelFolder("bert-a"));
  embedder.reserve(3, 5);
  using critic = await loadSentimentModel(counting, modelFolder("distilbert-a"));
  await assert.rejects(() => critic.logits(["good"]), /this device only counts memory/);
  assert.deepEqual(counting.unstated, []);
  const kinds = memoryByKind(counting);
  assert.ok(kinds.weights > 0 && kinds.activations > 0 && kinds.other === 0);
  counting.alloc(1, "no kind");
  assert.deepEqual(counting.unstated, ["no kind"]);
});

Deno.test("the plan of a small policy with an adapter, byte for byte", () => {
  const counting = new CountingDevice(new CpuDevice());
  using model = Gpt2.empty(counting, CONFIG, { lora: { rank: 3 }, valueHead: true });
  reserve(model, true);
  assert.deepEqual(memoryByKind(counting), {
    weights: 10240,
    gradients: 1536,
    moments: 3072,
    activations: 190208,
    logits: 43264,
    cache: 19456,
    other: 23552, // of it 768 for the value head's own step count and rates, 2560 for grouped targets, 768 for kept rows
  });
});

Deno.test("gpt2-xl is planned in a moment, and takes no memory", () => {
  const config = {
    vocab_size: 50257,
    n_positions: 1024,
    n_embd: 1600,
    n_layer: 48,
    n_head: 25,
  };
  const limits = { maxBinding: 2 ** 27, maxBuffer: 2 ** 31 };
  const { rss } = Deno.memoryUsage();
  const started = performance.now();
  const counting = new CountingDevice({
    kind: "webgpu",
    name: "of the sizes of a software adapter",
    software: true,
    limits,
    features: new Set(),
  });
  using model = Gpt2.empty(counting, config, { valueHead: true });
  reserveGeneration(model, { prompts: 4, promptTokens: 32, maxNewTokens: 32 });
  model.reserve({ B: 4, T: 63, R: 128 });
  const { weights, gradients, moments } = memoryByKind(counting);
  assert.ok(Math.abs(weights / (4 * 1_557_611_200) - 1) < 1e-4, `${weights}`);
  assert.deepEqual([gradients, moments], [weights, 2 * weights]);
  assert.ok(performance.now() - started < 5000);
  assert.ok(Deno.memoryUsage().rss - rss < 2 ** 27);
});

/** The digits of a number to base 10, behind zeros. */
const numbered = (of: number, tokens: number): Int32Array =>
  Int32Array.from({ length: tokens }, (_, t) => Math.floor(of / 10 ** (tokens - 1 - t)) % 10);

testOnDevices("generation in parts takes no more than was reserved", async (device) => {
  using model = Gpt2.empty(device, CONFIG, { frozen: true });
  reserveGeneration(model, { prompts: 90, promptTokens: 17, maxNewTokens: 3 });
  const { held } = device.memory;
  for (const [count, tokens] of [[90, 17], [90, 3], [50, 3], [37, 17], [75, 9], [1, 1]]) {
    for (const distinct of [1, 20, count]) {
      const prompts = Array.from({ length: count }, (_, b) => numbered(b % distinct, tokens));
      await generate(model, prompts, { maxNewTokens: 3 });
      const what = `${count} prompts of ${tokens} tokens, ${distinct} of them distinct`;
      assert.equal(device.memory.held, held, what);
    }
  }
  const stream = generateStream(model, [[1]], { maxNewTokens: 2, every: 1 });
  await stream.next();
  assert.throws(
    () => reserveGeneration(model, { prompts: 1, promptTokens: 1, maxNewTokens: 1 }),
    /Cannot reserve memory while this model is generating/,
  );
  await stream.return();
}, { maxBinding: 65536 });

testOnDevices("reserve() refuses what can never run, and holds nothing then", (device) => {
  using model = Gpt2.empty(device, CONFIG, { valueHead: true });
  const { live } = device.memory;
  assert.throws(
    () => model.reserve({ B: 1, T: 41, R: 1 }),
    new RangeError(
      "Cannot reserve memory for 41 tokens as the model has 40 positions; shorten the prompts or responses",
    ),
  );
  assert.equal(device.memory.live, live);
});

Deno.test("a plan finds a tensor that no binding or buffer holds", () => {
  const limits = { maxBinding: 2 ** 16, maxBuffer: 2 ** 17 };
  const counting = new CountingDevice({ ...new CpuDevice(), kind: "cpu", limits });
  using model = Gpt2.empty(counting, CONFIG);
  assert.throws(
    () => model.reserve({ B: 25, T: 40, R: 1 }),
    /RangeError: Cannot launch .* one binding holds 65536 bytes/,
  );
  assert.throws(
    () => model.reserve({ B: 4000, T: 40, R: 1 }),
    /RangeError: Cannot allocate .* one buffer holds 131072 bytes/,
  );
});
