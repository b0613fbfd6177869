/** Models whose matrices are stored as f16. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Device } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { parseEncoderConfig } from "../../model/encoder/config.ts";
import { readEncoderWeights } from "../../model/encoder/weights.ts";
import { loadSentenceEmbedder, loadSentimentModel } from "../../model/files/encoder_folder.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { openSafetensors } from "../../model/files/safetensors.ts";
import { loadTokenizer } from "../../model/files/tokenizer_file.ts";
import { generate } from "../../model/generation/generate.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { valueHeadIn } from "../../model/layers/head.ts";
import { layoutParameters, type MatrixDtype } from "../../model/layout.ts";
import { ParameterBuffers } from "../../model/params.ts";
import { Pass } from "../../model/pass.ts";
import { languageModelRows, responseRows } from "../../model/rows.ts";
import { Workspace } from "../../model/workspace.ts";
import { testOnDevices } from "../_devices.ts";
import { modelFolder as fixture } from "../_fixtures.ts";
import { TINY } from "../../model/hub/shipped.ts";
import { randomModel, roundMatrices, SMALL, SMALL_NEO, wave } from "./_model.ts";

const rows = languageModelRows([[1, 2, 3, 4, 5, 6], [7, 8], [9, 10, 0, 1]]);
/** Widths of whole fours, a head of its own. */
const WIDE = { ...SMALL, vocab_size: 28, n_embd: 8, n_inner: 12, tie_word_embeddings: false };
const frozen = (matrixDtype?: MatrixDtype): Gpt2Options => ({ frozen: true, matrixDtype });

/** A model of f16 matrices, and the f32 model that holds the same numbers. */
async function twins(device: Device, config: object): Promise<[half: Gpt2, same: Gpt2]> {
  const half = randomModel(device, config, frozen("f16"));
  const same = randomModel(device, config, frozen());
  await roundMatrices(same.weights);
  return [half, same];
}

const CONFIGS = { small: SMALL, wide: WIDE, neo: SMALL_NEO };
for (const [name, config] of Object.entries(CONFIGS)) {
  testOnDevices(`f16 matrices give what f32 gives for their numbers, ${name}`, async (device) => {
    const [half, same] = await twins(device, config);
    assert.deepEqual(await half.logits(rows), await same.logits(rows));
    assert.deepEqual(await half.evaluate(rows), await same.evaluate(rows));
    using full = randomModel(device, config, frozen());
    assert.notDeepEqual(await half.logits(rows), await full.logits(rows), "nothing was rounded");
    const prompts = [[1, 2, 3], [4]].map((ids) => Int32Array.from(ids));
    const options = { maxNewTokens: 5, temperature: 1, greedy: true, seed: 0, eos: null };
    const { responses } = await generate(half, prompts, options);
    assert.deepEqual(responses, (await generate(same, prompts, options)).responses);
    assert.deepEqual(responses.map(({ length }) => length), [5, 5]);
    for (const model of [half, same]) model[Symbol.dispose]();
  });

  testOnDevices(`gradients flow through f16 matrices, ${name}`, async (device) => {
    using model = randomModel(device, config);
    const { dims } = model, R = rows.index.length;
    const run = async (matrixDtype: MatrixDtype) => {
      using scope = new Scope(device);
      using workspace = new Workspace(device);
      const layout = (dtype?: MatrixDtype) =>
        layoutParameters(model.config, device.limits, { valueHead: true, matrixDtype: dtype });
      const weights = new ParameterBuffers(scope, layout(matrixDtype), "weight");
      const gradients = new ParameterBuffers(scope, layout(), "gradient");
      for await (const [{ name }, data] of model.weights.read()) {
        device.write(weights.get(name), data);
      }
      const values = valueHeadIn(weights);
      const parts = { device, workspace, dims, weights, values, gradients, recompute: false };
      const shape = { B: rows.B, T: rows.T, R, temperature: 1 };
      using pass = new Pass({ ...parts, chunkBytes: 2 ** 20 }, shape);
      pass.forward(rows);
      pass.backward({ dlogprob: wave(R), dentropy: wave(R, 2), dvalue: wave(R, 3) });
      const found: Record<string, number[]> = {};
      for await (const [{ name }, data] of gradients.read()) found[name] = [...data];
      return found;
    };
    await roundMatrices(model.weights);
    const [want, got] = [await run("f32"), await run("f16")];
    assert.ok(Object.values(want).every((data) => data.some((x) => x !== 0)));
    assert.deepEqual(got, want);
  });
}

testOnDevices("f16 matrices take half the memory", (device) => {
  const config = { ...WIDE, vocab_size: 600, n_embd: 64, n_inner: 256 };
  const bytes = (matrixDtype: MatrixDtype): number => {
    const before = device.memory.live;
    using _model = Gpt2.create(device, config, frozen(matrixDtype));
    return device.memory.live - before;
  };
  const [full, half] = [bytes("f32"), bytes("f16")];
  const vectors = 4 * (2 * (12 * 64 + 256 - 64) + 2 * 64); // norms and biases stay f32
  assert.ok(Math.abs(half - (full + vectors) / 2) < 0.005 * full, `${full} became ${half} bytes`);
});

testOnDevices("an F16 file goes into f16 matrices, and out again, bit for bit", async (device) => {
  const folder = await Deno.makeTempDir();
  try {
    using model = randomModel(device);
    await saveGpt2(model, `${folder}/a`, { dtype: "F16" });
    using half = await loadGpt2(device, `${folder}/a`, { ...frozen("f16"), valueHead: true });
    using file = await openSafetensors(`${folder}/a/model.safetensors`);
    for await (const [{ name, dtype }, data] of half.weights.read()) {
      if (dtype === "f32") continue;
      assert.deepEqual([...data], [...await file.read(`transformer.${name}`)], name);
    }
    await saveGpt2(half, `${folder}/b`, { dtype: "F16" });
    using copy = await openSafetensors(`${folder}/b/model.safetensors`);
    for (const [name, { dtype }] of file.entries) {
      assert.equal(dtype, "F16");
      assert.deepEqual(await copy.read(name), await file.read(name), name);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testOnDevices("frozenCopy() stores the reference as asked", async (device) => {
  using model = randomModel(device);
  using copy = await model.frozenCopy({ matrixDtype: "f16" });
  using again = await copy.frozenCopy();
  using full = await model.frozenCopy();
  const types = [copy, again, full].map(({ weights }) => weights.get("wte.weight").dtype);
  assert.deepEqual(types, ["f16", "f16", "f32"]);
  assert.deepEqual(await full.evaluate(rows), await model.evaluate(rows));
  await roundMatrices(model.weights);
  assert.deepEqual(await again.evaluate(rows), await model.evaluate(rows));
  assert.deepEqual(await copy.evaluate(rows), await model.evaluate(rows));
});

testOnDevices(
  "a weight beyond f16 is refused by name, and all memory is given back",
  async (device) => {
    using model = randomModel(device);
    const name = "h.1.mlp.c_fc.weight", data = new Float32Array(60).fill(1);
    data[7] = 1e5;
    device.write(model.weights.get(name), data);
    const before = device.memory.live;
    await assert.rejects(
      () => model.frozenCopy({ matrixDtype: "f16" }),
      new RangeError(
        `Cannot write weight ${name} as f16 holds numbers up to 65504: element 7 is 100000; ` +
          "store it as f32",
      ),
    );
    assert.equal(device.memory.live, before);
  },
);

Deno.test("a model of f16 matrices cannot be trained", () => {
  using device = new CpuDevice();
  assert.throws(
    () => Gpt2.create(device, SMALL, { matrixDtype: "f16" }),
    new TypeError(
      "Cannot train weights as they must be stored as f32: these are f16; leave out matrixDtype, " +
        "or freeze the model",
    ),
  );
  assert.equal(device.memory.live, 0);
});

testOnDevices("rounding to f16 moves log-probabilities by less than 0.01 nats", async (device) => {
  const folder = fileURLToPath(TINY);
  using full = await loadGpt2(device, folder, frozen());
  using exact = await full.frozenCopy({ matrixDtype: "f16" });
  const tokenizer = await loadTokenizer(folder);
  const prompts = ["The color of the sea is", "Two plus three is"].map((x) => tokenizer.encode(x));
  const responses = [" blue and green.", " five"].map((x) => tokenizer.encode(x));
  const batch = responseRows({ prompts, responses });
  assert.deepEqual(await exact.evaluate(batch), await full.evaluate(batch)); // its file is F16
  for await (const [{ name }, data] of full.weights.read()) { // numbers that f16 lacks, as training gives
    device.write(full.weights.get(name), data.map((x, i) => x * (1 + 1e-3 * Math.sin(i))));
  }
  using half = await full.frozenCopy({ matrixDtype: "f16" });
  const [a, b] = [await full.evaluate(batch), await half.evaluate(batch)];
  const worst = Math.max(...a.logprob.map((x: number, r: number) => Math.abs(x - b.logprob[r])));
  assert.ok(worst > 0 && worst < 0.01, `${worst} nats`);
});

Deno.test("an encoder's matrices and embeddings are f16 where asked, its vectors f32", async () => {
  using device = new CpuDevice();
  using scope = new Scope(device);
  const folder = fixture("distilbert-a");
  const config = parseEncoderConfig(JSON.parse(await Deno.readTextFile(`${folder}/config.json`)));
  const options = { classes: 2, matrixDtype: "f16" } as const;
  using file = await openSafetensors(`${folder}/model.safetensors`);
  const weights = await readEncoderWeights(scope, file, config, options);
  const { token, position, norm, layers, classifier } = weights;
  const matrices = [token, position, classifier!.before.weight, classifier!.last.weight];
  const vectors = [norm.weight, norm.bias, classifier!.before.bias, classifier!.last.bias];
  for (const { norm1, norm2, ...linear } of layers) {
    vectors.push(norm1.weight, norm1.bias, norm2.weight, norm2.bias);
    for (const { weight, bias } of Object.values(linear)) {
      matrices.push(weight);
      vectors.push(bias);
    }
  }
  for (const { label, dtype } of matrices) assert.equal(dtype, "f16", label);
  for (const { label, dtype } of vectors) assert.equal(dtype, "f32", label);
});

testOnDevices("encoders with f16 matrices agree with f32 and take less", async (device) => {
  const texts = ["the sun", "a red apple and some fruit", "the the the"];
  const open = async <M extends Disposable>(
    load: (matrixDtype: MatrixDtype) => Promise<M>,
  ): Promise<[full: M, half: M]> => {
    const start = device.memory.live;
    const full = await load("f32"), between = device.memory.live, half = await load("f16");
    assert.ok(device.memory.live - between < 0.8 * (between - start), "it takes no less");
    return [full, half];
  };
  const [a, b] = await open((matrixDtype) =>
    loadSentenceEmbedder(device, fixture("bert-a"), { matrixDtype })
  );
  const [want, got] = [await a.embed(texts), await b.embed(texts)];
  want.forEach((vector, i) => {
    const cosine = vector!.reduce((sum, x, c) => sum + x * got[i]![c], 0);
    assert.ok(cosine > 0.99999, `${texts[i]}: ${cosine}`);
  });
  assert.notDeepEqual(got, want);
  const [c, d] = await open((matrixDtype) =>
    loadSentimentModel(device, fixture("distilbert-a"), { matrixDtype })
  );
  const [full, half] = [await c.score(texts), await d.score(texts)];
  full.forEach((x, i) => assert.ok(Math.abs(x - half[i]) < 2e-3, `${texts[i]}: ${x}, ${half[i]}`));
  assert.notDeepEqual(half, full);
  for (const model of [a, b, c, d]) model[Symbol.dispose]();
});
