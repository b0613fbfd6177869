import { loadSentenceEmbedder, loadSentimentModel } from "../../model/files/encoder_folder.ts";
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";

import { tableParent } from "../../rewards/parents/table.ts";
import type { SentimentClassifier, TextEmbedder } from "../../rewards/reward.ts";
import { colors } from "../../tasks/colors.ts";
import { openRewards } from "../../experiment/rewards.ts";
import type { RunSettings } from "../../experiment/settings.ts";
import { trainTask } from "../../experiment/train.ts";
import { testOnDevices } from "../_devices.ts";
import { modelFolder, readFixture } from "../_fixtures.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

const { facts: { texts }, tensors } = await readFixture<{ texts: string[] }>("encoders");
const vectors = tensors.get("bert-a.embedding")!;
const C = vectors.length / texts.length;
const BERT = modelFolder("bert-a");

/** What transformers' vectors make of text i beside text 1. */
function want(i: number): number {
  let cos = 0;
  for (let c = 0; c < C; c++) cos += vectors[C + c] * vectors[i * C + c];
  return ((cos + 1) / 2) ** 4;
}

testOnDevices("a sentence encoder serves the semantic reward", async (device) => {
  const task = { ...colors(), parent: tableParent(new Map([["a", texts[1]]]), "one answer") };
  const rewards = await openRewards(task, "semantic", {
    settings: { semanticEmbedder: BERT },
    device,
  });
  const completions = [...texts, "", "日本"];
  const { total } = await rewards.breakdown({
    prompts: completions.map(() => ""),
    completions,
    examples: completions.map(() => ({ id: "a", prompt: "" })),
  });
  texts.forEach((text, i) => {
    assert.ok(Math.abs(total[i]! - want(i)) < 1e-4, `${text}: ${total[i]}, not ${want(i)}`);
  });
  assert.deepEqual(total.slice(texts.length), [0, 0]);
  assert.equal(rewards.takeCounts()["semantic/out_of_vocabulary"], 2);
  assert.ok(want(3) < 0.9, "the fixture's texts are all alike");
});

Deno.test("encoder and classifier are what rewards ask for", async () => {
  using device = new CpuDevice();
  using encoder = await loadSentenceEmbedder(device, BERT);
  using model = await loadSentimentModel(device, modelFolder("distilbert-a"));
  const [embedder, classifier]: [TextEmbedder, SentimentClassifier] = [encoder, model];
  assert.deepEqual([embedder.name, embedder.dimensions], [BERT, C]);
  assert.equal((await classifier.score(texts)).length, texts.length);
});

Deno.test("trainTask() rewards by a sentence encoder, and says so in its settings", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeSmallModel(folder);
    const run = async (semanticEmbedder: string, more: Partial<RunSettings> = {}) => {
      const settings = { batchSize: 6, maxGradNorm: 1, semanticEmbedder, ...more };
      const place = `${semanticEmbedder.length} ${more.frozenDtype}`;
      const recorder = new Recorder(`${folder}/${place}`);
      const request = { task: "colors", model: folder, steps: 1, settings, device: "cpu" } as const;
      await trainTask(request, recorder);
      assert.equal(recorder.info?.config.semanticEmbedder, semanticEmbedder);
      return recorder.completions.filter(({ phase }) => phase === "train").map((row) => row.reward);
    };
    const [words, sentences] = [await run("words"), await run(BERT)];
    assert.equal(sentences.length, 6);
    assert.notDeepEqual(sentences, words);
    const half = await run(BERT, { frozenDtype: "f16" });
    assert.notDeepEqual(half, sentences); // rounded
    half.forEach((x, i) => assert.ok(Math.abs(x! - sentences[i]!) < 0.01));
    await assert.rejects(
      run("no/such/folder"),
      /sentence encoder no\/such\/folder: .* there is no folder .*no\/such\/folder/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openRewards() refuses an encoder's folder without a device", () =>
  assert.rejects(
    openRewards(colors(), "semantic", { settings: { semanticEmbedder: BERT } }),
    /as a sentence encoder needs a device: give one beside it/,
  ));
