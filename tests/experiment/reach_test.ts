/** What a run is asked for reaches the model: temperature, entropy, clipping, recomputation, resumed state. */
import assert from "node:assert/strict";
import { modelOptions } from "../../experiment/models.ts";
import { openRun } from "../../experiment/open.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { RUN_OPTIONS } from "../../experiment/settings.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { loadModel } from "../../model/hub/load.ts";
import { responseRows } from "../../model/rows.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, stopAndResume, writeSmallModel } from "./_model.ts";

const T = 0.6;
const settings = { batchSize: 6, minibatches: 2, epochs: 2, learningRate: 1e-2 };
/** All that a temperature has an influence on is trained; the value head, which it has none on, is not. */
const lora = {
  ...{ ...settings, loraRank: 2, microbatchRows: 2, valueCoefficient: 0, maxNewTokens: 3 },
  ...{ klCoefficient: 0.2, entropyCoefficient: 0.05, maxGradNorm: 0 },
};

const inFolder = (body: (folder: string, request: TrainRequest) => Promise<void>) =>
  withFolder(async (folder) => {
    const model = `${folder}/model`;
    await Deno.mkdir(model);
    await writeSmallModel(model);
    await body(folder, { task: "colors", model, steps: 3, seed: 2, settings, device: "cpu" });
  });

/** Writes the model again with its logits divided: the last norm gives them, and nothing else. */
async function divideLogits(model: string, to: string, divisor: number): Promise<void> {
  using device = new CpuDevice();
  using divided = await loadModel(device, model, {});
  for (const name of ["ln_f.weight", "ln_f.bias"]) {
    const tensor = divided.weights.get(name);
    const [data] = await device.read(tensor);
    device.write(tensor, Float32Array.from(data as Float32Array, (x) => x / divisor));
  }
  await saveGpt2(divided, to, { tokenizer: `${model}/tokenizer.json` });
}

Deno.test("a run at a temperature is the run of a model whose logits are divided by it", () =>
  inFolder(async (folder, request) => {
    await divideLogits(request.model!, `${folder}/divided`, T);
    const run = async (change: Partial<TrainRequest>) => {
      const run = new Recorder(`${folder}/run-${Math.random()}`);
      await trainTask({ ...request, ...change }, run);
      return run;
    };
    const warm = await run({ settings: { ...lora, temperature: T } });
    const divided = await run({ model: `${folder}/divided`, settings: lora });
    const plain = await run({ settings: lora });
    const texts = ({ completions }: Recorder) => completions.map(({ completion }) => completion);
    assert.deepEqual(texts(warm), texts(divided));
    for (const [i, row] of warm.rows.entries()) {
      const names = Object.keys(row).filter((name) => !name.startsWith("value/"));
      const numbers = (from: Recorder) => names.map((name) => from.rows[i][name]);
      assertClose(numbers(warm), numbers(divided), `step ${i}`, 1e-3);
      assert.ok(row["sampling/logp_difference_max"] < 1e-5);
    }
    const [, , last] = warm.rows;
    for (const name of ["kl/reference", "policy/entropy"]) {
      assert.ok(Math.abs(last[name] - plain.rows[2][name]) > 1e-2, name);
    }
    assert.notEqual(last["kl/reference"], 0);
  }));

testOnDevices(
  "policy, reference and sampler divide the logits by the temperature",
  async (device) => {
    await withFolder(async (folder) => {
      await writeSmallModel(`${folder}/one`, 96, 3);
      await writeSmallModel(`${folder}/other`, 96, 4);
      using model = await loadModel(device, `${folder}/one`, { lora: { rank: 2 }, seed: 1 });
      using frozen = await loadModel(device, `${folder}/other`, { frozen: true });
      const prompts = [[5, 6, 7], [8, 9]].map((ids) => Int32Array.from(ids));
      const options = { maxNewTokens: 3, temperature: T, seed: 1, stream: 0 };
      for (const reference of [frozen, undefined]) { // a copy, or the adapter off
        const policy = new LanguagePolicy({ model, reference }, null);
        const { responses, logprobs } = await policy.generate(prompts, options);
        const batch = { prompts, responses, temperature: T };
        const { logprob } = await policy.evaluate(batch);
        assertClose(logprobs.flatMap((row) => [...row]), logprob, "sampler", 1e-5);
        policy.backward({ dlogprob: logprob.map((_, i) => i % 2 ? -1 : 1) });
        policy.step({ policy: 0.05, value: 0.05 }); // the adapter is no longer nothing
        const seen = await policy.evaluate(batch), referred = await policy.reference!(batch);
        assert.deepEqual(Object.keys(seen), ["logprob", "entropy"]); // no head, no value
        const rows = responseRows(batch), V = model.dims.V;
        const byHand = (logits: ArrayLike<number>) => logprobsOf(logits, rows.target, V);
        const wanted = byHand(await (reference ?? model).logits(rows, { adapter: false }));
        assertClose(referred.logprob, wanted, "reference", 1e-5);
        assertClose(seen.logprob, byHand(await model.logits(rows)), "policy", 1e-5);
        assert.ok(seen.logprob.some((l, i) => Math.abs(l - wanted[i]) > 1e-3), "they differ");
      }
    });
  },
);

/** log softmax(logits / T) of each target, in double precision. */
function logprobsOf(logits: ArrayLike<number>, target: ArrayLike<number>, V: number): number[] {
  return Array.from(target, (token, r) => {
    const z = Array.from({ length: V }, (_, v) => logits[r * V + v] / T), top = Math.max(...z);
    return z[token] - top - Math.log(z.reduce((sum, x) => sum + Math.exp(x - top), 0));
  });
}

Deno.test("each of the three gradients reaches the model, by itself and with its sign", () =>
  inFolder(async (_folder, { model: folder }) => {
    using device = new CpuDevice();
    const prompts = [[5, 6, 7], [8, 9]].map((ids) => Int32Array.from(ids));
    const responses = [[1, 2], [3, 4]].map((ids) => Int32Array.from(ids));
    const batch = { prompts, responses, temperature: T };
    for (const name of ["logprob", "entropy", "value"] as const) {
      using model = await loadModel(device, folder!, { valueHead: true });
      const policy = new LanguagePolicy({ model }, null);
      const before = await policy.evaluate(batch);
      const zeros = { dlogprob: new Float32Array(4), dentropy: new Float32Array(4) };
      policy.backward({ ...zeros, [`d${name}`]: new Float32Array(4).fill(1) });
      policy.step({ policy: 1e-3, value: 1e-3 });
      assert.ok(await policy.gradientNorm() > 0);
      const after = await policy.evaluate(batch);
      const sum = (x: Float32Array) => x.reduce((total, y) => total + y);
      assert.ok(sum(after[name]!) < sum(before[name]!) - 1e-3, `${name} falls`);
    }
  }));

Deno.test("settings of memory and optimizer become options of the models, each by its name", () => {
  assert.deepEqual(RUN_OPTIONS.defaults, {
    ...{ batchSize: 48, maxGradNorm: 1, loraRank: 0, loraAlpha: 16, loraTargets: "auto" },
    ...{ recompute: false, sharePrefixes: "on", frozenDtype: "f32", fault: "none" },
    ...{ adamBeta1: 0.9, adamBeta2: 0.999, adamEps: 1e-8, weightDecay: 0 },
  });
  const adam = { adamBeta1: 0.8, adamBeta2: 0.95, adamEps: 1e-6, weightDecay: 0.1 };
  const asked = { ...adam, recompute: true, maxGradNorm: 0.25, frozenDtype: "f16" as const };
  const all = RUN_OPTIONS.resolve(asked), needs = { value: true, reference: true, groupSize: 1 };
  const adamw = { beta1: 0.8, beta2: 0.95, eps: 1e-6, weightDecay: 0.1, maxGradNorm: 0.25 };
  const shared = { valueHead: true, recompute: true, adamw };
  assert.deepEqual(modelOptions(all, needs), {
    policy: shared,
    reference: { frozen: true, matrixDtype: "f16" },
  });
  assert.deepEqual(modelOptions(all, { ...needs, value: false, reference: false }), {
    policy: { ...shared, valueHead: false },
  });
  const adapter = { loraRank: 4, loraAlpha: 8, loraTargets: "c_attn,c_fc" };
  assert.deepEqual(modelOptions(RUN_OPTIONS.resolve({ ...asked, ...adapter }), needs), {
    policy: {
      ...shared,
      lora: { rank: 4, alpha: 8, targets: ["c_attn", "c_fc"] },
      matrixDtype: "f16",
    },
  });
  const head = { detached: true, init: "normal", clipApart: true } as const;
  const apart = RUN_OPTIONS.resolve({ ...asked, valueWeightDecay: 0.5 });
  assert.deepEqual(modelOptions(apart, { ...needs, head }).policy, {
    ...shared,
    ...{ valueInit: "normal", valueDetached: true },
    adamw: { ...adamw, valueWeightDecay: 0.5, clipApart: true },
  });
  const linear = RUN_OPTIONS.resolve({ loraRank: 4, loraTargets: "all-linear" });
  assert.equal(modelOptions(linear, needs).policy.lora!.targets, "all-linear");
  const auto = RUN_OPTIONS.resolve({ loraRank: 4 });
  assert.deepEqual(modelOptions(auto, needs).policy.lora, { rank: 4, alpha: 16 });
});

Deno.test("a run's model recomputes and clips as its settings say", () =>
  inFolder(async (_folder, request) => {
    const weightsAfter = async (change: Record<string, number | boolean>) => {
      using device = new CpuDevice();
      const asked = { ...request, settings: { ...settings, ...change } };
      using run = await openRun(resolveRequest(asked), device);
      const { policy: { model }, trainer, prompts } = run;
      const { recompute = false } = model.options, { maxGradNorm } = model.optimizer!.options;
      const ids = [...prompts.values()].slice(0, 6);
      const score = () => Promise.resolve([1, -1, 0.5, 0, 2, -2]);
      const { metrics } = await trainer.step(ids, score);
      const [data] = await device.read(model.weights.get("wpe.weight"));
      return { recompute, maxGradNorm, norm: metrics["optimizer/grad_norm"], data };
    };
    const plain = await weightsAfter({});
    const again = await weightsAfter({ recompute: true });
    assert.deepEqual([plain.recompute, again.recompute], [false, true]);
    assert.deepEqual(again.data, plain.data); // more time, less memory, the same bits
    const clipped = await weightsAfter({ maxGradNorm: 1e-6 });
    const off = await weightsAfter({ maxGradNorm: 0 });
    assert.deepEqual([plain, clipped, off].map((of) => of.maxGradNorm), [1, 1e-6, 0]);
    assert.ok(clipped.norm > 1e-3, "the norm that is reported is that before clipping");
    assert.notDeepEqual(clipped.data, off.data);
  }));

Deno.test("a fresh adapter is drawn by the run's seed", () =>
  inFolder(async (_folder, request) => {
    const adapterOf = async (seed: number) => {
      using device = new CpuDevice();
      const asked = { ...request, seed, settings: { ...settings, loraRank: 2 } };
      using run = await openRun(resolveRequest(asked), device);
      const { parameters } = run.policy.model.adapter!;
      const [data] = await device.read(parameters.arenas[0]);
      return data;
    };
    assert.deepEqual(await adapterOf(5), await adapterOf(5));
    assert.notDeepEqual(await adapterOf(5), await adapterOf(6));
  }));

Deno.test("a resumed run goes on with its KL coefficient, and counts its tokens on", () =>
  inFolder(async (folder, request) => {
    const adaptive = { klControl: "adaptive", klCoefficient: 0.3, klTarget: 0.01, klHorizon: 20 };
    const asked = { ...request, steps: 4, settings: { ...settings, ...adaptive } };
    const { first, second } = await stopAndResume(asked, folder);
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(asked, whole);
    const rows = [...first.rows, ...second.rows];
    assert.deepEqual(rows, whole.rows);
    const coefficients = rows.map((row) => row["kl/coefficient"]);
    assert.equal(new Set(coefficients).size, 4, `${coefficients} change with each step`);
    const tokens = rows.reduce(
      (sum, row) => sum + 6 * (row["tokens/queries_len_mean"] + row["tokens/responses_len_mean"]),
      0,
    );
    for (const run of [second, whole]) {
      const path = `${run.checkpoints.at(-1)}/trainer.json`;
      const state = JSON.parse(await Deno.readTextFile(path));
      assert.equal(state.tokens, Math.round(tokens));
      assert.equal(run.summary!.tokensPerSecond, Math.round(state.tokens / state.trainingSeconds));
    }
  }));
