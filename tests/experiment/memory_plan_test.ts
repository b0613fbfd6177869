import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { FloatArray } from "../../kernels/device.ts";
import { OutOfMemoryError } from "../../kernels/devices/pool.ts";
import { parseConfig } from "../../model/config.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { Trainer } from "../../rl/trainer.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { completeText } from "../../experiment/complete.ts";
import {
  checkModel,
  memoryBudget,
  type MemorySettings,
  planRun,
  runShape,
} from "../../experiment/memory_plan.ts";
import {
  DoesNotFitError,
  explainMemory,
  planFitting,
  suggestSavings,
} from "../../experiment/suggestions.ts";
import { planTask } from "../../experiment/plan.ts";
import { RUN_OPTIONS } from "../../experiment/settings.ts";
import { modelOptions } from "../../experiment/models.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { trainTask } from "../../experiment/train.ts";
import { assertRelative } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { modelFolder } from "../_fixtures.ts";
import { withFolder } from "../_folder.ts";
import { gradients, randomModel } from "../model/_model.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

const config = parseConfig({
  vocab_size: 31,
  n_positions: 64,
  n_embd: 16,
  n_layer: 3,
  n_head: 2,
});
const SETTINGS: MemorySettings = {
  ...RUN_OPTIONS.resolve({ batchSize: 6 }),
  maxNewTokens: 9,
  microbatchRows: 0,
};
const NEEDS = { value: true, reference: true, groupSize: 1 };
const prompts = [17, 3, 9, 17, 1, 12].map((length, b) => new Int32Array(length).fill(b + 1));
const sizes = { config, promptTokens: 17, settings: SETTINGS, needs: NEEDS };
const withSettings = (settings: Partial<MemorySettings>) => ({
  ...sizes,
  settings: { ...SETTINGS, ...settings },
});
const score = ({ responses }: { responses: Int32Array[] }) =>
  Promise.resolve(responses.map((ids) => ids[0] % 3));
const ppo = { totalSteps: 3, epochs: 2, learningRate: 1e-3, minibatches: 2 };

const neo = parseConfig({
  model_type: "gpt_neo",
  vocab_size: 31,
  max_position_embeddings: 64,
  hidden_size: 16,
  num_layers: 3,
  num_heads: 2,
  attention_types: [[["global", "local", "local"], 1]],
  window_size: 7,
});
const VARIANTS: Partial<MemorySettings>[] = [
  {},
  { recompute: true },
  { microbatchRows: 2 },
  { frozenDtype: "f16" },
  { loraRank: 4, frozenDtype: "f16" },
  { loraRank: 3, loraTargets: "all-linear", recompute: true },
  { sharePrefixes: "off" },
  { sharePrefixes: "check", microbatchRows: 4 },
];
/** Settings that ask for KL over the vocabulary (PPO in the reward, another in the loss), or a synced reference. */
const KL = {
  ppo: { klEstimator: "full" },
  reinforce: { klGradient: "full", klCoefficient: 0.1 },
  synced: { referenceSync: 1, klCoefficient: 0.1 },
};
const CASES: {
  config: typeof config;
  variant: Partial<MemorySettings>;
  kl?: keyof typeof KL;
}[] = [
  ...VARIANTS.map((variant) => ({ config, variant })),
  { config: neo, variant: {} },
  { config: neo, variant: { loraRank: 4, frozenDtype: "f16", recompute: true } },
  { config, variant: {}, kl: "ppo" },
  { config, variant: {}, kl: "synced" },
  { config, variant: { microbatchRows: 2, frozenDtype: "f16" }, kl: "reinforce" },
  { config: neo, variant: { loraRank: 4 }, kl: "reinforce" },
];
for (const { config, variant, kl } of CASES) {
  const name = `${config.model_type} with ${JSON.stringify(variant)}`;
  testOnDevices(`${name}: ${kl ?? "PPO"} holds what was planned, to the byte`, async (device) => {
    const { settings } = withSettings(variant);
    const asked = { ...(kl && KL[kl]) };
    const algorithm = findAlgorithm(kl === "reinforce" ? kl : "ppo");
    const needs = algorithm.needs(
      trainerOptions(algorithm as never).resolve(asked as never) as never,
    );
    if (!kl) assert.deepEqual([needs.value, needs.reference, needs.kl], [true, true, undefined]);
    const plan = planRun(device, { ...withSettings(variant), config, needs });
    assert.equal(device.memory.peak, 0, "a plan takes nothing");
    const options = modelOptions(settings, needs);
    using model = Gpt2.create(device, config, options.policy);
    using reference = options.reference && Gpt2.create(device, config, options.reference);
    const policy = new LanguagePolicy({ model, reference }, null, settings);
    policy.reserve(runShape({ ...withSettings(variant), needs }));
    assert.equal(device.memory.peak, plan.total);
    const { microbatchRows, maxNewTokens } = settings;
    const trainer = new Trainer(
      policy,
      { ...ppo, ...asked, microbatchRows, maxNewTokens },
      algorithm,
    );
    assert.equal(
      trainer.needs.kl,
      { ppo: "advantages", reinforce: "loss", synced: undefined }[kl!],
    );
    for (const count of [6, 2, 5]) await trainer.step(prompts.slice(0, count), score);
    assert.equal(device.memory.peak, plan.total);
  });
}

/** Two prompts, three completions of each. */
const grpo = { groupSize: 3, klCoefficient: 0.1 };
testOnDevices("groups hold what was planned, to the byte: each prompt once", async (device) => {
  for (const dynamicSampling of [false, true]) {
    const asked = { ...grpo, dynamicSampling };
    const algorithm = findAlgorithm("grpo");
    const needs = algorithm.needs(
      trainerOptions(algorithm as never).resolve(asked as never) as never,
    );
    const grouped = { ...sizes, needs };
    const plan = planRun(device, grouped);
    const apart = planRun(device, { ...grouped, needs: { ...needs, groupSize: 1 } });
    assert.ok(plan.parts.policy.activations < 0.8 * apart.parts.policy.activations);
    const options = modelOptions(SETTINGS, needs), { live } = device.memory;
    using model = Gpt2.create(device, config, options.policy);
    using reference = Gpt2.create(device, config, options.reference);
    const policy = new LanguagePolicy({ model, reference }, null);
    policy.reserve(runShape(grouped));
    const { held } = device.memory;
    assert.equal(device.memory.live - live, plan.total);
    const { maxNewTokens } = SETTINGS;
    const trainer = new Trainer(policy, { ...ppo, ...asked, maxNewTokens }, algorithm);
    const take = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => prompts[(from + i) % prompts.length]);
    for (let step = 0; step < 3; step++) await trainer.step({ count: 2, take }, score);
    assert.equal(device.memory.held, held);
  }
});

testOnDevices("PPO whose KL is free holds no reference, and less memory", async (device) => {
  const asked = {
    task: "colors",
    model: "tiny",
    settings: { klControl: "fixed", klCoefficient: 0 },
  };
  const { needs } = resolveRequest(asked);
  assert.equal(needs.reference, false);
  const plan = planRun(device, { ...sizes, needs }), paid = planRun(device, sizes);
  assert.equal(plan.parts.reference, undefined);
  const { weights } = paid.parts.reference!;
  assert.ok(weights > 0 && plan.total <= paid.total - weights);
  const options = modelOptions(SETTINGS, needs);
  assert.equal(options.reference, undefined);
  using model = Gpt2.create(device, config, options.policy);
  const policy = new LanguagePolicy({ model }, null);
  policy.reserve(runShape(sizes));
  const free = { klControl: "fixed", klCoefficient: 0 };
  const trainer = new Trainer(policy, { ...ppo, ...free, maxNewTokens: SETTINGS.maxNewTokens });
  await trainer.step(prompts, score);
  assert.equal(device.memory.peak, plan.total);
  const measured = resolveRequest({ ...asked, settings: { ...free, klMeasured: true } }).needs;
  assert.equal(planRun(device, { ...sizes, needs: measured }).total, paid.total);
});

Deno.test("a policy's memory is what its parts say: less with each saving", () => {
  using device = new CpuDevice();
  const policy = (settings: Partial<MemorySettings>) =>
    planRun(device, withSettings(settings)).parts.policy;
  const whole = policy({}),
    again = policy({ recompute: true }),
    rows = policy({ microbatchRows: 1 });
  for (const kind of ["weights", "gradients", "moments", "cache"] as const) {
    assert.deepEqual([again[kind], rows[kind]], [whole[kind], whole[kind]], kind);
  }
  assert.ok(again.activations < whole.activations && again.logits === whole.logits);
  assert.ok(rows.activations < whole.activations && rows.logits < whole.logits);
  const [full, half] = (["f32", "f16"] as const)
    .map((frozenDtype) => policy({ loraRank: 1, frozenDtype }));
  assert.ok(half.weights < 0.6 * full.weights, "an adapter's base is stored as asked");
});

Deno.test("KL over the vocabulary is planned where it is asked for, and there alone", () => {
  using device = new CpuDevice();
  for (const sharePrefixes of ["on", "off"] as const) {
    const partsWith = (kl?: "advantages" | "loss") =>
      planRun(device, { ...withSettings({ sharePrefixes }), needs: { ...NEEDS, kl } }).parts;
    const plain = partsWith(), asked = partsWith("loss");
    assert.deepEqual(partsWith("advantages"), asked);
    assert.deepEqual(asked.reference, plain.reference);
    const more = asked.policy.logits - plain.policy.logits;
    const rows = sharePrefixes === "on" ? 64 : 111; // that a pass of 6 * 9 targets may have
    assert.equal(more, 4 * 64 * rows); // 64 columns
    assert.ok(asked.policy.activations > plain.policy.activations);
  }
  assert.equal(runShape({ ...sizes, needs: NEEDS }).kl, false);
});

const total = (settings: Partial<MemorySettings>) =>
  planRun(new CpuDevice(), withSettings(settings)).total;

Deno.test("suggestions to fit are planned themselves, and name the most rows that fit", () => {
  using device = new CpuDevice();
  const between = (total({}) + total({ recompute: true })) / 2;
  const { suggestions } = suggestSavings(device, sizes, between);
  assert.deepEqual(Object.keys(suggestions[0].settings), ["microbatchRows"]);
  assert.deepEqual(suggestions[1].settings, { recompute: true });
  for (const { settings, bytes } of suggestions) {
    assert.equal(bytes, total(settings));
    assert.ok(bytes <= between);
  }
  const most = suggestions[0].settings.microbatchRows!;
  assert.ok(most >= 1 && total({ microbatchRows: most + 1 }) > between, `${most}`);
  const all = { recompute: true, frozenDtype: "f16", loraRank: 8 } as const;
  const [{ frozenDtype }, ...more] = suggestions.slice(2).map(({ settings }) => settings);
  assert.equal(frozenDtype, "f16");
  assert.deepEqual(more, [{ loraRank: 8 }, all]);
  const tight = suggestSavings(device, sizes, total({ ...all, microbatchRows: 2 }));
  assert.deepEqual(tight.suggestions.at(-1)!.settings, { ...all, microbatchRows: 2 });
  // what is set already is not proposed
  const set = suggestSavings(device, withSettings(all), total(all) - 1);
  assert.deepEqual(set.suggestions.map(({ settings }) => Object.keys(settings)), [[
    "microbatchRows",
  ]]);
});

Deno.test("a run that does not fit is refused with what would, one that fits is not", () => {
  using device = new CpuDevice();
  const bytes = total({}) - 1;
  assert.equal(planFitting(device, sizes, { bytes: bytes + 1, from: "asked" }).total, bytes + 1);
  assert.equal(planFitting(device, sizes, { from: "unknown" }).total, bytes + 1);
  assert.throws(() => planFitting(device, sizes, { bytes, from: "machine" }), (error) => {
    assert.ok(error instanceof DoesNotFitError);
    assert.match(
      error.message,
      /^Cannot train as [\d.]+ MiB of device memory are free here: it needs [\d.]+ MiB; it fits with one of these:\n {2}microbatchRows=5 +[\d.]+ MiB\n {2}recompute=true +[\d.]+ MiB\n {2}frozenDtype=f16 +[\d.]+ MiB\n {2}loraRank=8 +[\d.]+ MiB\n {2}recompute=true frozenDtype=f16 loraRank=8 {2}[\d.]+ MiB$/,
    );
    return true;
  });
  const { least } = suggestSavings(device, sizes, 1);
  assert.deepEqual(least.settings, {
    recompute: true,
    frozenDtype: "f16",
    loraRank: 8,
    microbatchRows: 1,
  });
  assert.throws(
    () => planFitting(device, sizes, { bytes: least.bytes - 1, from: "asked" }),
    /may be taken: .*; even recompute=true frozenDtype=f16 loraRank=8 microbatchRows=1 leaves it at [\d.]+ MiB: use a smaller/,
  );
  assert.equal(device.memory.peak, 0);
});

Deno.test("a pass that no binding holds is refused with the rows that one does", () => {
  using device = new CpuDevice({ maxBinding: 65536 });
  for (const [sharePrefixes, T] of [["on", 17 + 9 - 1], ["off", 32]] as const) {
    const wide = withSettings({ batchSize: 60, sharePrefixes });
    assert.throws(() => planFitting(device, wide, { from: "unknown" }), (error) => {
      assert.ok(error instanceof DoesNotFitError);
      assert.match(
        error.message,
        /one binding holds 65536 bytes: .*; it fits with one of these:\n/,
      );
      const { microbatchRows } = error.found.suggestions[0].settings;
      assert.equal(microbatchRows, Math.floor(65536 / 4 / (T * 64))); // (rows, T, I) of the MLP
      return true;
    });
  }
  const long = { ...sizes, promptTokens: 60 };
  assert.throws(
    () => planFitting(device, long, { from: "unknown" }),
    /^RangeError: Cannot reserve memory for 68 tokens as the model has 64 positions/,
  );
});

Deno.test("a driver without memory is explained by what would have fit beside it", () => {
  using device = new CpuDevice();
  const refused = new OutOfMemoryError("x 3", 4096, total({}) - 4096);
  const explained = explainMemory(refused, device, sizes);
  assert.ok(explained instanceof DoesNotFitError);
  assert.match(
    explained.message,
    /^Cannot allocate x 3 as the device has no .* are held already; it/,
  );
  assert.equal(explained.cause, refused);
  assert.ok(explained.found.suggestions.every(({ bytes }) => bytes <= refused.held));
  const other = new Error("no");
  assert.equal(explainMemory(other, device, sizes), other);
});

Deno.test("the budget is what is asked, else the machine's where the processor computes", async () => {
  assert.deepEqual(memoryBudget({ software: false }, 1.5), { bytes: 1.5 * 2 ** 30, from: "asked" });
  assert.deepEqual(memoryBudget({ software: false }), { from: "unknown" });
  const { bytes, from } = memoryBudget({ software: true });
  assert.equal(from, "machine");
  assert.ok(bytes! > 0 && bytes! < Deno.systemMemoryInfo().available - 2 ** 28);
  const module = new URL("../../experiment/memory_plan.ts", import.meta.url).href;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-check",
      `--config=${fileURLToPath(new URL("../../deno.json", import.meta.url))}`,
      `await Deno.permissions.revoke({ name: "sys" });
      const { memoryBudget } = await import("${module}");
      console.log(JSON.stringify(memoryBudget({ software: true })));`,
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), '{"from":"unknown"}');
});

/** Gives `body` a small model. */
const inFolder = (body: (folder: string) => Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    await body(folder);
  });

Deno.test("trainTask() tells its plan, and refuses before it loads anything", () =>
  inFolder(async (folder) => {
    const request = { task: "colors", model: `${folder}/model`, steps: 1, device: "cpu" } as const;
    const settings = { batchSize: 4 };
    const planned = await planTask({ ...request, settings });
    assert.deepEqual(JSON.parse(JSON.stringify(planned)), planned);
    assert.deepEqual([planned.fits, planned.suggestions], [true, []]);
    assert.equal(planned.shape.batchSize, 4);
    const run = new Recorder(folder);
    await trainTask({ ...request, settings: { ...settings, recompute: true } }, run);
    assert.match(run.said.join("\n"), /^device memory [\d.]+ MiB, [\d.]+ GiB free$/m);
    assert.equal(run.info!.config.recompute, true);

    await Deno.remove(`${folder}/model/model.safetensors`); // a plan needs no weights
    const memory = 0.9 * planned.total / 2 ** 30;
    const refused = await planTask({ ...request, settings, memory });
    assert.deepEqual([refused.fits, refused.total], [false, planned.total]);
    assert.ok(refused.suggestions.length > 0);
    await assert.rejects(
      () => trainTask({ ...request, settings, memory }, new Recorder(folder)),
      (error) => error instanceof DoesNotFitError && /microbatchRows=/.test(error.message),
    );
    const least = await planTask({ ...request, settings, memory: 1e-5 });
    assert.deepEqual(least.least!.settings, {
      recompute: true,
      frozenDtype: "f16",
      loraRank: 8,
      microbatchRows: 1,
    });
  }));

Deno.test("the network of a reward is planned too", () =>
  inFolder(async (folder) => {
    const request = { task: "colors", model: `${folder}/model`, device: "cpu" } as const;
    const words = await planTask(request);
    const network = await planTask({
      ...request,
      settings: { semanticEmbedder: modelFolder("bert-a") },
    });
    const { rewards } = network.parts;
    assert.ok(rewards.weights > 0 && rewards.activations > 0);
    const bytes = Object.values(rewards).reduce((sum, x) => sum + x);
    assert.equal(network.total, words.total + bytes);
    const total = async (reward: string, settings: Record<string, string | number>) =>
      (await planTask({ ...request, reward, settings })).total;
    const classifier = { sentimentModel: modelFolder("distilbert-a") };
    assert.ok(await total("sentiment", classifier) > words.total);
    const free = { klControl: "fixed", klCoefficient: 0 };
    const plain = await total("exact", free), paid = await total("exact", {});
    assert.equal(await total("perplexity", { ...free, perplexityModel: "policy" }), plain);
    assert.equal(await total("perplexity", {}), paid); // the run's own reference scores
    const own = await total("perplexity", free); // there is none
    assert.ok(own > plain);
    const { parts } = await planTask({ ...request, reward: "perplexity", settings: free });
    const { weights, gradients, moments } = parts.rewards;
    assert.deepEqual([weights > 0, gradients, moments], [true, 0, 0]);
    assert.equal(await total("perplexity", { loraRank: 2 }), await total("exact", { loraRank: 2 }));
    const moved = { klCoefficient: 0.1, referenceSync: 1 };
    assert.ok(await total("perplexity", moved) > await total("exact", moved));
    const named = { perplexityModel: `${folder}/model` };
    assert.equal(await total("perplexity", { ...free, ...named }), own);
    assert.ok(await total("perplexity", { ...free, frozenDtype: "f16" }) < own);
  }));

Deno.test("generation that does not fit is refused before the model is loaded", () =>
  inFolder(async (folder) => {
    const sampling = { prompt: "red and blue", tokens: 8, temperature: 1, samples: 2, seed: 1 };
    const request = { ...sampling, model: `${folder}/model`, device: "cpu" } as const;
    assert.equal((await completeText({ ...request, memory: 1 })).completions.length, 2);
    await Deno.remove(`${folder}/model/model.safetensors`);
    await assert.rejects(
      () => completeText({ ...request, memory: 1e-5 }),
      /^RangeError: Cannot generate as 0\.0 MiB of device memory may be taken: it needs .*; ask for fewer/,
    );
  }));

/** Takes no step, so that the gradients of an update can be read. */
class Held extends LanguagePolicy {
  seen?: Map<string, FloatArray>;
  override step(): void {}
  override async gradientNorm(): Promise<number> {
    this.seen = await gradients(this.model);
    return 1;
  }
}

testOnDevices(
  "PPO's pieces add up to the gradient of the whole batch; recompute changes no bit",
  async (device) => {
    const update = async (settings: Partial<MemorySettings>) => {
      const { microbatchRows, recompute, maxNewTokens } = { ...SETTINGS, ...settings };
      using model = randomModel(device, config, { recompute });
      using reference = Gpt2.create(device, config, { frozen: true, seed: 7 });
      const policy = new Held({ model, reference }, null);
      const once = { totalSteps: 1, epochs: 1, entropyCoefficient: 0.01 };
      const trainer = new Trainer(policy, { ...once, microbatchRows, maxNewTokens });
      const { rollout } = await trainer.step(prompts, score);
      return { rollout, gradients: policy.seen! };
    };
    const whole = await update({});
    for (const microbatchRows of [1, 4]) {
      const parts = await update({ microbatchRows });
      assert.deepEqual(parts.rollout, whole.rollout);
      for (const [name, want] of whole.gradients) {
        assertRelative(
          parts.gradients.get(name)!,
          want,
          `${name} in pieces of ${microbatchRows}`,
          2e-5,
        );
      }
    }
    assert.deepEqual(await update({ recompute: true }), whole);
  },
);

Deno.test("a model that is larger than the machine is refused before its weights are touched", () => {
  using device = new CpuDevice();
  const large = parseConfig({
    ...{ vocab_size: 31, n_positions: 64, n_embd: 16_384, n_layer: 1000, n_head: 2 },
  });
  assert.throws(
    () => checkModel(device, "export", { config: large, options: { frozen: true } }),
    {
      name: "RangeError",
      message:
        /^Cannot export as .* of device memory are free here: it needs .*a machine with more/,
    },
  );
  checkModel(device, "export", { config, options: { frozen: true } });
  assert.equal(device.memory.live, 0);
});
