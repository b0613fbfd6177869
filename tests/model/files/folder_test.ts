import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { localPath } from "../../../model/files/disk.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../../model/files/gpt2_save.ts";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { writeSafetensors } from "../../../model/files/safetensors_write.ts";
import { Gpt2 } from "../../../model/gpt2.ts";
import { describeModel } from "../../../model/files/lora_folder.ts";
import { TINY } from "../../../model/hub/shipped.ts";
import { languageModelRows } from "../../../model/rows.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import { withFolder } from "../../_folder.ts";
import { randomModel, SMALL } from "../_model.ts";

const rows = languageModelRows([[1, 2, 3, 4], [5, 6]]);

/** A tensor on the host. */
type Tensors = Map<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }>;

/** Rewrites the weights of `folder` after `change`. */
async function rewrite(folder: string, change: (tensors: Tensors) => void): Promise<void> {
  const path = `${folder}/model.safetensors`;
  const tensors: Tensors = new Map();
  {
    using file = await openSafetensors(path);
    for (const [name, { shape }] of file.entries) {
      tensors.set(name, { shape, data: await file.read(name) });
    }
  }
  change(tensors);
  await writeSafetensors(path, {
    tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })),
    data: async function* () {
      for (const { data } of tensors.values()) yield await Promise.resolve(data);
    },
  });
}

testOnDevices("save() and load() round-trip every bit, value head included", async (device) => {
  await withFolder(async (folder) => {
    using model = randomModel(device, { ...SMALL, embd_pdrop: 0.1 });
    const before = await model.evaluate(rows);
    await saveGpt2(model, folder);
    using loaded = await loadGpt2(device, folder, { valueHead: true });
    assert.deepEqual(await loaded.evaluate(rows), before);
    assert.equal(loaded.config.embd_pdrop, 0.1);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["config.json", "generation_config.json", "model.safetensors"]);
  });
});

Deno.test("save() in F16 rounds the weights and nothing else", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    await saveGpt2(model, folder, { dtype: "F16" });
    using loaded = await loadGpt2(device, folder, { valueHead: true });
    for await (const [{ name }, data] of model.weights.read()) {
      const [got] = await device.read(loaded.weights.get(name));
      assert.deepEqual(got, Float32Array.from(data, Math.f16round), name);
    }
    const config = await Deno.readTextFile(`${folder}/config.json`);
    assert.equal(JSON.parse(config).torch_dtype, "float16");
    assert.equal(JSON.parse(config).dtype, "float16");
  });
});

Deno.test("save() copies the tokenizer and writes the ids that generation needs", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device, { ...SMALL, eos_token_id: 3 });
    const tokenizer = '{"model": {"type": "WordLevel", "vocab": {"a": 1}}}';
    await Deno.writeTextFile(`${folder}/source.json`, tokenizer);
    await Deno.writeTextFile(`${folder}/tokenizer_config.json`, "{}");
    await saveGpt2(model, `${folder}/out/put`, { tokenizer: `${folder}/source.json` });
    assert.equal(await Deno.readTextFile(`${folder}/out/put/tokenizer.json`), tokenizer);
    assert.equal(await Deno.readTextFile(`${folder}/out/put/tokenizer_config.json`), "{}");
    const generation = await Deno.readTextFile(`${folder}/out/put/generation_config.json`);
    assert.deepEqual(JSON.parse(generation), { eos_token_id: 3 });
  });
});

Deno.test("a model that was trained without dropout says so, in assets and in what is saved", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    await saveGpt2(model, folder);
    for (const path of [folder, localPath(TINY)]) {
      const config = await Deno.readTextFile(`${path}/config.json`);
      for (const key of ["resid_pdrop", "embd_pdrop", "attn_pdrop"]) {
        assert.ok(config.includes(`"${key}": 0.0,`), `${key} of ${path}`);
      }
    }
  });
});

Deno.test("load() takes names without prefix, a copied lm_head and the causal masks of old folders", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    await saveGpt2(model, folder);
    await rewrite(folder, (tensors) => {
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name);
        tensors.set(name.replace("transformer.", ""), tensor);
      }
      tensors.set("lm_head.weight", tensors.get("wte.weight")!);
      tensors.set("h.0.attn.bias", { shape: [1, 1, 9, 9], data: new Float32Array(81) });
      tensors.set("h.1.attn.masked_bias", { shape: [], data: new Float32Array(1) });
    });
    using loaded = await loadGpt2(device, folder, { valueHead: true });
    assert.deepEqual(await loaded.evaluate(rows), await model.evaluate(rows));
  });
});

/** Gives every tensor of `folder` another name. */
const rename = (folder: string, change: (name: string) => string): Promise<void> =>
  rewrite(folder, (tensors) => {
    const all = [...tensors];
    tensors.clear();
    for (const [name, tensor] of all) tensors.set(change(name), tensor);
  });

Deno.test("load() takes tied weights that were saved as the head's alone", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    const wanted = await model.evaluate(rows);
    const head = (name: string) => name.replace("transformer.wte.weight", "lm_head.weight");
    await saveGpt2(model, folder);
    await rename(folder, head);
    {
      using loaded = await loadGpt2(device, folder, { valueHead: true });
      assert.deepEqual(await loaded.evaluate(rows), wanted);
    }
    const config = { ...SMALL, tie_word_embeddings: false };
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    await assert.rejects(() => loadGpt2(device, folder), /wte.weight \(11,6\) is missing$/);
  });
});

Deno.test("load() takes names that training programs put prefixes on", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    const wanted = await model.evaluate(rows);
    const changes: ((name: string) => string)[] = [
      ...["module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod."]
        .map((prefix) => (name: string) => prefix + name),
      (name) => name.startsWith("v_head.") ? name : `pretrained_model.${name}`, // TRL's state
      (name) => name.startsWith("v_head.") ? `module.${name}` : `module.pretrained_model.${name}`,
      (name) => name.replace("transformer.", "transformer._orig_mod."),
      (name) =>
        name.replace(/^transformer\.(h\.\d+)/, "_fsdp_wrapped_module.$1._fsdp_wrapped_module"),
    ];
    for (const change of changes) {
      await saveGpt2(model, folder);
      await rename(folder, change);
      using loaded = await loadGpt2(device, folder, { valueHead: true });
      assert.deepEqual(await loaded.evaluate(rows), wanted);
    }
    await rewrite(folder, (tensors) => {
      tensors.set("module.ln_f.bias", { shape: [6], data: new Float32Array(6) });
    });
    await assert.rejects(() => loadGpt2(device, folder), /ln_f.bias is there twice, also as/);
  });
});

Deno.test("load() says what to do with a PEFT model that was saved with its base", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    await saveGpt2(model, folder);
    await rename(
      folder,
      (name) => `base_model.model.${name.replace("c_attn", "c_attn.base_layer")}`,
    );
    await assert.rejects(() => loadGpt2(device, folder), {
      name: "SafetensorsError",
      message:
        /no adapter may be among them: base_model.* model\.merge_and_unload\(\).save_pretrained/,
    });
  });
});

Deno.test("load() finds weights that do not fit before it takes memory for them", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = Gpt2.create(device, SMALL, { frozen: true });
    await saveGpt2(model, folder);
    const { live, peak } = device.memory;
    const config = { ...SMALL, n_layer: 1000, n_embd: 600 };
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    await assert.rejects(() => loadGpt2(device, folder), (error: Error) => {
      assert.match(error.message, /wte.weight is \(11,6\), not \(11,600\); .*; and \d+ more$/);
      assert.ok(error.message.length < 2500);
      return true;
    });
    assert.deepEqual(device.memory, { ...device.memory, live, peak });
    // Nor is memory planned for what only the config says.
    await assert.rejects(describeModel(folder), /wte.weight is \(11,6\), not \(11,600\)/);
    await Deno.remove(`${folder}/model.safetensors`);
    assert.equal((await describeModel(folder)).config.model_type, "gpt2");
  });
});

Deno.test("load() cuts names of a file that are longer than an error", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = Gpt2.create(device, SMALL, { frozen: true });
    await saveGpt2(model, folder);
    await rewrite(folder, (tensors) => {
      tensors.set("x".repeat(1e6), { shape: [1], data: new Float32Array(1) });
    });
    await assert.rejects(() => loadGpt2(device, folder), (error: Error) => {
      assert.match(error.message, /x{120}… \(1000000 characters\) is not known$/);
      return true;
    });
  });
});

Deno.test("load() leaves a value head that is not wanted, and starts one that is missing at zero", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = randomModel(device);
    const { logprob } = await model.evaluate(rows);
    await saveGpt2(model, folder);
    using without = await loadGpt2(device, folder);
    assert.deepEqual((await without.evaluate(rows)).logprob, logprob);
    await saveGpt2(without, folder);
    using fresh = await loadGpt2(device, folder, { valueHead: true });
    const evaluation = await fresh.evaluate(rows);
    assert.deepEqual(evaluation.logprob, logprob);
    assertClose(evaluation.value, new Float32Array(4), "value", 0);
  });
});

Deno.test("load() lists every tensor that does not fit the config in one error", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = Gpt2.create(device, SMALL);
    await saveGpt2(model, folder);
    await rewrite(folder, (tensors) => {
      tensors.delete("transformer.ln_f.bias");
      tensors.set("transformer.h.2.ln_1.bias", { shape: [6], data: new Float32Array(6) });
      tensors.set("transformer.wpe.weight", { shape: [6, 9], data: new Float32Array(54) });
      tensors.set("lm_head.weight", { shape: [10, 6], data: new Float32Array(60) });
    });
    const { live } = device.memory;
    await assert.rejects(() => loadGpt2(device, folder), (error: Error) => {
      assert.match(error.message, /transformer.wpe.weight is \(6,9\), not \(9,6\)/);
      assert.match(error.message, /lm_head.weight is \(10,6\), not \(11,6\)/);
      assert.match(error.message, /transformer.h.2.ln_1.bias is not known/);
      assert.match(error.message, /ln_f.bias \(6\) is missing/);
      return true;
    });
    assert.equal(device.memory.live, live, "a failed load must give its memory back");
  });
});

Deno.test("load() refuses weights that are not finite", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = Gpt2.create(device, SMALL);
    await saveGpt2(model, folder);
    const path = `${folder}/model.safetensors`;
    const bytes = await Deno.readFile(path);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, NaN, true);
    await Deno.writeFile(path, bytes);
    await assert.rejects(
      () => loadGpt2(device, folder),
      /numbers must be finite: element \d+ is NaN/,
    );
  });
});

Deno.test("load() says what a folder lacks and how to mend it", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    const load = () => loadGpt2(device, folder);
    const name = "NotFound";
    await assert.rejects(load, { name, message: /the model folder .* has no config.json/ });
    await Deno.writeTextFile(`${folder}/config.json`, '{"vocab_size": 11,');
    await assert.rejects(load, /config.json as it must be JSON: /);
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ ...SMALL, n_head: 4 }));
    await assert.rejects(load, /config.json as n_embd must be divisible by n_head: 6 and 4/);
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(SMALL));
    await assert.rejects(load, { name, message: /as it has no model.safetensors$/ });
    await Deno.writeTextFile(`${folder}/model.safetensors.index.json`, "{}");
    await assert.rejects(load, {
      name: "SafetensorsError",
      message: /index.json as an index must have an object weight_map/,
    });
    await Deno.remove(`${folder}/model.safetensors.index.json`);
    await Deno.writeTextFile(`${folder}/pytorch_model.bin`, "");
    await assert.rejects(load, {
      name,
      message: /pickled pytorch_model.bin.* Convert it once, .*python -c/,
    });
    await Deno.writeTextFile(`${folder}/model.safetensors`, "");
    await assert.rejects(load, /needs 8 bytes of header length: it has 0 \(.*model.safetensors\)/);
  });
});
