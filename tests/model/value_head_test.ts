/** The value head: how it starts, what its gradient reaches, where it lies in files. */
import assert from "node:assert/strict";
import type { Device } from "../../kernels/device.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { saveAdapter } from "../../model/files/lora_save.ts";
import { Gpt2, type Gpt2Options } from "../../model/gpt2.ts";
import { fillNormal } from "../../model/random.ts";
import { responseRows } from "../../model/rows.ts";
import { STREAMS } from "../../base/random.ts";
import { testOnDevices } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { gradients, randomModel, SMALL, wave } from "./_model.ts";

/** Weight and bias of the head, wherever they lie. */
async function headOf({ device, weights, adapter }: Gpt2): Promise<number[]> {
  const store = adapter?.parameters ?? weights;
  const names = ["v_head.weight", "v_head.bias"];
  return (await device.read(...names.map((name) => store.get(name)))).flatMap((x) => [...x]);
}
/** The numbers of a fresh head of the small model. */
function fresh(seed: number): number[] {
  const weight = new Float32Array(6);
  fillNormal(weight, { std: 1 / 7, seed, parameter: 0, stream: STREAMS.valueHead });
  return [...weight, 0];
}
const lora = { rank: 2 };

testOnDevices("a fresh head is zero, or drawn from a stream of its own", async (device) => {
  for (const more of [{}, { lora }]) {
    const open = (options: Gpt2Options) =>
      Gpt2.create(device, SMALL, { valueHead: true, seed: 4, ...more, ...options });
    using zero = open({}),
      normal = open({ valueInit: "normal" }),
      headless = open({ valueHead: false });
    assert.deepEqual(await headOf(zero), Array(7).fill(0));
    assert.deepEqual(await headOf(normal), fresh(4));
    // Nothing else of the model changes by it.
    const name = "h.1.mlp.c_proj.weight";
    const [a, b, c] = await device.read(
      ...[zero, normal, headless].map((of) => of.weights.get(name)),
    );
    assert.deepEqual([a, b], [b, c]);
  }
});

testOnDevices(
  "a folder's own head is kept; where it has none the fresh one is there",
  async (device) => {
    await withFolder(async (folder) => {
      using headless = Gpt2.create(device, SMALL, { seed: 1 });
      await saveGpt2(headless, `${folder}/plain`);
      using taught = Gpt2.create(device, SMALL, { seed: 1, valueHead: true });
      const own = [1, 2, 3, 4, 5, 6, 7];
      device.write(taught.weights.get("v_head.weight"), own.slice(0, 6));
      device.write(taught.weights.get("v_head.bias"), own.slice(6));
      await saveGpt2(taught, `${folder}/taught`);
      const load = async (from: string, options: Gpt2Options = {}) => {
        const all = { valueHead: true, seed: 9, ...options };
        using model = await loadGpt2(device, `${folder}/${from}`, all);
        return await headOf(model);
      };
      for (const more of [{}, { lora }]) {
        assert.deepEqual(await load("plain", more), Array(7).fill(0));
        assert.deepEqual(await load("plain", { ...more, valueInit: "normal" }), fresh(9));
        assert.deepEqual(await load("taught", more), own);
        assert.deepEqual(await load("taught", { ...more, valueInit: "normal" }), own);
      }
      // An adapter has its head beside it, also where it is added up into a plain model.
      using adapted = await loadGpt2(device, `${folder}/taught`, { valueHead: true, lora });
      await saveAdapter(adapted, `${folder}/adapter`);
      assert.deepEqual(await load("adapter", { valueInit: "normal" }), own);
      assert.deepEqual(
        await load("adapter", { valueInit: "normal", merge: true } as Gpt2Options),
        own,
      );
      using bare = await loadGpt2(device, `${folder}/plain`, { lora });
      await saveAdapter(bare, `${folder}/bare`);
      assert.deepEqual(await load("bare", { valueInit: "normal" }), fresh(9));
    });
  },
);

const rows = responseRows({ prompts: [[1, 2], [3]], responses: [[8, 9], [10, 0, 2]] });
const R = rows.index.length;

/** Every gradient by its name. */
async function gradientsOf(
  device: Device,
  options: Gpt2Options,
  upstream: Parameters<Gpt2["backward"]>[0],
): Promise<Map<string, number[]>> {
  using model = randomModel(device, SMALL, options);
  await model.evaluate(rows);
  model.backward(upstream);
  return new Map([...await gradients(model)].map(([name, data]) => [name, [...data]]));
}

testOnDevices(
  "a detached head learns as one that is not, and the trunk as without it",
  async (device) => {
    const upstream = { dlogprob: wave(R, 1), dentropy: wave(R, 2), dvalue: wave(R, 3) };
    const { dvalue, ...ofPolicy } = upstream;
    for (const recompute of [false, true]) {
      const attached = await gradientsOf(device, { recompute }, upstream);
      const detached = await gradientsOf(device, { recompute, valueDetached: true }, upstream);
      const without = await gradientsOf(device, { recompute }, ofPolicy);
      for (const [name, got] of detached) {
        const isHead = name.startsWith("v_head.");
        assert.deepEqual(got, (isHead ? attached : without).get(name), name);
        if (name === "h.0.mlp.c_fc.weight") assert.notDeepEqual(got, attached.get(name));
      }
      const alone = await gradientsOf(device, { recompute, valueDetached: true }, { dvalue });
      for (const [name, got] of alone) {
        assert.equal(got.some((x) => x !== 0), name.startsWith("v_head."), name);
      }
    }
  },
);
