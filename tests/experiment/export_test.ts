import assert from "node:assert/strict";
import { type ExportFacts, exportModel } from "../../experiment/export.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { openSafetensors } from "../../model/files/safetensors.ts";
import { loadModel, loadTokenizer } from "../../model/hub/load.ts";
import { languageModelRows } from "../../model/rows.ts";
import { assertClose } from "../_close.ts";
import { modelFolder } from "../_fixtures.ts";
import { withFolder } from "../_folder.ts";
import { writeSmallModel } from "./_model.ts";

const inTemporary = (name: string, body: (folder: string) => Promise<void>) =>
  Deno.test(name, () =>
    withFolder(async (folder) => {
      await writeSmallModel(`${folder}/model`);
      await body(folder);
    }));

const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));
const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

/** Every tensor of a folder's weights. */
async function weights(folder: string): Promise<Record<string, Float32Array>> {
  using file = await openSafetensors(`${folder}/model.safetensors`);
  const read: Record<string, Float32Array> = {};
  for (const name of file.entries.keys()) read[name] = await file.read(name);
  return read;
}

/** Saves the small model again with a value head; `value` is every weight of it. */
async function withValueHead(folder: string, value: number): Promise<string> {
  using device = new CpuDevice();
  using model = await loadModel(device, `${folder}/model`, { frozen: true, valueHead: true });
  device.write(model.weights.get("v_head.weight"), new Float32Array(16).fill(value));
  await saveGpt2(model, `${folder}/head`, { tokenizer: `${folder}/model/tokenizer.json` });
  return `${folder}/head`;
}

inTemporary("an adapter is exported as the plain model that it makes", async (folder) => {
  const adapter = modelFolder("lora-a"), to = `${folder}/out`;
  const facts = await exportModel({ model: adapter, to });
  assert.deepEqual([facts.modelType, facts.tokenizer], ["gpt2", false]);
  using device = new CpuDevice();
  using exported = await loadModel(device, to, { frozen: true });
  assert.equal(exported.adapter, undefined);
  using apart = await loadModel(device, adapter, { frozen: true });
  using base = await loadModel(device, modelFolder("gpt2-a"), { frozen: true });
  const rows = languageModelRows([[1, 2, 3, 4], [5, 6]]);
  const [got, want, without] = await Promise.all(
    [exported, apart, base].map((model) => model.evaluate(rows)),
  );
  assertClose(got.logprob, want.logprob, "logprob", 1e-5);
  assert.ok(got.logprob.some((x, i) => Math.abs(x - without.logprob[i]) > 1e-3));
});

inTemporary("an export has the model's own numbers, its tokenizer and a card", async (folder) => {
  let said: ExportFacts | undefined;
  const to = `${folder}/out`;
  const facts = await exportModel({
    model: `${folder}/model`,
    to,
    card: (given) => `${(said = given).parameters}\n`,
  });
  assert.equal(facts, said);
  assert.deepEqual(await names(to), [
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  assert.deepEqual(await weights(to), await weights(`${folder}/model`));
  const { vocabSize, eosId } = await loadTokenizer(to);
  const C = 16, parameters = vocabSize * C + 96 * C + 12 * C * C + 13 * C + 2 * C;
  assert.equal(await Deno.readTextFile(`${to}/README.md`), `${parameters}\n`);
  const { source, ...rest } = facts;
  assert.equal(source.kind === "folder" && source.path, `${folder}/model`);
  assert.deepEqual(rest, {
    modelType: "gpt2",
    parameters,
    positions: 96,
    dtype: "F32",
    valueHead: false,
    tokenizer: true,
  });
  assert.equal((await readJson(`${to}/config.json`)).torch_dtype, "float32");
  assert.deepEqual(await readJson(`${to}/generation_config.json`), {
    bos_token_id: eosId,
    eos_token_id: eosId,
    pad_token_id: eosId,
  });
  assert.deepEqual(await readJson(`${to}/tokenizer_config.json`), {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_input_names: ["input_ids", "attention_mask"],
    bos_token: "<|endoftext|>",
    eos_token: "<|endoftext|>",
    unk_token: "<|endoftext|>",
    clean_up_tokenization_spaces: false,
  });
});

inTemporary("F16 rounds each weight once; what F16 cannot hold is refused", async (folder) => {
  const to = `${folder}/out`;
  const { dtype } = await exportModel({ model: `${folder}/model`, to, dtype: "F16" });
  assert.equal(dtype, "F16");
  const [half, full] = [await weights(to), await weights(`${folder}/model`)];
  assert.deepEqual(Object.keys(half), Object.keys(full));
  for (const [name, numbers] of Object.entries(full)) {
    assert.deepEqual(half[name], Float32Array.from(numbers, Math.f16round), name);
  }
  assert.equal((await readJson(`${to}/config.json`)).torch_dtype, "float16");
  using device = new CpuDevice();
  using model = await loadModel(device, `${folder}/model`, { frozen: true });
  device.write(model.weights.get("ln_f.weight"), new Float32Array(16).fill(65520));
  await saveGpt2(model, `${folder}/large`);
  const large = { model: `${folder}/large`, dtype: "F16" as const };
  await assert.rejects(exportModel({ ...large, to: `${folder}/none` }), {
    name: "RangeError",
    message: /ln_f\.weight as its numbers must be finite in F16: .* is 65520\. Export it as f32$/,
  });
  await exportModel({ ...large, dtype: "F32", to: `${folder}/whole` });
});

inTemporary("a run's sampling is what transformers does by itself", async (folder) => {
  const to = `${folder}/out`;
  const sampling = { maxNewTokens: 7, temperature: 2 };
  await exportModel({ model: `${folder}/model`, to, sampling });
  const text = await Deno.readTextFile(`${to}/generation_config.json`);
  const { eosId: eos } = await loadTokenizer(to);
  assert.deepEqual(JSON.parse(text), {
    bos_token_id: eos,
    eos_token_id: eos,
    pad_token_id: eos,
    do_sample: true,
    temperature: 2,
    top_k: 0,
    max_new_tokens: 7,
  });
  assert.match(text, /"temperature": 2\.0,/); // transformers refuses a whole number
});

inTemporary("no two ends are named, whatever file of the model names it", async (folder) => {
  const model = `${folder}/model`, to = `${folder}/out`, end = 5;
  const config = await readJson(`${model}/config.json`);
  await Deno.writeTextFile(
    `${model}/config.json`,
    JSON.stringify({ ...config, eos_token_id: end }),
  );
  await Deno.remove(`${model}/generation_config.json`);
  for (const sampling of [undefined, { maxNewTokens: 7, temperature: 2 }]) {
    await exportModel({ model, to, sampling });
    const written = await Promise.all(
      ["config", "generation_config", "tokenizer_config"].map((name) =>
        readJson(`${to}/${name}.json`)
      ),
    );
    assert.deepEqual(written.map(({ eos_token_id }) => eos_token_id), [end, end, undefined]);
    assert.equal(written[1].pad_token_id, end);
    assert.equal(written[2].eos_token, undefined);
  }
});

inTemporary("settings that the model came with are kept, and completed", async (folder) => {
  const model = `${folder}/model`, to = `${folder}/out`;
  const write = (name: string, value: unknown) =>
    Deno.writeTextFile(`${model}/${name}`, JSON.stringify(value));
  await write("generation_config.json", {
    _from_model_config: true,
    transformers_version: "4.46.3",
    eos_token_id: [3, 5],
    bos_token_id: null,
    top_p: 1,
    max_length: 50,
  });
  const own = { tokenizer_class: "GPT2Tokenizer", model_max_length: 1024 };
  await write("tokenizer_config.json", own);
  await write("special_tokens_map.json", { pad_token: "<|endoftext|>" });
  await exportModel({ model, to });
  const { bos_token_id } = await readJson(`${model}/config.json`);
  const text = await Deno.readTextFile(`${to}/generation_config.json`);
  assert.deepEqual(JSON.parse(text), {
    pad_token_id: 3,
    bos_token_id,
    eos_token_id: [3, 5],
    top_p: 1,
    max_length: 50,
  });
  assert.match(text, /"top_p": 1\.0,/);
  assert.deepEqual(await readJson(`${to}/tokenizer_config.json`), {
    ...own,
    eos_token: null, // the model ends at 3 or 5, which are no marks
    clean_up_tokenization_spaces: false,
  });
  assert.deepEqual(await readJson(`${to}/special_tokens_map.json`), { pad_token: "<|endoftext|>" });
  await write("tokenizer_config.json", { ...own, clean_up_tokenization_spaces: true });
  await exportModel({ model, to: `${folder}/again` });
  const again = await readJson(`${folder}/again/tokenizer_config.json`);
  assert.equal(again.clean_up_tokenization_spaces, true);
  await Deno.writeTextFile(`${model}/generation_config.json`, "[");
  await assert.rejects(
    exportModel({ model, to: `${folder}/x` }),
    /generation_config\.json as it mu/,
  );
});

inTemporary(
  "a value head is left out, or kept under TRL's names where there is one",
  async (folder) => {
    const model = await withValueHead(folder, 0.5);
    await exportModel({ model, to: `${folder}/plain` });
    assert.deepEqual(await weights(`${folder}/plain`), await weights(`${folder}/model`));
    const { parameters } = await exportModel({ model, to: `${folder}/kept`, valueHead: true });
    const kept = await weights(`${folder}/kept`);
    assert.deepEqual(kept["v_head.summary.weight"], new Float32Array(16).fill(0.5));
    assert.deepEqual(kept["v_head.summary.bias"], new Float32Array(1));
    assert.equal(parameters, (await exportModel({ model, to: `${folder}/x` })).parameters);
    for (const none of [`${folder}/model`, await withValueHead(folder, 0)]) {
      await assert.rejects(
        exportModel({ model: none, to: `${folder}/y`, valueHead: true }),
        /RangeError: Cannot keep the value head of .* as it has none, or one that never learned/,
      );
    }
  },
);

inTemporary(
  "old and sharded folders come out as one file, with or without a tokenizer",
  async (folder) => {
    const dialog = await exportModel({ model: modelFolder("family-dialogpt"), to: `${folder}/a` });
    assert.ok(dialog.tokenizer);
    const old = await loadTokenizer(modelFolder("family-dialogpt"));
    const made = await loadTokenizer(`${folder}/a/tokenizer.json`);
    const text = "red and\n  blue<|endoftext|>é!";
    assert.deepEqual(made.encode(text), old.encode(text));
    const untied = await exportModel({ model: modelFolder("family-untied"), to: `${folder}/b` });
    assert.equal(untied.tokenizer, false);
    assert.deepEqual(await names(`${folder}/b`), [
      "config.json",
      "generation_config.json",
      "model.safetensors",
    ]);
    assert.ok("lm_head.weight" in await weights(`${folder}/b`));
    await Deno.writeTextFile(`${folder}/model/tokenizer.json`, "{}");
    await assert.rejects(
      exportModel({ model: `${folder}/model`, to: `${folder}/c` }),
      /tokenizer\.json as a tokenizer\.json has other parts/,
    );
  },
);
