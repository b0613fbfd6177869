/** Adapters in PEFT's form: written, read, and refused. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { saveAdapter } from "../../../model/files/lora_save.ts";
import { exportOptimizer, importOptimizer } from "../../../model/files/optimizer_file.ts";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { writeSafetensors } from "../../../model/files/safetensors_write.ts";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { Gpt2 } from "../../../model/gpt2.ts";
import { loadModel, loadTokenizer as loadModelTokenizer } from "../../../model/hub/load.ts";
import { languageModelRows, responseRows } from "../../../model/rows.ts";
import { testOnDevices } from "../../_devices.ts";
import { modelFolder } from "../../_fixtures.ts";
import { withFolder } from "../../_folder.ts";

const BASE = modelFolder("gpt2-b"), ADAPTER = modelFolder("lora-b");
const TOKENIZER = modelFolder("bpe_tokenizer.json");
const rows = responseRows({ prompts: [[1, 2, 3], [4]], responses: [[8, 9], [10, 0, 2]] });

const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));

async function changeConfig(folder: string, change: object): Promise<void> {
  const path = `${folder}/adapter_config.json`;
  await Deno.writeTextFile(path, JSON.stringify({ ...await readJson(path), ...change }));
}

/** A copy of PEFT's adapter whose base is named by its full path. */
async function copyAdapter(folder: string, change: object = {}): Promise<void> {
  for (const name of ["adapter_config.json", "adapter_model.safetensors"]) {
    await Deno.copyFile(`${ADAPTER}/${name}`, `${folder}/${name}`);
  }
  await changeConfig(folder, { base_model_name_or_path: BASE, ...change });
}

async function train(model: Gpt2): Promise<void> {
  for (let step = 0; step < 2; step++) {
    const { value } = await model.evaluate(rows);
    const ones = value.map(() => 1);
    model.backward({ dlogprob: ones, dvalue: ones });
    model.step(0.01);
  }
}

testOnDevices(
  "an adapter goes on after save and load as if it had not stopped",
  (device) =>
    withFolder(async (folder) => {
      const lora = { rank: 4, alpha: 6, targets: ["c_attn", "c_proj"], layers: [1], rslora: true };
      using model = await loadGpt2(device, BASE, { seed: 3, valueHead: true, lora });
      using same = Gpt2.create(device, model.config, { seed: 3, lora });
      const a = "h.1.attn.c_attn.lora_A.weight";
      const fresh = await device.read(
        model.adapter!.parameters.get(a),
        same.adapter!.parameters.get(a),
      );
      assert.deepEqual(fresh[0], fresh[1]);
      assert.ok(fresh[0].some((x: number) => x !== 0));
      await train(model);
      await saveAdapter(model, `${folder}/adapter`);
      await exportOptimizer(model, `${folder}/state.safetensors`);
      assert.deepEqual(
        (await Array.fromAsync(Deno.readDir(`${folder}/adapter`), ({ name }) => name)).sort(),
        ["adapter_config.json", "adapter_model.safetensors", "value_head.safetensors"],
      );
      using again = await loadGpt2(device, `${folder}/adapter`, { valueHead: true });
      await importOptimizer(again, `${folder}/state.safetensors`);
      assert.deepEqual(again.adapter!.options, model.adapter!.options);
      assert.deepEqual(again.adapter!.modules, model.adapter!.modules);
      assert.deepEqual(await again.evaluate(rows), await model.evaluate(rows));
      await train(model);
      await train(again);
      assert.deepEqual(await again.evaluate(rows), await model.evaluate(rows));
      using inference = await loadGpt2(device, `${folder}/adapter`, { frozen: true });
      assert.equal(inference.optimizer, undefined);
      const evaluation = await inference.evaluate(rows);
      assert.ok(evaluation.value.every((value) => value === 0), "no value head was asked for");
    }),
);

Deno.test("what is written is PEFT's form: names, shapes, settings and the base's full path", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    const lora = { rank: 2, targets: "all-linear" };
    using model = await loadGpt2(device, `${ADAPTER}/../gpt2-b`, { valueHead: true, lora });
    await saveAdapter(model, folder, { tokenizer: TOKENIZER });
    const config = await readJson(`${folder}/adapter_config.json`);
    assert.equal(config.base_model_name_or_path, await Deno.realPath(BASE));
    assert.deepEqual(config.target_modules, [
      "attn.c_attn",
      "attn.c_proj",
      "mlp.c_fc",
      "mlp.c_proj",
    ]);
    const { peft_type, task_type, r, lora_alpha, fan_in_fan_out, use_rslora, revision } = config;
    assert.deepEqual([peft_type, task_type, r, lora_alpha], ["LORA", "CAUSAL_LM", 2, 8]);
    assert.deepEqual([fan_in_fan_out, use_rslora, revision], [true, false, null]);
    const theirs = await readJson(`${ADAPTER}/adapter_config.json`);
    const missing = Object.keys(theirs).filter((key) => !(key in config));
    assert.deepEqual(missing, [
      "layer_replication",
      "loftq_config",
      "megatron_config",
      "megatron_core",
    ]);
    using file = await openSafetensors(`${folder}/adapter_model.safetensors`);
    const shapes = Object.fromEntries(
      [...file.entries.values()].map((e) => [e.name, [...e.shape]]),
    );
    const prefix = "base_model.model.transformer.h.1.mlp.c_fc";
    assert.deepEqual(shapes[`${prefix}.lora_A.weight`], [2, 36]);
    assert.deepEqual(shapes[`${prefix}.lora_B.weight`], [52, 2]);
    assert.equal(file.entries.size, 16);
    using values = await openSafetensors(`${folder}/value_head.safetensors`);
    assert.deepEqual([...values.entries.keys()], ["v_head.summary.weight", "v_head.summary.bias"]);
    assert.equal((await loadTokenizer(folder)).vocabSize, 512);
  }));

Deno.test("a base from the hub's cache is named by id and commit, and found there again", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const snapshot = `${folder}/models--some-one--a.model/snapshots/${commit}`;
    await Deno.mkdir(snapshot, { recursive: true });
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(`${BASE}/${name}`, `${snapshot}/${name}`);
    }
    await Deno.copyFile(TOKENIZER, `${snapshot}/tokenizer.json`);
    const cache = Deno.env.get("HF_HUB_CACHE");
    Deno.env.set("HF_HUB_CACHE", folder);
    try {
      using model = await loadGpt2(device, snapshot, { lora: { rank: 2 } });
      await saveAdapter(model, `${folder}/adapter`);
      const config = await readJson(`${folder}/adapter/adapter_config.json`);
      assert.equal(config.base_model_name_or_path, "some-one/a.model");
      assert.equal(config.revision, commit);
      using again = await loadModel(device, `${folder}/adapter`);
      assert.deepEqual(await again.evaluate(rows), await model.evaluate(rows));
      assert.equal((await loadModelTokenizer(`${folder}/adapter`)).vocabSize, 512);
      await changeConfig(`${folder}/adapter`, { base_model_name_or_path: "some-one/other" });
      await assert.rejects(
        () => loadModel(device, `${folder}/adapter`),
        /its base some-one\/other@0123\w+ is not a folder, .* deno task fetch some-one\/other@0123/,
      );
    } finally {
      if (cache === undefined) Deno.env.delete("HF_HUB_CACHE");
      else Deno.env.set("HF_HUB_CACHE", cache);
    }
  }));

Deno.test("a value head of the base is taken over, and one beside the adapter comes first", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    const base = modelFolder("trl-ppo-model");
    using plain = await loadGpt2(device, base, { valueHead: true });
    using model = await loadGpt2(device, base, { valueHead: true, lora: { rank: 2 } });
    const { value } = await plain.evaluate(rows);
    assert.ok(value.some((x) => x !== 0));
    assert.deepEqual((await model.evaluate(rows)).value, value);
    await train(model);
    await saveAdapter(model, folder);
    const after = await model.evaluate(rows);
    for (const merge of [false, true]) {
      using again = await loadGpt2(device, folder, { valueHead: true, merge });
      assert.equal(again.adapter === undefined, merge);
      (await again.evaluate(rows)).value.forEach((x, r) =>
        assert.ok(Math.abs(x - after.value[r]) < 1e-5)
      );
    }
  }));

Deno.test("loadGpt2() takes another base where it is told to", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    await copyAdapter(folder, { base_model_name_or_path: "/nowhere/at/all" });
    const message = /its base "\/nowhere\/at\/all" is not there: set base_model_name_or_path/;
    await assert.rejects(() => loadGpt2(device, folder), message);
    using moved = await loadGpt2(device, folder, { base: BASE, frozen: true });
    using named = await loadGpt2(device, ADAPTER, { frozen: true });
    assert.deepEqual(await moved.evaluate(rows), await named.evaluate(rows));
  }));

Deno.test("settings without effect here are passed over: dropout, how it began, new keys not in use", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    await copyAdapter(folder, {
      lora_dropout: 0.1,
      fan_in_fan_out: false,
      inference_mode: false,
      init_lora_weights: "gaussian",
      peft_version: "0.99",
      layers_pattern: "h",
      a_key_of_tomorrow: null,
      another: {},
    });
    using model = await loadGpt2(device, folder, { frozen: true });
    using named = await loadGpt2(device, ADAPTER, { frozen: true });
    assert.deepEqual(await model.evaluate(rows), await named.evaluate(rows));
  }));

const refused: [string, unknown, RegExp][] = [
  ["use_dora", true, /use_dora is true/],
  ["bias", "all", /bias is "all"/],
  ["modules_to_save", ["lm_head"], /modules_to_save is \["lm_head"\]/],
  ["rank_pattern", { c_attn: 4 }, /rank_pattern is \{"c_attn":4\}/],
  ["alpha_pattern", { c_attn: 4 }, /alpha_pattern is/],
  ["peft_type", "PREFIX_TUNING", /peft_type is "PREFIX_TUNING"/],
  ["task_type", "SEQ_CLS", /task_type is "SEQ_CLS"/],
  ["init_lora_weights", "pissa", /init_lora_weights is "pissa"/],
  ["layer_replication", [[0, 1]], /layer_replication is \[\[0,1\]\]/],
  ["layers_pattern", "blocks", /layers_pattern is "blocks"/],
  ["r", "8", /r is "8"/],
  ["lora_alpha", undefined, /lora_alpha is missing/],
  ["a_key_of_tomorrow", 1, /a_key_of_tomorrow is 1/],
  ["target_modules", [], /target_modules is \[\]/],
  ["toString", 1, /toString is 1/],
];
for (const [key, value, message] of refused) {
  Deno.test(`an adapter is refused, with the key, for ${key} ${JSON.stringify(value)}`, () =>
    withFolder(async (folder) => {
      using device = new CpuDevice();
      await copyAdapter(folder, { [key]: value });
      await assert.rejects(() => loadGpt2(device, folder), { name: "TypeError", message });
      assert.equal(device.memory.live, 0);
    }));
}

Deno.test("a config that is no JSON, no object or names no base is refused", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    await copyAdapter(folder);
    const load = () => loadGpt2(device, folder);
    await changeConfig(folder, { base_model_name_or_path: null });
    await assert.rejects(load, /its base is not named: base_model_name_or_path is missing/);
    await changeConfig(folder, { base_model_name_or_path: "." });
    await Deno.copyFile(`${BASE}/config.json`, `${folder}/config.json`);
    await assert.rejects(load, /that holds an adapter itself: merge that first/);
    await assert.rejects(() => loadTokenizer(folder), /that holds an adapter itself/);
    await Deno.writeTextFile(`${folder}/adapter_config.json`, "[1]");
    await assert.rejects(load, /adapter_config.json as only plain LoRA .*: it is not an object/);
    await Deno.writeTextFile(`${folder}/adapter_config.json`, '{"r": 8');
    await assert.rejects(load, {
      name: "TypeError",
      message: /adapter_config.json as it must be JSON/,
    });
  }));

/** Rewrites the adapter's tensors through `change`: name, shape and numbers. */
async function changeWeights(
  folder: string,
  change: (name: string, shape: readonly number[], data: Float32Array) =>
    | [string, readonly number[], Float32Array<ArrayBuffer>][]
    | undefined,
): Promise<void> {
  const path = `${folder}/adapter_model.safetensors`;
  using file = await openSafetensors(`${ADAPTER}/adapter_model.safetensors`);
  const out: [string, readonly number[], Float32Array<ArrayBuffer>][] = [];
  for (const { name, shape } of file.entries.values()) {
    const data = await file.read(name);
    out.push(...change(name, shape, data) ?? [[name, shape, data]]);
  }
  await writeSafetensors(path, {
    tensors: out.map(([name, shape]) => ({ name, shape })),
    data: async function* () {
      for (const [, , data] of out) yield await Promise.resolve(data);
    },
  });
}

const FIRST = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight";
const broken: [string, Parameters<typeof changeWeights>[1], RegExp][] = [
  [
    "a missing matrix",
    (name) => name === FIRST ? [] : undefined,
    /h.0.attn.c_attn.lora_A.weight .* is missing/,
  ],
  [
    "a matrix of another rank",
    (name, [, from]) =>
      name === FIRST ? [[name, [2, from], new Float32Array(2 * from)]] : undefined,
    /must have the rank of the config, 3: .*c_attn.lora_A.weight is \(2,36\)/,
  ],
  [
    "a matrix of another kind",
    (name, shape, data) =>
      name === FIRST ? [[name.replace("lora_A", "lora_C"), shape, data.slice()]] : undefined,
    /c_attn.lora_C.weight is not known; .*c_attn.lora_A.weight \(3,36\) is missing/,
  ],
  [
    "a transposed matrix",
    (name, shape, data) =>
      name.endsWith("h.1.mlp.c_fc.lora_B.weight")
        ? [[name, [...shape].reverse(), data.slice()]]
        : undefined,
    /c_fc.lora_B.weight is \(3,52\), not \(52,3\)/,
  ],
  [
    "a module that the config does not mean",
    (name, shape, data) =>
      name === FIRST
        ? [[name, shape, data.slice()], [
          name.replace("attn.c_attn", "lm_head"),
          shape,
          data.slice(),
        ]]
        : undefined,
    /lm_head.lora_A.weight is not known/,
  ],
];
for (const [what, change, message] of broken) {
  Deno.test(`an adapter with ${what} is refused`, () =>
    withFolder(async (folder) => {
      using device = new CpuDevice();
      await copyAdapter(folder);
      await changeWeights(folder, change);
      await assert.rejects(() => loadGpt2(device, folder), { name: "SafetensorsError", message });
      assert.equal(device.memory.live, 0);
    }));
}

Deno.test("numbers that are not finite, and files that are not there, are refused", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    await copyAdapter(folder);
    const path = `${folder}/adapter_model.safetensors`;
    const bytes = await Deno.readFile(path);
    bytes.set([0, 0, 0xc0, 0x7f], bytes.length - 4); // NaN
    await Deno.writeFile(path, bytes);
    const load = () => loadGpt2(device, folder);
    await assert.rejects(load, {
      name: "SafetensorsError",
      message: /must be finite: element \d+ is NaN/,
    });
    await Deno.remove(path);
    await assert.rejects(load, {
      name: "NotFound",
      message: /as it has no adapter_model.safetensors; /,
    });
    await assert.rejects(
      () => loadGpt2(device, `${folder}/adapter_config.json`),
      /the model folder .*adapter_config.json as it has no config.json/,
    );
    using plain = Gpt2.create(device, {
      vocab_size: 9,
      n_positions: 4,
      n_embd: 4,
      n_layer: 1,
      n_head: 1,
    });
    await assert.rejects(() => saveAdapter(plain, folder), /this model has none/);
    using fresh = Gpt2.create(device, plain.config, { lora: { rank: 1 } });
    await assert.rejects(() => saveAdapter(fresh, folder), /its base came from no folder/);
    await saveAdapter(fresh, folder, { base: "some/where" });
    const config = await readJson(`${folder}/adapter_config.json`);
    assert.equal(config.base_model_name_or_path, "some/where");
  }));

Deno.test("names without the prefix transformer. are those of an adapter on the bare model", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    await copyAdapter(folder);
    await changeWeights(folder, (name, shape, data) => [
      [name.replace(".transformer.", "."), shape, Float32Array.from(data)],
    ]);
    using model = await loadGpt2(device, folder);
    using named = await loadGpt2(device, ADAPTER);
    const batch = languageModelRows([[1, 2, 3]]);
    assert.deepEqual(await model.logits(batch), await named.logits(batch));
  }));
