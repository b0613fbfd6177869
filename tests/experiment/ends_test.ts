/** A run ends its texts where the model's files say, and goes on over rows that no token has. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { openRewards } from "../../experiment/rewards.ts";
import { scoreResponses } from "../../experiment/rollout.ts";
import { trainTask } from "../../experiment/train.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { loadModel, loadTokenizer } from "../../model/hub/load.ts";
import { colors } from "../../tasks/colors.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, stopAndResume } from "./_model.ts";

const TOKENIZER = fileURLToPath(new URL("../fixtures/bpe_tokenizer.json", import.meta.url));
const ENDS = Array.from({ length: 200 }, (_, i) => 20 + i);

/** A random model with 88 rows more than tokens, that ends at any of `ENDS`; never at <|endoftext|>. */
async function writeModel(folder: string): Promise<void> {
  using device = new CpuDevice();
  const sizes = { vocab_size: 600, n_positions: 96, n_embd: 16, n_layer: 1, n_head: 2 };
  const config = { model_type: "gpt2", ...sizes, initializer_range: 0.1, eos_token_id: 511 };
  using model = Gpt2.create(device, config, { seed: 3 });
  await saveGpt2(model, folder, { tokenizer: TOKENIZER });
  const path = `${folder}/generation_config.json`;
  await Deno.writeTextFile(path, JSON.stringify({ eos_token_id: ENDS }));
}

Deno.test("a run ends at the model's ends, draws rows without a token, and resumes over them", () =>
  withFolder(async (folder) => {
    await writeModel(`${folder}/model`);
    const settings = { batchSize: 6, minibatches: 1, epochs: 1, learningRate: 1e-3 };
    const model = `${folder}/model`;
    const request = { task: "colors", model, steps: 4, seed: 2, settings, device: "cpu" } as const;
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(request, whole);
    const { first, second } = await stopAndResume(request, folder);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
    const shares = whole.rows.map((row) => row["tokens/finished_share"]);
    // A third of the rows are ends, and an answer has a few tokens: one end alone would hardly be met.
    assert.ok(shares.reduce((sum, x) => sum + x, 0) / shares.length > 0.4, `${shares}`);
    assert.ok(whole.completions.some(({ completion }) => completion !== ""));
    const saved = JSON.parse(await Deno.readTextFile(`${second.checkpoints[0]}/config.json`));
    assert.deepEqual(saved.eos_token_id, ENDS);
    const generation = await Deno.readTextFile(`${second.checkpoints[0]}/generation_config.json`);
    assert.deepEqual(JSON.parse(generation).eos_token_id, ENDS);
  }));

Deno.test("what is scored is the text before the end, whichever end it is", () =>
  withFolder(async (folder) => {
    await writeModel(folder);
    using device = new CpuDevice();
    using model = await loadModel(device, folder, { frozen: true });
    const tokenizer = await loadTokenizer(folder);
    const policy = new LanguagePolicy({ model });
    assert.deepEqual(policy.eos, ENDS);
    const drawn = await policy.generate(Array(16).fill(tokenizer.encode("red")), {
      ...{ maxNewTokens: 8, temperature: 1, seed: 1, stream: 0 },
    });
    assert.ok(drawn.responses.some((ids) => ids.some((id) => id >= 512)), "a row without a token");
    const task = colors();
    const rewards = await openRewards(task, ["exact"]);
    const [example] = task.examples.train;
    const ids = tokenizer.encode(example.answer!);
    const responses = [20, 219, 220, 599].map((last) => Int32Array.of(...ids, last));
    const rows = await scoreResponses({ tokenizer, eos: policy.eos, rewards }, {
      ...{ examples: responses.map(() => example), responses, step: 1 },
      phase: { phase: "before", split: "train" },
    });
    assert.deepEqual(
      rows.map(({ completion }) => completion),
      [example.answer, example.answer, example.answer + tokenizer.decode([220]), example.answer],
    );
  }));
