import assert from "node:assert/strict";
import { readTokenizer } from "../../../experiment/folder/pretraining_folder.ts";
import { documentBatches } from "../../../experiment/pretraining/batches.ts";
import { pretrain, type PretrainStep, rateAt } from "../../../experiment/pretraining/pretrain.ts";
import {
  RECIPE,
  recipeOf,
  SMALL,
  type SmallRecipe,
} from "../../../experiment/pretraining/recipe.ts";
import { prepare } from "../../../experiment/pretraining/text.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadModel, loadTokenizer } from "../../../model/hub/load.ts";
import { isUsage } from "../../../base/usage.ts";
import { inTemporary } from "../../_folder.ts";

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
    const request = { steps: 12, batch: 1, device: "cpu" as const, numbers: small };
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

Deno.test("documentBatches() keeps the rest where it is asked to, in smaller batches", () => {
  const stream = Uint32Array.from([17, 17, 25].flatMap(documentOf));
  const of = (rest: boolean) =>
    documentBatches(stream, { end: END, batch: 2, length: 32, rest })
      .map((rows) => rows.map(({ length }) => length));
  assert.deepEqual(of(false), []);
  assert.deepEqual(of(true), [[17, 17], [25]]);
});

Deno.test("a rate grows, stays and falls in the last share of the steps, or follows a cosine", () => {
  const recipe = { ...SMALL, steps: 100, warmup: 9, decay: 0.2, lr: 1, finalLr: 0.1 };
  const rates = Array.from({ length: 101 }, (_, step) => rateAt(recipe, step));
  assert.deepEqual([rates[0], rates[4], rates[9], rates[79]], [0.1, 0.5, 1, 1]);
  assert.ok(Math.abs(rates[90] - 0.55) < 1e-12 && Math.abs(rates[100] - 0.1) < 1e-12);
  assert.equal(rates[80], 1); // the first step of the fall
  // The end moves, and nothing before the fall changes.
  const longer = { ...recipe, steps: 200 };
  assert.deepEqual(
    rates.slice(0, 80),
    Array.from({ length: 80 }, (_, step) => rateAt(longer, step)),
  );
  assert.equal(rateAt(longer, 159), 1);
  assert.ok(rateAt(longer, 161) < 1);
  assert.equal(rateAt({ ...RECIPE, steps: 100, warmup: 0, lr: 1, finalLr: 0 }, 50), 0.5);
});

const lesser = {
  ...small,
  heldoutCharacters: 125,
  evaluateEvery: 2,
  length: 32,
  warmup: 0,
};

inTemporary(
  "of weights measured on the way the best are kept, by text that is never trained on",
  async (folder) => {
    // The rate rises in the second half, so high that what was learned is spoiled.
    const numbers = { ...lesser, lr: 0.01, finalLr: 3, decay: 0.5 };
    const request = { recipe: "small", steps: 12, batch: 1, device: "cpu" as const, numbers };
    const whole = `${folder}/whole`, cut = `${folder}/cut`;
    const result = await pretrain({ ...request, out: whole });
    const rows = (await Deno.readTextFile(`${whole}/heldout.csv`)).trim().split("\n").slice(1)
      .map((line) => line.split(",").map(Number));
    assert.deepEqual(rows.map(([step]) => step), [2, 4, 6, 8, 10, 12]);
    const least = Math.min(...rows.map(([, loss]) => loss));
    assert.equal(result.heldoutStep, rows.find(([, loss]) => loss === least)![0]);
    assert.ok(result.heldoutStep < 12, "the last is not the best");
    assert.ok(Math.abs(result.heldoutLoss - least) < 2e-3, `${result.heldoutLoss} of ${least}`); // F16
    const subjects = result.heldoutLosses;
    const read = Object.entries(SMALL.mixture).filter(([, share]) => share > 0);
    assert.deepEqual(subjects.map(({ subject }) => subject), read.map(([subject]) => subject));
    const tokens = subjects.reduce((sum, { tokens }) => sum + tokens, 0);
    const mean = subjects.reduce((sum, { loss, tokens }) => sum + loss * tokens, 0) / tokens;
    assert.ok(Math.abs(mean - result.heldoutLoss) < 1e-9);
    const kept = prepare({ ...SMALL, ...numbers }).heldout;
    assert.equal(
      tokens,
      kept.reduce((sum, { stream }) => sum + stream.length, 0) - documents(kept),
    );
    const stopper = new AbortController();
    const stopped = pretrain({ ...request, out: cut }, ({ step }) => {
      if (step === 9) stopper.abort(new Error("stop"));
    }, stopper.signal);
    await assert.rejects(stopped, /^Error: stop$/);
    await pretrain({ ...request, out: cut, resume: true });
    for (const name of ["model.safetensors", "heldout.csv", "loss.csv"]) {
      assert.deepEqual(
        await Deno.readFile(`${cut}/${name}`),
        await Deno.readFile(`${whole}/${name}`),
        name,
      );
    }
    const names = (await Array.fromAsync(Deno.readDir(cut))).map(({ name }) => name);
    assert.ok(!names.includes("best") && !names.some((name) => name.startsWith("checkpoint")));
  },
);

/** Of each document the first token is predicted by none. */
const documents = (kept: { stream: Uint32Array }[]): number =>
  kept.reduce((sum, { stream }) => {
    const end = stream.at(-1), lengths: number[] = [];
    for (let start = 0; start < stream.length;) {
      const stop = stream.indexOf(end!, start) + 1;
      lengths.push(stop - start);
      start = stop;
    }
    return sum + lengths.reduce((rows, length) => rows + Math.ceil(length / 33), 0);
  }, 0);

inTemporary(
  "a later stage goes on from weights and tokenizer of the one before, with text of its own",
  async (folder) => {
    const request = { recipe: "small", batch: 1, device: "cpu" as const };
    const first = `${folder}/first`, second = `${folder}/second`;
    const one = await pretrain({
      ...request,
      steps: 8,
      numbers: { ...lesser, lr: 0.01 },
      out: first,
    });
    const numbers = { ...lesser, evaluateEvery: 0, lr: 1e-8, finalLr: 1e-8 };
    const two = await pretrain({
      ...request,
      steps: 1,
      numbers,
      stage: 2,
      from: first,
      out: second,
    });
    // Hardly moved: the held-out losses of stage 1 are measured again, on the same text.
    const again = new Map(two.heldoutLosses.map(({ subject, loss }) => [subject, loss]));
    for (const { subject, loss } of one.heldoutLosses) {
      const later = again.get(subject)!;
      assert.ok(Math.abs(later - loss) < 0.01, `${subject}: ${loss}, ${later}`);
    }
    assert.deepEqual([...again.keys()].slice(-2), ["sums", "echoes"], "what the later stage adds");
    assert.deepEqual(
      await Deno.readFile(`${second}/tokenizer.json`),
      await Deno.readFile(`${first}/tokenizer.json`),
    );
    const tokenizer = await readTokenizer(first);
    const texts = [1, 2].map((stage) =>
      prepare({ ...recipeOf("small", stage), ...lesser, seed: stage } as SmallRecipe, tokenizer)
    );
    assert.notDeepEqual(texts[0].training.slice(0, 500), texts[1].training.slice(0, 500));
    const lengths = texts.map(({ training, heldout }) =>
      heldout.reduce((sum, { stream }) => sum + stream.length, training.length)
    );
    assert.deepEqual([one.corpusTokens, two.corpusTokens], lengths);
    assert.notEqual(lengths[0], lengths[1]);
    const refused = async (
      given: { recipe?: string; stage?: number; from?: string },
      message: RegExp,
    ) => {
      const error = await pretrain({ ...request, ...given, out: `${folder}/none` }).catch((error) =>
        error
      );
      assert.match(`${error}`, message);
      assert.ok(isUsage(error), `${error}`);
      assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).length, 2); // nothing is written
    };
    await refused(
      { stage: 2 },
      /^Error: Cannot pretrain as a stage after the first continues from a model: stage 2 has no --from\./,
    );
    await refused(
      { from: first },
      /^Error: Cannot pretrain as the first stage begins with fresh weights: --from is .*first\. Give --stage 2/,
    );
    await refused(
      { stage: 5, from: first },
      /^Error: Cannot pretrain as the recipe small has stages 1 to 4: it is 5$/,
    );
    await refused(
      { recipe: "smal" },
      /^Error: Cannot pretrain as the recipe is one of tiny, small: it is "smal"\. Did you mean "small"\?$/,
    );
    await assert.rejects(
      pretrain({ ...request, stage: 2, from: `${folder}/gone`, out: `${folder}/none` }),
      /^Error: Cannot load the model .*gone" as it must be "tiny", "small", a folder with/,
    );
    await Deno.writeTextFile(`${first}/tokenizer.json`, "{}");
    await assert.rejects(
      pretrain({ ...request, stage: 2, from: first, out: `${folder}/none` }),
      /^Error: Cannot continue from .*first as its tokenizer must have <\|endoftext\|>: .*json has none$/,
    );
    assert.equal(recipeOf("small", 2).lr, SMALL.stages![0].lr);
    assert.equal(recipeOf("small", 2).vocabulary, 4096);
  },
);
