import assert from "node:assert/strict";
import { documentBatches } from "../../../experiment/pretraining/batches.ts";
import { pretrain, type PretrainStep } from "../../../experiment/pretraining/pretrain.ts";
import { RECIPE } from "../../../experiment/pretraining/recipe.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadModel, loadTokenizer } from "../../../model/hub/load.ts";

const END = 9;
const documentOf = (
  length: number,
) => [...Array.from({ length: length - 1 }, (_, i) => i % END), END];

Deno.test("documentBatches() puts every document once into the narrowest width that holds it", () => {
  const lengths = [17, 18, 2, 25, 17, 33, 17, 17, 90, 17];
  const stream = Uint32Array.from(lengths.flatMap(documentOf));
  const batches = documentBatches(stream, { end: END, batch: 1, length: 32 });
  // Width 16 takes documents of up to 17 tokens, of which the last is only asked about; two fill a batch.
  assert.deepEqual(
    batches.map((rows) => rows.map(({ length }) => length)),
    [
      [17, 2],
      [18, 25],
      [33],
      [17, 17],
      [33], // 90 is cut into 33, 33 and 24, which waits for another
      [33],
      [17, 17],
    ],
  );
  for (const row of batches.flat()) assert.ok(row.length >= 2 && row.length <= 33);
});

const small = {
  characters: 30_000,
  vocabulary: 400,
  config: { ...RECIPE.config, n_embd: 16, n_layer: 1, n_head: 2 },
};

Deno.test("pretrain() learns, writes a folder that loads, and resumes to the same bytes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const request = { steps: 12, batch: 1, device: "cpu" as const, recipe: small };
    const seen: PretrainStep[] = [];
    const whole = `${folder}/whole`, cut = `${folder}/cut`;
    const began = performance.now();
    const result = await pretrain({ ...request, out: whole }, (step) => seen.push(step));
    const took = (performance.now() - began) / 1000;
    assert.deepEqual(seen.map(({ step }) => step), Array.from({ length: 12 }, (_, i) => i + 1));
    assert.ok(seen.at(-1)!.loss < seen[0].loss, `${seen[0].loss} to ${seen.at(-1)!.loss}`);
    const losses = seen.map(({ loss }) => loss);
    assert.equal(result.lastLoss, losses.at(-1));
    assert.equal(result.recentLoss, losses.reduce((sum, x) => sum + x) / 12);
    assert.deepEqual([result.lossOver, result.steps], [12, 12]);
    assert.equal(result.tokens, seen.reduce((sum, { tokens }) => sum + tokens, 0));
    assert.ok(result.heldoutLoss > 0);
    // All of the time is told, corpus and tokenizer too: rounded to a tenth of a second.
    assert.ok(Math.abs(result.seconds - took) <= 0.06, `${result.seconds} s of ${took}`);
    const weights = await Deno.readFile(`${whole}/model.safetensors`);
    await assert.rejects(
      () => pretrain({ ...request, out: whole }),
      /^Error: Cannot write .*whole as it is not empty\. Choose another folder with --out, or remove/,
    );
    assert.deepEqual(await Deno.readFile(`${whole}/model.safetensors`), weights);
    await assert.rejects(
      () => pretrain({ ...request, out: whole, resume: true }),
      /whole is finished: it is a model, for --model/,
    );
    const names = [
      "config.json",
      "generation_config.json",
      "loss.csv",
      "model.safetensors",
      "tokenizer.json",
    ];
    const left = (await Array.fromAsync(Deno.readDir(whole))).map(({ name }) => name);
    assert.deepEqual(left.sort(), [...names, "tokenizer_config.json"]);
    const stopper = new AbortController();
    await assert.rejects(
      () =>
        pretrain({ ...request, out: cut }, ({ step }) => {
          if (step === 5) stopper.abort(new Error("stop"));
        }, stopper.signal),
      /^Error: stop$/,
    );
    await assert.rejects(() => pretrain({ ...request, out: cut }), /or continue with --resume/);
    const state = JSON.parse(await Deno.readTextFile(`${cut}/checkpoint-5/pretrain.json`));
    const told = { ...state, seconds: 1000 };
    await Deno.writeTextFile(`${cut}/checkpoint-5/pretrain.json`, JSON.stringify(told));
    const { seconds } = await pretrain({ ...request, out: cut, resume: true });
    assert.ok(state.seconds > 0 && seconds > 1000, `${state.seconds} s, then ${seconds} s`);
    for (const name of names) {
      assert.deepEqual(
        await Deno.readFile(`${cut}/${name}`),
        await Deno.readFile(`${whole}/${name}`),
        name,
      );
    }
    using device = new CpuDevice();
    using model = await loadModel(device, whole);
    const tokenizer = await loadTokenizer(whole, { modelVocab: model.config.vocab_size });
    assert.equal(tokenizer.decode(tokenizer.encode("red and blue")), "red and blue");
    await assert.rejects(
      () => pretrain({ ...request, out: `${folder}/none`, resume: true }),
      /holds no checkpoint: start without --resume/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
