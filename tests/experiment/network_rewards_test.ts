/** Rewards that hold a network, or ask the run's own models: perplexity, sentiment, word vectors of a file. */
import assert from "node:assert/strict";
import { planTask } from "../../experiment/plan.ts";
import { openRewards } from "../../experiment/rewards.ts";
import { trainTask } from "../../experiment/train.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { loadSentimentModel } from "../../model/files/encoder_folder.ts";
import { loadModel, loadTokenizer } from "../../model/hub/load.ts";
import { scoreTexts } from "../../model/text_scorer.ts";
import { colors } from "../../tasks/colors.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { modelFolder, readFixture } from "../_fixtures.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, stopAndResume, writeSmallModel } from "./_model.ts";

const SETTINGS = { batchSize: 6, learningRate: 1e-2, microbatchRows: 4, maxNewTokens: 4 };

/** A small model in `folder`, and a request for `steps` steps by perplexity. */
const inFolder = (body: (folder: string, model: string) => Promise<void>) =>
  withFolder(async (folder) => {
    const model = `${folder}/model`;
    await Deno.mkdir(model);
    await writeSmallModel(model);
    await body(folder, model);
  });

const batchOf = (prompts: string[], completions: string[]) => ({
  prompts,
  completions,
  examples: prompts.map((prompt, i) => ({ id: `${i}`, prompt })),
});

testOnDevices(
  "perplexity by a named model is what the model says of the tokens",
  (device) =>
    inFolder(async (_folder, folder) => {
      const disposables = new DisposableStack();
      const settings = { perplexityModel: folder, perplexityScale: 30 };
      const place = { settings, device, disposables };
      const rewards = await openRewards(colors(), "perplexity,exact:0", place);
      const texts = {
        prompts: ["red and", "red and", "x"],
        completions: [" blue", "", "\ud83d\0 ¿"],
      };
      const { scores, total } = await rewards.breakdown(batchOf(texts.prompts, texts.completions));
      using model = await loadModel(device, folder, { frozen: true });
      const tokenizer = await loadTokenizer(folder);
      const said = await scoreTexts(model, tokenizer, texts);
      const want = said.map(({ sum, tokens }) => 2 / (1 + Math.exp(sum / tokens) / 30));
      assert.equal(scores.perplexity[1], null);
      assert.equal(total[1], null);
      assertClose([scores.perplexity[0]!, scores.perplexity[2]!], [want[0], want[2]], "R", 1e-6);
      assert.equal(rewards.takeCounts()["perplexity/unscored"], 1);
      const alone = { ...settings, perplexityContext: "alone" };
      const other = await openRewards(colors(), "perplexity", { ...place, settings: alone });
      const values = await other.score(batchOf(["red", "blue"], ["one word", "one word"]));
      assert.equal(values[0], values[1], "the prompt plays no part");
      const { live } = device.memory;
      disposables.dispose();
      assert.ok(device.memory.live < live);
    }),
);

/** What a run by perplexity told of its drawn completions. */
async function rewardsOf(
  folder: string,
  request: Parameters<typeof trainTask>[0],
): Promise<{ run: Recorder; drawn: Recorder["completions"] }> {
  const run = new Recorder(folder);
  await trainTask(request, run);
  return { run, drawn: run.completions.filter(({ phase }) => phase === "train") };
}

/** Rewards of completions by the model in `from`, at scale 50. */
async function scored(from: string, rows: Recorder["completions"]): Promise<(number | null)[]> {
  using device = new CpuDevice();
  const settings = { perplexityModel: from };
  const rewards = await openRewards(colors(), "perplexity", { settings, device });
  return await rewards.score(
    batchOf(rows.map(({ prompt }) => prompt), rows.map(({ completion }) => completion)),
  );
}

const assertSame = (got: (number | null)[], want: (number | null)[], atol: number) => {
  assert.deepEqual(got.map((x) => x === null), want.map((x) => x === null));
  assertClose(got.map((x) => x ?? 0), want.map((x) => x ?? 0), "rewards", atol);
};

const VARIANTS: [string, Record<string, string | number | boolean>][] = [
  ["the run's reference", {}],
  ["a copy of its own", { klControl: "fixed", klCoefficient: 0 }],
  ["a copy, as the run's moves", { klCoefficient: 0.1, klControl: "fixed", referenceSync: 1 }],
  ["the model without its adapter", { loraRank: 2 }],
  ["no shared beginnings", { sharePrefixes: "off" }],
];

for (const [what, more] of VARIANTS) {
  Deno.test(`perplexity by the reference, ${what}, is that of the model as the run began`, () =>
    inFolder(async (folder, model) => {
      const request = {
        task: "colors",
        reward: "perplexity",
        model,
        steps: 2,
        device: "cpu",
      } as const;
      const settings = { ...SETTINGS, ...more };
      const { drawn, run } = await rewardsOf(folder, { ...request, settings });
      assert.equal(drawn.length, 12);
      const want = await scored(model, drawn);
      assert.ok(want.some((x) => x !== null));
      assertSame(drawn.map(({ reward }) => reward), want, 1e-5);
      assert.equal(run.info!.config.perplexityModel, "reference");
      assert.equal(run.rows[0]["rewards/perplexity/cut"], 0);
    }));
}

for (const more of [{}, { loraRank: 2 }] as Record<string, number>[]) {
  Deno.test(`perplexity by the policy is that of what learns, as it is then: ${JSON.stringify(more)}`, () =>
    inFolder(async (folder, model) => {
      const settings = { ...SETTINGS, perplexityModel: "policy", ...more };
      const request = {
        task: "colors",
        reward: "perplexity",
        model,
        steps: 2,
        settings,
        saveEvery: 1,
      };
      const { drawn, run } = await rewardsOf(folder, { ...request, device: "cpu" });
      for (const step of [1, 2]) {
        const rows = drawn.filter((row) => row.step === step);
        const want = await scored(run.checkpoints[step - 1], rows); // as it was before the step
        assertSame(rows.map(({ reward }) => reward), want, 1e-4);
      }
      const second = drawn.filter(({ step }) => step === 2);
      const old = await scored(run.checkpoints[0], second);
      const moved = second.some(({ reward }, i) => Math.abs((reward ?? 0) - (old[i] ?? 0)) > 1e-3);
      assert.ok(moved, "the policy did not move: this test shows nothing");
    }));
}

Deno.test("a run by the policy's perplexity goes on as if it had not been stopped", () =>
  inFolder(async (folder, model) => {
    const settings = { ...SETTINGS, perplexityModel: "policy" };
    const request = { task: "colors", reward: "perplexity,exact:0", model, steps: 4, settings };
    const whole = new Recorder(`${folder}/whole`);
    await trainTask({ ...request, device: "cpu" }, whole);
    const { first, second } = await stopAndResume({ ...request, device: "cpu" }, folder);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
  }));

const HELD: Record<string, string | number>[] = [
  { klControl: "fixed", klCoefficient: 0 },
  {},
  { perplexityModel: "policy" },
];
for (const more of HELD) {
  testOnDevices(
    `a run by perplexity holds what was planned: ${JSON.stringify(more)}`,
    (device) =>
      inFolder(async (folder, model) => {
        const settings = { ...SETTINGS, ...more };
        const request = { task: "colors", reward: "perplexity", model, steps: 2, settings };
        const kind = device.kind === "cpu" ? "cpu" : "webgpu";
        const { total } = await planTask({ ...request, device: kind });
        await trainTask(request, new Recorder(folder), { device });
        assert.equal(device.memory.peak, total);
        assert.equal(device.memory.live, 0, "all of it was given back");
      }),
  );
}

Deno.test("perplexity: a run's models outside of a run, or no model at all, are refused", () =>
  inFolder(async (_folder, model) => {
    using device = new CpuDevice();
    const by = (perplexityModel: string) =>
      openRewards(colors(), "perplexity", { settings: { perplexityModel }, device });
    for (const name of ["policy", "reference"]) {
      await assert.rejects(
        by(name),
        new TypeError(
          `Cannot score perplexity by the ${name} as only a run has one: name a model (perplexityModel), ` +
            "or give openScorer",
        ),
      );
    }
    await assert.rejects(
      by("no/such/folder"),
      /^Error: Cannot score perplexity by the model no\/such\/folder: /,
    );
    await assert.rejects(
      openRewards(colors(), "perplexity", { settings: { perplexityModel: model } }),
      /as a language model needs a device: give one beside it/,
    );
    await Deno.remove(`${model}/model.safetensors`);
    await assert.rejects(by(model), /model\.safetensors/);
  }));

testOnDevices("sentiment by a DistilBERT is 2p - 1 of transformers' logits", async (device) => {
  const { facts: { texts }, tensors } = await readFixture<{ texts: string[] }>("encoders");
  const logits = tensors.get("distilbert-a.logits")!;
  const settings = { sentimentModel: modelFolder("distilbert-a") };
  const rewards = await openRewards(colors(), "sentiment", { settings, device });
  const got = await rewards.score(batchOf(texts.map(() => "a prompt"), texts));
  const want = texts.map((_, i) => {
    const [a, b] = [logits[2 * i], logits[2 * i + 1]];
    return 2 / (1 + Math.exp(a - b)) - 1;
  });
  assertClose(got as number[], want, "sentiment", 1e-4);
});

testOnDevices("a classifier reserves what its texts then take", async (device) => {
  using model = await loadSentimentModel(device, modelFolder("distilbert-a"));
  model.reserve(5, 4);
  const { live } = device.memory;
  await model.score(["the red sun", "a dull film", "one", "two", "the blue hills"]);
  assert.equal(device.memory.live, live);
});

Deno.test("trainTask() rewards by a lexicon, a classifier, and a file of word vectors", () =>
  inFolder(async (folder, model) => {
    const file = `${folder}/v.txt.gz`;
    const rows = ["red", "blue", "green", "the", "a", "e", "i", "o", "s", "t"]
      .map((word, i) => `${word} ${Math.cos(i)} ${Math.sin(i)}\n`).join("");
    const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(file, packed);
    const run = async (reward: string, more: Record<string, string>) => {
      const recorder = new Recorder(`${folder}/${reward}-${Object.values(more).join().length}`);
      const settings = { ...SETTINGS, ...more };
      await trainTask(
        { task: "colors", reward, model, steps: 1, settings, device: "cpu" },
        recorder,
      );
      return recorder;
    };
    const lexicon = await run("sentiment", {});
    assert.ok(lexicon.rows[0]["rewards/sentiment/neutral"] > 0);
    const classifier = await run("sentiment", { sentimentModel: modelFolder("distilbert-a") });
    assert.notEqual(classifier.rows[0]["rewards/sentiment/std"], 0);
    const vectors = await run("semantic", { semanticEmbedder: file });
    assert.equal(vectors.info!.config.semanticEmbedder, file);
    await assert.rejects(
      run("semantic", { semanticEmbedder: `${folder}/no.txt` }),
      new Error(
        `Cannot read word vectors from ${folder}/no.txt as it must be a file: there is none`,
      ),
    );
  }));
