import assert from "node:assert/strict";
import { watchCalls } from "../../../bench/_calls.ts";
import type { Device, FloatArray } from "../../../kernels/device.ts";
import { Scope } from "../../../kernels/scope.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import { parseEncoderConfig } from "../../../model/encoder/config.ts";
import { encode } from "../../../model/encoder/forward.ts";
import { textBatches, TextReader } from "../../../model/encoder/texts.ts";
import { readEncoderWeights } from "../../../model/encoder/weights.ts";
import { loadSentenceEmbedder, loadSentimentModel } from "../../../model/files/encoder_folder.ts";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { writeSafetensors } from "../../../model/files/safetensors_write.ts";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices, testOnWebGpu } from "../../_devices.ts";
import { modelFolder, readFixture } from "../../_fixtures.ts";

interface Facts {
  texts: string[];
  ids: Record<string, number[][]>;
}
const { facts: { texts, ids }, tensors } = await readFixture<Facts>("encoders");
const rowOf = (name: string, i: number, width: number) =>
  tensors.get(name)!.subarray(i * width, (i + 1) * width);

/** Last hidden states of the real rows of `texts`, one text after another. */
async function hiddenStates(device: Device, name: string): Promise<Float32Array> {
  const folder = modelFolder(name);
  const config = parseEncoderConfig(JSON.parse(await Deno.readTextFile(`${folder}/config.json`)));
  const { dims } = config, { C } = dims;
  const reader = new TextReader(await loadTokenizer(folder), dims.P);
  using scope = new Scope(device);
  using file = await openSafetensors(`${folder}/model.safetensors`);
  const weights = await readEncoderWeights(scope, file, config);
  const states: Float32Array[] = [];
  for (const { which, ...batch } of textBatches(texts.map((text) => reader.read(text)))) {
    const { hidden } = encode(device, { weights, dims, memory: scope }, batch);
    const [rows] = await device.read(hidden) as FloatArray[];
    which.forEach((i, b) => {
      const from = b * batch.T * C;
      states[i] = Float32Array.from(rows.subarray(from, from + batch.lengths[b] * C));
    });
  }
  return Float32Array.from(states.flatMap((state) => [...state]));
}

/** A copy of a fixture folder that a test may spoil; `config` is merged into its config.json. */
async function copyOf(name: string, config: Record<string, unknown> = {}) {
  const folder = await Deno.makeTempDir();
  for await (const { name: file } of Deno.readDir(modelFolder(name))) {
    await Deno.copyFile(`${modelFolder(name)}/${file}`, `${folder}/${file}`);
  }
  const path = `${folder}/config.json`;
  const merged = { ...JSON.parse(await Deno.readTextFile(path)), ...config };
  await Deno.writeTextFile(path, JSON.stringify(merged));
  return {
    folder,
    write: (file: string, text: string) => Deno.writeTextFile(`${folder}/${file}`, text),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

for (const name of ["bert-a", "bert-b", "distilbert-a", "distilbert-b"]) {
  Deno.test(`TextReader gives the ids that Python's tokenizer gives, ${name}`, async () => {
    const { max_position_embeddings: P } = JSON.parse(
      await Deno.readTextFile(`${modelFolder(name)}/config.json`),
    );
    const reader = new TextReader(await loadTokenizer(modelFolder(name)), P);
    assert.deepEqual(texts.map((text) => [...reader.read(text).ids]), ids[name]);
    assert.equal(Math.max(...ids[name].map((row) => row.length)), P, "no text is cut off");
  });

  testOnDevices(`an encoder's hidden states are transformers', ${name}`, async (device) => {
    const got = await hiddenStates(device, name);
    assertClose(got, tensors.get(`${name}.hidden`)!, "hidden", 1e-4);
  });

  testOnDevices(`embed() gives the mean of tokens, of length 1, ${name}`, async (device) => {
    using embedder = await loadSentenceEmbedder(device, modelFolder(name));
    const vectors = await embedder.embed(texts);
    vectors.forEach((vector, i) => {
      assertClose(vector!, rowOf(`${name}.embedding`, i, embedder.dimensions), texts[i], 1e-4);
    });
  });
}

testOnWebGpu("a batch of texts is one submission and one read", async () => {
  using device = await WebGpuDevice.open();
  using embedder = await loadSentenceEmbedder(device, modelFolder("bert-a"));
  const few = texts.filter((text) => text !== "").slice(0, 1), calls = watchCalls(device);
  const [alone] = await embedder.embed(few);
  const { submissions, reads, launches } = calls.take();
  assert.deepEqual({ submissions, reads }, { submissions: 2, reads: 1 }); // the second copies
  assert.ok(launches > 10, `${launches}`);
  assert.deepEqual(await embedder.embed(few), [alone]);
  const { live, programs } = device.memory;
  for (let i = 0; i < 3; i++) await embedder.embed(few);
  assert.deepEqual([device.memory.live, device.memory.programs], [live, programs]);
});

testOnDevices("logits() and score() agree with transformers", async (device) => {
  using model = await loadSentimentModel(device, modelFolder("distilbert-a"));
  const [logits, scores] = await Promise.all([model.logits(texts), model.score(texts)]);
  logits.forEach((row, i) => {
    const [no, yes] = rowOf("distilbert-a.logits", i, 2);
    assertClose(row, [no, yes], texts[i], 1e-4);
    const p = 1 / (1 + Math.exp(no - yes));
    assert.ok(Math.abs(scores[i] - (2 * p - 1)) < 1e-4, `${texts[i]}: ${scores[i]}`);
  });
  assert.ok(Math.min(...scores) < Math.max(...scores) - 0.1, "all texts score alike");
});

Deno.test("score() turns its sign where the first class is the positive one", async () => {
  using device = new CpuDevice();
  await using turned = await copyOf("distilbert-a", { id2label: { 0: "POSITIVE", 1: "NEGATIVE" } });
  using model = await loadSentimentModel(device, modelFolder("distilbert-a"));
  using other = await loadSentimentModel(device, turned.folder);
  const scores = await model.score(texts);
  assert.deepEqual(await other.score(texts), scores.map((score) => -score));
});

Deno.test("embed() gives null where nothing is known, and does not mind its neighbours", async () => {
  using device = new CpuDevice();
  using embedder = await loadSentenceEmbedder(device, modelFolder("bert-a"));
  const [empty, signs, sun, blank] = await embedder.embed(["", "日本 ?", "the sun", " \n"]);
  assert.deepEqual([empty, signs, blank], [null, null, null]);
  const [alone] = await embedder.embed(["the sun"]);
  assertClose(sun!, alone!, "beside longer texts", 1e-6);
  assert.deepEqual(await embedder.embed([]), []);
  const [one, other] = await embedder.embed(["the sun", "the sun"]);
  one![0] = 9; // each text has a vector of its own
  assert.deepEqual(other, alone);
});

Deno.test("embed() calls that overlap do not disturb each other", async () => {
  using device = new CpuDevice();
  using embedder = await loadSentenceEmbedder(device, modelFolder("bert-a"));
  const long = Array.from({ length: 400 }, (_, i) => `${texts[7]} `.slice(i % 50));
  const [many, few] = await Promise.all([embedder.embed(long), embedder.embed(texts)]);
  assert.deepEqual(few, await embedder.embed(texts));
  assert.deepEqual(many[77], (await embedder.embed([long[77]]))[0]);
});

Deno.test("textBatches() puts every text into one batch, short with short, within 4,096 rows", () => {
  const lengths = Array.from({ length: 300 }, (_, i) => 3 + (i * 37) % 200);
  const list = lengths.map((length) => ({ ids: new Int32Array(length).fill(length), known: true }));
  const batches = [...textBatches([...list, { ids: new Int32Array(5000), known: true }])];
  const seen = batches.flatMap(({ which }) => which).sort((a, b) => a - b);
  assert.deepEqual(seen, Array.from({ length: 301 }, (_, i) => i));
  // In the order given, half of all would be padding: 30,000 rows.
  const padding = batches.reduce(
    (sum, { B, T, lengths }) => sum + B * T - lengths.reduce((a, b) => a + b),
    0,
  );
  assert.ok(padding < 6000, `${padding} rows of padding`);
  for (const { B, T } of batches) assert.ok(B === 1 || B * T <= 4096, `${B} of ${T}`);
});

Deno.test("an embedder frees all of its memory", async () => {
  using device = new CpuDevice();
  const before = device.memory.live;
  {
    using embedder = await loadSentenceEmbedder(device, modelFolder("bert-a"));
    await embedder.embed(texts);
    assert.ok(device.memory.live > before);
  }
  assert.equal(device.memory.live, before);
});

Deno.test("max_seq_length of sentence-transformers cuts texts off earlier", async () => {
  using device = new CpuDevice();
  await using short = await copyOf("bert-a");
  await short.write("sentence_bert_config.json", '{"max_seq_length": 4, "do_lower_case": false}');
  using embedder = await loadSentenceEmbedder(device, short.folder);
  const [long, two] = await embedder.embed(["the red sun goes down", "the red"]);
  assert.deepEqual(long, two);
});

Deno.test("files from before 2019 name the layer norm's gain and bias otherwise", async () => {
  using device = new CpuDevice();
  await using old = await copyOf("bert-b");
  const path = `${old.folder}/model.safetensors`;
  const bytes = await Deno.readFile(path);
  const size = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + size))
    .replaceAll(/LayerNorm\.weight"( *)/g, 'LayerNorm.gamma"')
    .replaceAll('LayerNorm.bias"', 'LayerNorm.beta"').padEnd(size);
  assert.ok(header.includes("gamma") && header.length === size);
  bytes.set(new TextEncoder().encode(header), 8);
  await Deno.writeFile(path, bytes);
  using embedder = await loadSentenceEmbedder(device, old.folder);
  const [vector] = await embedder.embed([texts[1]]);
  assertClose(vector!, rowOf("bert-b.embedding", 1, embedder.dimensions), "embedding", 1e-4);
});

/** Puts the tensors of the single file into three, with the index that transformers writes. */
async function spread(folder: string): Promise<Record<string, string>> {
  const weight_map: Record<string, string> = {};
  {
    using file = await openSafetensors(`${folder}/model.safetensors`);
    const all = [...file.entries.values()];
    for (let shard = 0; shard < 3; shard++) {
      const name = `model-0000${shard + 1}-of-00003.safetensors`;
      const tensors = all.filter((_, i) => i % 3 === shard);
      await writeSafetensors(`${folder}/${name}`, {
        tensors,
        data: async function* () {
          for (const tensor of tensors) yield await file.read(tensor.name);
        },
      });
      for (const tensor of tensors) weight_map[tensor.name] = name;
    }
  }
  await Deno.remove(`${folder}/model.safetensors`);
  const index = JSON.stringify({ metadata: {}, weight_map });
  await Deno.writeTextFile(`${folder}/model.safetensors.index.json`, index);
  return weight_map;
}

Deno.test("weights in shards give the same bits, for an embedder and a classifier", async () => {
  using device = new CpuDevice();
  {
    await using copy = await copyOf("bert-b");
    await spread(copy.folder);
    using whole = await loadSentenceEmbedder(device, modelFolder("bert-b"));
    using shards = await loadSentenceEmbedder(device, copy.folder);
    assert.deepEqual(await shards.embed(texts), await whole.embed(texts));
  }
  {
    await using copy = await copyOf("distilbert-a");
    const map = await spread(copy.folder);
    using whole = await loadSentimentModel(device, modelFolder("distilbert-a"));
    using shards = await loadSentimentModel(device, copy.folder);
    assert.deepEqual(await shards.score(texts), await whole.score(texts));
    await Deno.remove(`${copy.folder}/${map["classifier.weight"]}`);
    await assert.rejects(loadSentimentModel(device, copy.folder), {
      name: "NotFound",
      message: /its shard model-0000.-of-00003.safetensors is missing/,
    });
  }
  assert.equal(device.memory.live, 0);
});

const PICKLED = [
  ["bert-a", loadSentenceEmbedder, "AutoModel"],
  ["distilbert-a", loadSentimentModel, "AutoModelForSequenceClassification"],
] as const;

Deno.test("a folder that cannot be used says why", async () => {
  using device = new CpuDevice();
  const refuses = async (
    error: RegExp,
    name: string,
    config: Record<string, unknown>,
    files: Record<string, string | null> = {},
    load: (device: Device, folder: string) => Promise<unknown> = loadSentenceEmbedder,
  ) => {
    await using copy = await copyOf(name, config);
    for (const [file, text] of Object.entries(files)) {
      if (text === null) await Deno.remove(`${copy.folder}/${file}`);
      else {
        await Deno.mkdir(`${copy.folder}/1_Pooling`, { recursive: true });
        await copy.write(file, text);
      }
    }
    await assert.rejects(load(device, copy.folder), error);
  };
  await refuses(/model_type is "gpt2"/, "bert-a", { model_type: "gpt2" });
  await refuses(/hidden_act is "relu"/, "bert-a", { hidden_act: "relu" });
  await refuses(/divisible by the number of heads: 24 and 5/, "bert-a", { num_attention_heads: 5 });
  await refuses(/position_embeddings.weight is \(24,24\), not \(25,24\)/, "bert-a", {
    max_position_embeddings: 25,
  });
  await refuses(/has no config.json/, "bert-a", {}, { "config.json": null });
  await refuses(/as it has no model.safetensors$/, "bert-a", {}, { "model.safetensors": null });
  for (const [name, load, auto] of PICKLED) {
    await refuses(
      new RegExp(`pickled pytorch_model.bin.* Convert it once, .* import ${auto} as M; `),
      name,
      {},
      { "model.safetensors": null, "pytorch_model.bin": "" },
      load,
    );
  }
  await refuses(/vocabulary has \[SEP\]/, "bert-a", {}, {
    "tokenizer.json": (await Deno.readTextFile(`${modelFolder("bert-a")}/tokenizer.json`))
      .replaceAll('"[SEP]"', '"[END]"'),
  });
  await refuses(
    /only the mean of tokens is implemented: it has pooling_mode_cls_token/,
    "bert-a",
    {},
    {
      "1_Pooling/config.json":
        '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}',
    },
  );
  await refuses(/max_seq_length must be at least 3: it is 2/, "bert-a", {}, {
    "sentence_bert_config.json": '{"max_seq_length": 2}',
  });
  await refuses(
    /must be a DistilBERT: its model_type is bert/,
    "bert-a",
    {},
    {},
    loadSentimentModel,
  );
  await refuses(
    /classifier.weight \(2,18\) is missing/,
    "distilbert-b",
    {},
    {},
    loadSentimentModel,
  );
  await refuses(
    /must have 2 classes: it has 3/,
    "distilbert-a",
    {
      id2label: { 0: "a", 1: "b", 2: "c" },
    },
    {},
    loadSentimentModel,
  );
  assert.equal(device.memory.live, 0);
});
