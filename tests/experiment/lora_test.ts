/** Runs that train an adapter. @module */
import { loadModel } from "../../model/hub/load.ts";
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { completeText } from "../../experiment/complete.ts";
import { planTask } from "../../experiment/plan.ts";
import { Trainer } from "../../rl/trainer.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { Recorder, stopAndResume, writeSmallModel } from "./_model.ts";
import { testOnKinds } from "../_devices.ts";

const settings = {
  ...{ batchSize: 6, minibatches: 2, epochs: 2, learningRate: 1e-2 },
  ...{ loraRank: 3, loraAlpha: 6, loraTargets: "attn.c_attn,c_proj" },
};

/** Gives `body` a folder with a small model in `model`, and takes it away again. */
async function inFolder(body: (folder: string, request: TrainRequest) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/model`);
    await writeSmallModel(`${folder}/model`);
    const model = `${folder}/model`;
    await body(folder, { task: "colors", model, steps: 3, seed: 2, settings, device: "cpu" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string): Promise<string[]> =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

testOnKinds(
  "a fresh adapter on every map has no KL, to the bit; then it learns",
  (device) =>
    inFolder(async (folder, request) => {
      const run = new Recorder(folder);
      const all = { ...settings, loraTargets: "all-linear" };
      await trainTask({ ...request, device, steps: 2, settings: all }, run);
      assert.equal(run.rows[0]["kl/reference"], 0);
      assert.notEqual(run.rows[1]["kl/reference"], 0);
    }),
);

Deno.test("a run with an adapter, stopped and resumed, ends as one that was not", () =>
  inFolder(async (folder, request) => {
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(request, whole);
    const { first, second } = await stopAndResume(request, folder);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
    assert.deepEqual(second.summary!.heldout, whole.summary!.heldout);
    const files = await names(whole.checkpoints.at(-1)!);
    assert.deepEqual(files, [
      "adapter_config.json",
      "adapter_model.safetensors",
      "optimizer.safetensors",
      "tokenizer.json",
      "trainer.json",
      "value_head.safetensors",
    ]);
    for (const file of files.filter((name) => name !== "trainer.json")) { // that has times
      assert.deepEqual(
        await Deno.readFile(`${second.checkpoints.at(-1)}/${file}`),
        await Deno.readFile(`${whole.checkpoints.at(-1)}/${file}`),
        file,
      );
    }
  }));

Deno.test("a checkpoint of an adapter names its base, completes prompts and begins a full run", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(`${folder}/run`);
    const { heldout } = await trainTask({ ...request, steps: 2 }, run);
    const checkpoint = run.checkpoints.at(-1)!;
    const config = JSON.parse(await Deno.readTextFile(`${checkpoint}/adapter_config.json`));
    assert.equal(config.base_model_name_or_path, await Deno.realPath(`${folder}/model`));
    assert.deepEqual(config.target_modules, ["attn.c_attn", "c_proj"]);
    const rows = run.completions.filter(({ phase, split }) =>
      phase === "after" && split === "heldout"
    );
    const asked = { tokens: 4, temperature: 0, samples: 1, seed: 1, device: "cpu" } as const;
    for (const { prompt, completion } of rows.slice(0, 3)) {
      const { completions: [text] } = await completeText({ ...asked, prompt, model: checkpoint });
      assert.ok(text.startsWith(completion), `${text} after ${prompt}`);
    }
    const full = new Recorder(`${folder}/full`);
    const whole = { ...settings, loraRank: 0 };
    const summary = await trainTask(
      { ...request, steps: 1, model: checkpoint, settings: whole },
      full,
    );
    assert.equal(summary.heldout.before.exact, heldout.after.exact);
    assert.ok(Math.abs(summary.heldout.before.reward - heldout.after.reward) < 1e-6);
    assert.equal(full.rows[0]["kl/reference"], 0, "the reference has the adapter too");
    assert.ok((await names(full.checkpoints.at(-1)!)).includes("model.safetensors"));
    const refused: [object, RegExp][] = [
      [
        settings,
        /Cannot start from the adapter .*step-2 with loraRank=3 .*deno task export writes/,
      ],
      [
        { ...whole, frozenDtype: "f16" },
        /adapter .*step-2 with frozenDtype=f16 .*leave out frozen/,
      ],
    ];
    for (const [settings, message] of refused) {
      const asked = { ...request, model: checkpoint, settings } as TrainRequest;
      await assert.rejects(() => trainTask(asked, new Recorder(folder)), {
        name: "TypeError",
        message,
      });
      await assert.rejects(() => planTask(asked), { name: "TypeError", message });
    }
    const tight = { ...request, model: checkpoint, settings: whole, memory: 1e-5 };
    assert.deepEqual((await planTask(tight)).least!.settings, {
      recompute: true,
      microbatchRows: 1,
    });
    await assert.rejects(
      () => trainTask({ ...request, settings: whole, resume: checkpoint }, new Recorder(folder)),
      /as the run trains all weights: it holds an adapter; name a checkpoint of the run/,
    );
    const plain = new Recorder(`${folder}/plain`);
    await trainTask({ ...request, steps: 1, settings: whole }, plain);
    await assert.rejects(
      () => trainTask({ ...request, resume: plain.checkpoints.at(-1)! }, new Recorder(folder)),
      /as the run trains an adapter: it holds no adapter/,
    );
    const { source } = full.info!;
    assert.deepEqual(source.base?.kind === "folder" && Object.keys(source.base.sha256), [
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    await Deno.writeTextFile(`${folder}/model/config.json`, "\n", { append: true });
    await assert.rejects(
      () => trainTask({ ...request, settings: whole, resume: full.checkpoints.at(-1)! }, run),
      /the run began with other files: its base's config\.json changed since/,
    );
  }));

for (
  const [change, message] of [
    [
      { loraTargets: "q_proj" },
      /targets must mean a linear layer: \["q_proj"\] means none of attn/,
    ],
    [{ loraRank: 2.5 }, /a run with ppo as loraRank must be a whole number.*: it is 2\.5/],
    [{ loraAlpha: 0 }, /a run with ppo as loraAlpha must be above 0: it is 0/],
  ] as const
) {
  Deno.test(`trainTask() refuses ${JSON.stringify(change)}`, () =>
    inFolder(async (folder, request) => {
      const wrong = { ...request, settings: { ...settings, ...change } };
      await assert.rejects(() => trainTask(wrong, new Recorder(folder)), {
        name: "RangeError",
        message,
      });
    }));
}

Deno.test("all-linear adapts every layer; a policy without adapter needs a reference", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(folder);
    const all = { ...settings, loraTargets: "all-linear" };
    await trainTask({ ...request, steps: 1, settings: all }, run);
    using device = new CpuDevice();
    using model = await loadModel(device, run.checkpoints.at(-1)!, { frozen: true });
    assert.deepEqual(model.adapter!.modules.map(({ module }) => module.linear), [
      "attn.c_attn",
      "attn.c_proj",
      "mlp.c_fc",
      "mlp.c_proj",
    ]);
    using plain = await loadModel(device, `${folder}/model`);
    assert.throws(
      () => new Trainer(new LanguagePolicy({ model: plain }, null)),
      /compares the policy with a frozen reference: this policy has none/,
    );
  }));
