import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import type { Device } from "../../../kernels/device.ts";
import { loadModel, loadTokenizer } from "../../../model/hub/load.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import { LanguagePolicy } from "../../../experiment/policy.ts";
import { loadState, saveState } from "../../../experiment/folder/policy_state.ts";
import { batchLoss, forwardBackward, optimStep, sample } from "../../../rl/loop.ts";
import { policyGradientLoss } from "../../../rl/loss/policy_gradient.ts";
import { perToken } from "../../../rl/loss/response.ts";
import { testOnDevices } from "../../_devices.ts";
import { writeSmallModel } from "../_model.ts";

const PROMPTS = [Int32Array.of(5, 6, 7), Int32Array.of(8)];
const LORA = { rank: 2, alpha: 4 };

/** Two passes and a step, as a loop of one's own would. */
async function learn(model: Gpt2, step: number): Promise<void> {
  const policy = new LanguagePolicy({ model }, null);
  const loss = batchLoss(perToken(policyGradientLoss), {});
  for (const half of [0, 1]) {
    const drawn = await sample(policy, PROMPTS, {
      ...{ maxNewTokens: 3, temperature: 1, groupSize: 2 },
      ...{ seed: 1, stream: 2 * step + half },
    });
    const advantages = drawn.responses.map((ids) => ids[0] % 2 - 0.5);
    await forwardBackward(policy, { ...drawn, advantages }, loss);
  }
  await optimStep(policy, { learningRate: 1e-2 });
}

const bytesOf = async (folder: string): Promise<Record<string, string>> => {
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}/${name}`));
    files[name] = new Uint8Array(hash).toHex();
  }
  return files;
};

async function throughADisk(device: Device, lora?: typeof LORA): Promise<void> {
  const place = await Deno.makeTempDir(), start = `${place}/start`;
  try {
    await Deno.mkdir(start);
    await writeSmallModel(start);
    using model = await loadModel(device, start, { lora });
    await learn(model, 0);
    await saveState(`${place}/state`, { model, from: start, state: { step: 1 } });
    await learn(model, 1);
    await saveState(`${place}/uncut`, { model, from: start, state: { step: 2 } });

    using back = await loadState(device, `${place}/state`, lora ? { base: start } : {})
      .then(({ model, state }) => {
        assert.deepEqual(state, { step: 1 });
        return model;
      });
    await learn(back, 1);
    await saveState(`${place}/state`, { model: back, from: start, state: { step: 2 } });
    assert.deepEqual(await bytesOf(`${place}/state`), await bytesOf(`${place}/uncut`));
    const names = await Array.fromAsync(Deno.readDir(place), ({ name }) => name);
    assert.deepEqual(names.sort(), ["start", "state", "uncut"]); // nothing temporary is left
    assert.ok((await loadTokenizer(`${place}/state`)).vocabSize > 0);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

testOnDevices(
  "a loop of one's own continues from its saved state as if uncut, also in the same folder",
  (device) => throughADisk(device),
);
testOnDevices("so does one that trains an adapter", (device) => throughADisk(device, LORA));

Deno.test("a folder without a state, or that cannot be written, is said", async () => {
  const place = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    using device = new CpuDevice();
    await assert.rejects(
      loadState(device, `${place}/model`),
      /Cannot continue from .*model as saveState writes a state.json: there is none; loadModel opens/,
    );
    using model = await loadModel(device, `${place}/model`);
    await Deno.writeTextFile(`${place}/file`, "");
    await assert.rejects(saveState(`${place}/file/state`, { model }), /Cannot write/);
    using frozen = await loadModel(device, `${place}/model`, { frozen: true });
    await assert.rejects(saveState(`${place}/new`, { model: frozen }), /frozen/);
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(place), ({ name }) => name)).sort(),
      ["file", "model"],
    );
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});
