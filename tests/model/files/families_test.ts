/** Other families and file forms against transformers, by `tests/fixtures/families.py`. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../../model/files/gpt2_save.ts";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { Generator } from "../../../model/generation/generate.ts";
import { languageModelRows } from "../../../model/rows.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import { assertGradients, type Facts, modelFolder, readFixture, rows } from "../../_fixtures.ts";
import { withFolder } from "../../_folder.ts";

const PUBLISHED = ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2"];
const FAMILIES = ["untied", "dialogpt", "neo", "neo-old", ...PUBLISHED];

/** Copies the files of a fixture. */
async function copyModel(name: string, folder: string): Promise<void> {
  for await (const file of Deno.readDir(modelFolder(name))) {
    await Deno.copyFile(`${modelFolder(name)}/${file.name}`, `${folder}/${file.name}`);
  }
}

for (const name of FAMILIES) {
  testOnDevices(`transformers' logits, loss and gradients, family ${name}`, async (device) => {
    const { facts, tensors } = await readFixture<Facts>(`family-${name}`);
    using model = await loadGpt2(device, modelFolder(`family-${name}`));
    const { target, ...all } = rows(facts, true);
    const logits = await model.logits({ ...all, target: target.fill(0) });
    assertClose(logits, tensors.get("logits")!, "logits", 1e-4);
    model.languageModel(rows(facts));
    assertClose([await model.readLoss()], [facts.loss], "loss", 1e-5);
    await assertGradients(model, tensors);
  });

  if (!PUBLISHED.includes(name)) {
    testOnDevices(`gradients in chunks and with recomputing, family ${name}`, async (device) => {
      const { facts, tensors } = await readFixture<Facts>(`family-${name}`);
      const options = { recompute: true, chunkBytes: 1 };
      using model = await loadGpt2(device, modelFolder(`family-${name}`), options);
      model.languageModel(rows(facts));
      await assertGradients(model, tensors);
    });
  }

  testOnDevices(`transformers' greedy completions, family ${name}`, async (device) => {
    const { facts: { greedy } } = await readFixture<Facts>(`family-${name}`);
    const { prompts, maxNewTokens } = greedy;
    using model = await loadGpt2(device, modelFolder(`family-${name}`), { frozen: true });
    using generator = new Generator(model);
    const free = await generator.generate(prompts, { maxNewTokens, greedy: true, eos: null });
    assert.deepEqual(free.responses.map((tokens) => [...tokens]), greedy.free);
    const stopped = await generator.generate(prompts, { maxNewTokens, greedy: true });
    assert.deepEqual(stopped.responses.map((tokens) => [...tokens]), greedy.stopped);
  });

  Deno.test(`family ${name}: training lowers the loss, and a saved copy has the same bits`, async () => {
    await withFolder(async (folder) => {
      using device = new CpuDevice();
      const { facts } = await readFixture<Facts>(`family-${name}`);
      using model = await loadGpt2(device, modelFolder(`family-${name}`));
      const batch = languageModelRows(facts.tokens);
      for (let step = 0; step < 5; step++) {
        model.languageModel(batch);
        model.step(3e-3);
      }
      const mean = await model.readLoss() / 5;
      model.languageModel(batch);
      assert.ok(await model.readLoss() < mean);
      model.zeroGradient();
      await saveGpt2(model, folder);
      using loaded = await loadGpt2(device, folder);
      assert.deepEqual(await loaded.evaluate(batch), await model.evaluate(batch));
      assert.equal(loaded.config.tie_word_embeddings, model.config.tie_word_embeddings);
    });
  });
}

Deno.test("a published model keeps the keys of its config, and is saved without masks", async () => {
  using device = new CpuDevice();
  for (const name of PUBLISHED) {
    await withFolder(async (folder) => {
      const source = modelFolder(`family-${name}`);
      using model = await loadGpt2(device, source, { frozen: true });
      await saveGpt2(model, folder);
      const [was, is] = await Promise.all(
        [source, folder].map(async (path) =>
          JSON.parse(await Deno.readTextFile(`${path}/config.json`))
        ),
      );
      assert.deepEqual({ ...is, ...was }, is, name);
      const prefix = name === "distilgpt2" ? "transformer." : "";
      using from = await openSafetensors(`${source}/model.safetensors`);
      using to = await openSafetensors(`${folder}/model.safetensors`);
      const masks = Array.from({ length: was.n_layer }, (_, l) => `${prefix}h.${l}.attn.bias`);
      assert.deepEqual(masks.map((mask) => from.entries.get(mask)?.dtype), masks.map(() => "F32"));
      assert.deepEqual(
        [...to.entries.keys()].sort(),
        [...from.entries.keys()].filter((key) => !masks.includes(key))
          .map((key) => `transformer.${key.slice(prefix.length)}`).sort(),
      );
    });
  }
});

Deno.test("an untied head has its own gradient and no part of the embedding's", async () => {
  using device = new CpuDevice();
  using model = await loadGpt2(device, modelFolder("family-untied"));
  const { parameters, byName } = model.weights.layout;
  assert.deepEqual(byName.get("lm_head.weight")!.shape, byName.get("wte.weight")!.shape);
  assert.equal(parameters.filter(({ name }) => name === "lm_head.weight").length, 1);
  model.languageModel(languageModelRows([[1, 2, 3]]));
  const [dwte] = await device.read(model.optimizer!.gradients.get("wte.weight"));
  const { C } = model.dims;
  assert.ok(dwte.subarray(4 * C).every((x: number) => x === 0), "only input tokens have a part");
});

Deno.test("vocab.json and merges.txt give the ids of transformers' GPT2Tokenizer", async () => {
  type Texts = { texts: { text: string; ids: number[] }[] };
  const { facts: { texts } } = await readFixture<Texts>("family-dialogpt");
  const tokenizer = await loadTokenizer(modelFolder("family-dialogpt"));
  assert.equal(tokenizer.eosId, 511);
  for (const { text, ids } of texts) {
    assert.deepEqual([...tokenizer.encode(text)], ids, text);
    assert.equal(tokenizer.decode(ids, { special: true }), text);
  }
});

Deno.test("save() writes a tokenizer.json where the model had vocab.json and merges.txt", async () => {
  await withFolder(async (folder) => {
    using device = new CpuDevice();
    const source = modelFolder("family-dialogpt");
    using model = await loadGpt2(device, source, { frozen: true });
    await saveGpt2(model, folder, { tokenizer: `${source}/tokenizer.json` });
    const [written, read] = [await loadTokenizer(folder), await loadTokenizer(source)];
    const text = "the naïve 🙂 user<|endoftext|>";
    assert.deepEqual(written.encode(text), read.encode(text));
  });
});

Deno.test("a broken vocab.json, merges.txt or added_tokens.json is named, with the line or token", async () => {
  await withFolder(async (folder) => {
    await copyModel("family-dialogpt", folder);
    const vocab = await Deno.readTextFile(`${folder}/vocab.json`);
    const merges = await Deno.readTextFile(`${folder}/merges.txt`);
    const load = () => loadTokenizer(folder);
    await Deno.writeTextFile(`${folder}/added_tokens.json`, '{"<user>": 512}');
    assert.deepEqual([...(await load()).encode("<user>")], [512]);
    await Deno.writeTextFile(`${folder}/added_tokens.json`, "[]");
    await assert.rejects(load, /added_tokens.json as it must be JSON of tokens and their ids: the/);
    await Deno.remove(`${folder}/added_tokens.json`);
    await Deno.writeTextFile(`${folder}/vocab.json`, vocab.replace(/:\s*5,/, ': "5",'));
    await assert.rejects(load, /vocab.json as it must be JSON of tokens and their ids: "/);
    await Deno.writeTextFile(`${folder}/vocab.json`, vocab.slice(0, -3));
    await assert.rejects(load, { name: "TypeError", message: /vocab.json as it must be JSON/ });
    await Deno.writeTextFile(`${folder}/vocab.json`, vocab);
    await Deno.writeTextFile(`${folder}/merges.txt`, merges + "a b c\n");
    await assert.rejects(load, /merges.txt as each line must hold two tokens: line 257 is "a b c"/);
    await Deno.writeTextFile(`${folder}/merges.txt`, merges + "zq qz\n");
    await assert.rejects(load, /each merge makes a token of two: merge 255 is \["zq","qz"\]/);
    await Deno.remove(`${folder}/merges.txt`);
    await assert.rejects(load, /no .*\/tokenizer.json, nor vocab.json and merges.txt beside it/);
  });
});

const INDEX = "model.safetensors.index.json";

Deno.test("an index must place every tensor in exactly one file of its own folder", async () => {
  await withFolder(async (folder) => {
    await copyModel("family-untied", folder);
    using device = new CpuDevice();
    const load = () => loadGpt2(device, folder, { frozen: true });
    const index = JSON.parse(await Deno.readTextFile(`${folder}/${INDEX}`));
    const map: Record<string, string> = index.weight_map;
    const [first, last] = [map["transformer.wte.weight"], map["lm_head.weight"]];
    assert.notEqual(first, last);
    const cases: [unknown, RegExp][] = [
      [{}, /index must have an object weight_map/],
      [[], /index must have an object weight_map/],
      [{ weight_map: { a: 1 } }, /weight_map has no text for "a"/],
      ...["../x.safetensors", "a/b.safetensors", "/x.safetensors", "x.bin", "a\\b.safetensors"].map(
        (name): [unknown, RegExp] => [
          { weight_map: { ...map, "lm_head.weight": name } },
          /must give each tensor a file NAME.safetensors in its own folder: .* for "lm_head.weight"/,
        ],
      ),
      [
        { weight_map: { ...map, more: last } },
        /must place tensors where they are: .* has no more$/,
      ],
      [
        { weight_map: { ...map, "lm_head.weight": first } },
        /must place tensors where they are: .* has no lm_head.weight$/,
      ],
      [
        { weight_map: { ...map, "transformer.wpe.weight": undefined } },
        /must name every tensor: transformer.wpe.weight of .* is missing/,
      ],
      [
        {
          weight_map: Object.fromEntries(
            Array.from({ length: 257 }, (_, i) => [`t${i}`, `s${i}.safetensors`]),
          ),
        },
        /may name 256 shards: it names 257/,
      ],
    ];
    for (const [value, message] of cases) {
      await Deno.writeTextFile(`${folder}/${INDEX}`, JSON.stringify(value));
      await assert.rejects(load, { name: "SafetensorsError", message });
    }
    await Deno.writeTextFile(`${folder}/${INDEX}`, '{"weight_map": {"a": "b.safetensors",');
    await assert.rejects(load, { name: "SafetensorsError", message: /must be JSON in UTF-8/ });
    await Deno.writeTextFile(`${folder}/${INDEX}`, JSON.stringify(index));
    await Deno.remove(`${folder}/${first}`);
    await assert.rejects(load, { name: "NotFound", message: /its shard .* is missing: fetch it/ });
    await Deno.copyFile(`${folder}/${last}`, `${folder}/${first}`);
    await assert.rejects(load, /must place each tensor in one shard/);
    assert.equal(device.memory.live, 0);
  });
});
