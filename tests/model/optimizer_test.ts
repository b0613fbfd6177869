/** What AdamW promises of a step: that it is taken whole, or not at all. */
import assert from "node:assert/strict";
import type { Device } from "../../kernels/device.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { openSafetensors } from "../../model/files/safetensors.ts";
import { exportOptimizer } from "../../model/files/optimizer_file.ts";
import type { Optimizer } from "../../model/optimizer.ts";
import { testOnDevices } from "../_devices.ts";
import { randomModel, SMALL } from "./_model.ts";

/** Everything that a step may change. */
async function stateOf({ weights, optimizer }: Gpt2): Promise<number[][]> {
  const arenas = [weights, optimizer!.moments.m, optimizer!.moments.v].flatMap((of) => of.arenas);
  const read = await optimizer!.device.read(...arenas);
  return [...read.map((data) => [...data]), [await optimizer!.steps()]];
}

/** A gradient without a pattern; the first number of the first arena is `first`, where it is given. */
function setGradient(device: Device, { gradients }: Optimizer, step: number, first?: number): void {
  gradients.arenas.forEach((arena, a) => {
    const data = Float32Array.from({ length: arena.length }, (_, i) => Math.sin(i * i + a + step));
    if (a === 0 && first !== undefined) data[0] = first;
    device.write(arena, data);
  });
}

testOnDevices(
  "a skipped step changes nothing: not the size of the steps after it",
  async (device) => {
    const run = async (bad: readonly number[]) => {
      using model = randomModel(device, SMALL, { adamw: { weightDecay: 0.1 } });
      const optimizer = model.optimizer!, start = await stateOf(model);
      const skip = async (value: number) => {
        const before = await stateOf(model);
        setGradient(device, optimizer, 0, value);
        model.step(0.01);
        assert.deepEqual(await stateOf(model), before, `after a gradient of ${value}`);
        assert.ok(!Number.isFinite(await model.gradientNorm()));
      };
      for (const value of bad) await skip(value);
      for (let step = 0; step < 2; step++) {
        setGradient(device, optimizer, step);
        model.step(0.01);
        for (const value of bad) await skip(value);
      }
      assert.notDeepEqual(await stateOf(model), start);
      return await stateOf(model);
    };
    const want = await run([]);
    assert.deepEqual(want.at(-1), [2]);
    assert.deepEqual(await run([NaN, Infinity, -Infinity, NaN, 1e30]), want);
  },
);

testOnDevices(
  "a checkpoint has the steps that were taken, not those that were skipped",
  async (device) => {
    using model = randomModel(device, SMALL);
    for (const first of [NaN, 1, NaN, 1, 1]) {
      setGradient(device, model.optimizer!, 0, first);
      model.step(0.01);
    }
    const path = await Deno.makeTempFile({ suffix: ".safetensors" });
    try {
      await exportOptimizer(model, path);
      using file = await openSafetensors(path);
      assert.equal(file.metadata.t, "3");
    } finally {
      await Deno.remove(path);
    }
    assert.throws(
      () => model.optimizer!.setSteps(2 ** 32 - 1),
      /counts its steps from 0 to 2\^32 - 2: they are 4294967295/,
    );
  },
);

testOnDevices(
  "the largest learning rate leaves finite weights; any other is refused",
  async (device) => {
    using model = randomModel(device, SMALL, { adamw: { maxGradNorm: 0, weightDecay: 1e-6 } });
    const optimizer = model.optimizer!;
    for (let step = 0; step < 20; step++) {
      setGradient(device, optimizer, step, step % 5 === 0 ? 1e18 : 0);
      model.step(1e6);
    }
    const state = await stateOf(model);
    assert.ok(state.flat().every(Number.isFinite));
    assert.deepEqual(state.at(-1), [20]);
    for (const bad of [-1e-5, 3e38, 1.1e6, NaN, Infinity]) {
      setGradient(device, optimizer, 0);
      assert.throws(
        () => model.step(bad),
        new RangeError(`Cannot step as the learning rate must be from 0 to 1000000: it is ${bad}`),
      );
    }
    using decaying = randomModel(device, SMALL, { adamw: { weightDecay: 0.1 } });
    assert.throws(
      () => decaying.step(11),
      /share of a weight that is taken off, at most 1: it is 1.1/,
    );
    assert.deepEqual(await stateOf(model), state);
  },
);

testOnDevices("a model is given its optimizer's settings, and clips to 1 by default", (device) => {
  using plain = randomModel(device, SMALL);
  assert.deepEqual(plain.optimizer!.options, {
    ...{ beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, maxGradNorm: 1 },
  });
  using other = randomModel(device, SMALL, { adamw: { maxGradNorm: 0.25, weightDecay: 0.5 } });
  assert.deepEqual(
    [other.optimizer!.options.maxGradNorm, other.optimizer!.options.weightDecay],
    [0.25, 0.5],
  );
});
