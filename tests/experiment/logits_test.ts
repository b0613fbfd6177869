/** Finite weights may have infinite logits: no path draws from them, or learns from them. */
import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { trainTask } from "../../experiment/train.ts";
import type { Device } from "../../kernels/device.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { generate } from "../../model/generation/generate.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { responseRows } from "../../model/rows.ts";
import { testOnDevices } from "../_devices.ts";
import { Recorder, writeSmallModel } from "./_model.ts";
import { randomModel } from "../model/_model.ts";

/** Every weight stays finite. */
async function grow(device: Device, model: Gpt2): Promise<void> {
  for (const [name, factor] of [["ln_f.weight", 1e30], ["wte.weight", 1e15]] as const) {
    const tensor = model.weights.get(name);
    const data = (await device.read(tensor))[0].map((x) => x * factor) as Float32Array<ArrayBuffer>;
    assert.ok(data.every(Number.isFinite));
    device.write(tensor, data);
  }
}

const RULE = "as logits must be finite numbers: ";

testOnDevices("infinite logits are an error of whatever draws or scores", async (device) => {
  using model = randomModel(device);
  await grow(device, model);
  const prompts = [[1, 2, 3], [4]], settings = { maxNewTokens: 2, eos: null };
  const draw =
    `Cannot draw a token ${RULE}those after token 3 of prompt 0 are not; the weights are`;
  for (const filter of [{}, { topK: 3 }, { topP: 0.5 }, { minP: 0.1 }, { repetitionPenalty: 2 }]) {
    for (const greedy of [false, true]) {
      await assert.rejects(
        () => generate(model, prompts, { ...settings, ...filter, greedy }),
        ({ name, message }: Error) => name === "Error" && message.startsWith(draw),
      );
    }
  }
  const rows = responseRows({ prompts, responses: [[5], [6, 7]] });
  const score =
    `Cannot evaluate ${RULE}those of target position 0 are not; the weights are damaged`;
  for (const temperature of [1, 0.5]) {
    await assert.rejects(
      () => model.evaluate(rows, { temperature }),
      ({ message }: Error) => message.startsWith(score),
    );
  }
  assert.throws(() => model.backward({}), /call evaluate first/);
  const policy = new LanguagePolicy({ model, reference: model }, null);
  const batch = { prompts: [Int32Array.of(1)], responses: [Int32Array.of(5)], temperature: 1 };
  await assert.rejects(() => policy.evaluate(batch), /Cannot evaluate as logits must be finite/);
  await assert.rejects(() => policy.reference!(batch), /Cannot evaluate as logits must be finite/);
});

testOnDevices("the error names the prompt and the token after which it is", async (device) => {
  using model = randomModel(device);
  const wpe = model.weights.get("wpe.weight"), { C } = model.dims;
  const data = (await device.read(wpe))[0] as Float32Array<ArrayBuffer>;
  device.write(wpe, data.fill(NaN, 5 * C, 6 * C)); // of the sixth token
  const settings = { seed: 1, eos: null };
  const prompts = [[1, 2], [1], [1, 2, 3, 4, 5, 6]];
  const rejects = (given: number[][], maxNewTokens: number, where: RegExp) =>
    assert.rejects(() => generate(model, given, { ...settings, maxNewTokens }), where);
  await rejects(prompts, 1, /those after token 6 of prompt 2 are not;/);
  await rejects(prompts.slice(0, 2), 6, /those after token 6 of prompt 0 are not;/);
  const { responses } = await generate(model, prompts.slice(0, 2), {
    ...settings,
    maxNewTokens: 4,
  });
  assert.deepEqual(responses.map(({ length }) => length), [4, 4]);
});

testOnDevices("training ends before its first step, and makes no checkpoint", async (device) => {
  const folder = await Deno.makeTempDir();
  try {
    await writeSmallModel(`${folder}/good`);
    {
      using model = await loadGpt2(device, `${folder}/good`);
      await grow(device, model);
      await saveGpt2(model, `${folder}/bad`, { tokenizer: `${folder}/good` });
    }
    const run = new Recorder(folder), model = `${folder}/bad`;
    const request = { task: "colors", model, steps: 2, settings: { batchSize: 4 } };
    await assert.rejects(
      () => trainTask(request, run, { device }),
      /^Error: Cannot draw a token as logits must be finite numbers: those after token \d+ of prompt 0/,
    );
    assert.deepEqual([run.rows, run.checkpoints], [[], []]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
