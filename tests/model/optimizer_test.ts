/** What AdamW promises of a step: that it is taken whole, or not at all. */
import assert from "node:assert/strict";
import type { Device } from "../../kernels/device.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { openSafetensors } from "../../model/files/safetensors.ts";
import { exportOptimizer, importOptimizer } from "../../model/files/optimizer_file.ts";
import type { AdamwOptions, Optimizer } from "../../model/optimizer.ts";
import { testOnDevices } from "../_devices.ts";
import { randomModel, SMALL } from "./_model.ts";

/** Everything that a step may change. */
async function stateOf({ weights, optimizer }: Gpt2): Promise<number[][]> {
  const arenas = [weights, optimizer!.moments.m, optimizer!.moments.v].flatMap((of) => of.arenas);
  const read = await optimizer!.device.read(...arenas);
  return [...read.map((data) => [...data]), [await optimizer!.steps()]];
}

/** Weights and both moments of some parameters, by name. */
async function partsOf(
  { weights, optimizer }: Gpt2,
  wanted: (name: string) => boolean,
): Promise<Record<string, number[]>> {
  const parts: Record<string, number[]> = {};
  const all = { weight: weights, ...optimizer!.moments };
  for (const [kind, buffers] of Object.entries(all)) {
    for await (const [{ name }, data] of buffers.read()) {
      if (wanted(name)) parts[`${kind} ${name}`] = [...data];
    }
  }
  return parts;
}
const isHead = (name: string) => name.startsWith("v_head.");
const isTrunk = (name: string) => !isHead(name);

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

testOnDevices(
  "what has the learning rate 0 stays, and does not change how the rest moves",
  async (device) => {
    const adamw = { weightDecay: 0.1, maxGradNorm: 0 };
    const open = () => randomModel(device, SMALL, { valueHead: true, adamw });
    const run = async (...rates: [number, number][]) => {
      using model = open();
      for (const [step, [lr, valueLr]] of rates.entries()) {
        setGradient(device, model.optimizer!, step);
        model.step(lr, valueLr);
        for await (const [, data] of model.optimizer!.gradients.read()) {
          assert.ok(data.every((x) => x === 0), "every gradient is used up");
        }
      }
      const { optimizer } = model,
        counts = [await optimizer!.steps(), await optimizer!.steps("value")];
      return { trunk: await partsOf(model, isTrunk), head: await partsOf(model, isHead), counts };
    };
    const start = await run(), both = await run([0.01, 0.01], [0.01, 0.01]);
    assert.deepEqual(await run([0, 0]), start);
    const trunk = await run([0.01, 0], [0.01, 0]), head = await run([0, 0.01], [0, 0.01]);
    assert.deepEqual([trunk.trunk, trunk.head, trunk.counts], [both.trunk, start.head, [2, 0]]);
    assert.deepEqual([head.trunk, head.head, head.counts], [start.trunk, both.head, [0, 2]]);
    // Steps that were not taken count in no correction: the trunk's first step is as large as any first.
    const late = await run([0, 0.01], [0.01, 0]), first = await run([0, 0], [0.01, 0]);
    assert.deepEqual([late.trunk, late.counts], [first.trunk, [1, 1]]);
    // A rate of its own moves the head alone.
    const own = await run([0.01, 0.003], [0.01, 0.003]);
    assert.deepEqual(own.trunk, both.trunk);
    assert.notDeepEqual(own.head, both.head);
  },
);

testOnDevices("the norm is that of what moves, and of all where nothing does", async (device) => {
  using model = randomModel(device, SMALL, { valueHead: true, adamw: { maxGradNorm: 0.5 } });
  const optimizer = model.optimizer!;
  const { parameters } = optimizer.gradients.layout;
  const gradientOf = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * i));
  const square = (wanted: (name: string) => boolean) =>
    parameters.filter(({ name }) => wanted(name))
      .reduce((sum, { length }) => sum + gradientOf(length).reduce((s, x) => s + x * x, 0), 0);
  const trunk = square(isTrunk), head = square(isHead), all = trunk + head;
  for (const [lr, valueLr, want] of [[0, 0, all], [1, 1, all], [1, 0, trunk], [0, 1, head]]) {
    for (const { name, length } of parameters) {
      device.write(optimizer.gradients.get(name), gradientOf(length));
    }
    model.step(lr, valueLr);
    const norm = await model.gradientNorm();
    assert.ok(Math.abs(norm / Math.sqrt(want) - 1) < 1e-5, `${lr} ${valueLr}: ${norm}`);
  }
});

testOnDevices("clipped apart, head and trunk move as if each were alone", async (device) => {
  const run = async (clipApart: boolean, ...rates: [number, number][]) => {
    const adamw = { maxGradNorm: 0.3, clipApart, eps: 1 }; // with a large eps the size of a gradient shows
    using model = randomModel(device, SMALL, { valueHead: true, adamw });
    for (const [lr, valueLr] of rates) {
      setGradient(device, model.optimizer!, 0);
      model.step(lr, valueLr);
    }
    return { trunk: await partsOf(model, isTrunk), head: await partsOf(model, isHead) };
  };
  const apart = await run(true, [0.1, 0.1]), together = await run(false, [0.1, 0.1]);
  const trunk = await run(false, [0.1, 0]), head = await run(false, [0, 0.1]);
  assert.deepEqual(apart, { trunk: trunk.trunk, head: head.head });
  assert.notDeepEqual(apart.head, together.head);
  assert.notDeepEqual(apart.trunk, together.trunk);
});

testOnDevices(
  "clipped apart, a gradient that is not finite skips the whole step",
  async (device) => {
    for (const bad of ["h.0.ln_1.bias", "v_head.bias"]) {
      const adamw = { maxGradNorm: 0.3, clipApart: true };
      using model = randomModel(device, SMALL, { valueHead: true, adamw });
      const all = () => partsOf(model, () => true), before = await all();
      setGradient(device, model.optimizer!, 0);
      device.write(model.optimizer!.gradients.get(bad), [NaN]);
      model.step(0.1);
      assert.deepEqual(await all(), before, bad);
      assert.ok(!Number.isFinite(await model.gradientNorm()));
      assert.deepEqual([await model.optimizer!.steps(), await model.optimizer!.steps("value")], [
        0,
        0,
      ]);
    }
  },
);

testOnDevices("the value head decays by its own weight decay and rate", async (device) => {
  const run = async (adamw: Partial<AdamwOptions>) => {
    using model = randomModel(device, SMALL, { valueHead: true, adamw });
    const before = await partsOf(model, () => true);
    model.step(0.1, 0.2); // no gradient: decay alone moves anything
    const after = await partsOf(model, () => true);
    return (name: string) => after[`weight ${name}`][0] / before[`weight ${name}`][0];
  };
  const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-6, `${got}`);
  const same = await run({ weightDecay: 0.5 });
  near(same("wte.weight"), 0.95);
  near(same("v_head.weight"), 0.9);
  near(same("v_head.bias"), 1);
  const apart = await run({ weightDecay: 0.5, valueWeightDecay: 0 });
  near(apart("wte.weight"), 0.95);
  near(apart("v_head.weight"), 1);
  assert.throws(
    () => randomModel(device, SMALL, { adamw: { valueWeightDecay: -1 } }),
    /valueWeightDecay must be finite and >= 0: it is -1/,
  );
});

testOnDevices(
  "a checkpoint has the steps of the head too; an old one has one count",
  async (device) => {
    const path = await Deno.makeTempFile({ suffix: ".safetensors" });
    try {
      using model = randomModel(device, SMALL, { valueHead: true });
      for (const [lr, valueLr] of [[0, 0.1], [0, 0.1], [0.1, 0.1]]) {
        setGradient(device, model.optimizer!, 0);
        model.step(lr, valueLr);
      }
      await exportOptimizer(model, path);
      using resumed = randomModel(device, SMALL, { valueHead: true });
      const counts = async () =>
        await Promise.all([resumed.optimizer!.steps(), resumed.optimizer!.steps("value")]);
      await importOptimizer(resumed, path);
      assert.deepEqual(await counts(), [1, 3]);
      const text = (await Deno.readFile(path)).map((byte) => byte);
      const at = new TextDecoder("latin1").decode(text).indexOf('"t_value":"3"');
      text.set(new TextEncoder().encode('"x_value":"3"'), at);
      await Deno.writeFile(path, text);
      await importOptimizer(resumed, path);
      assert.deepEqual(await counts(), [1, 1]);
      text.set(new TextEncoder().encode('"t_value":"x"'), at);
      await Deno.writeFile(path, text);
      await assert.rejects(
        importOptimizer(resumed, path),
        /its metadata must say the step t_value: it says/,
      );
      using headless = Gpt2.create(device, SMALL);
      await assert.rejects(
        headless.optimizer!.steps("value"),
        /Cannot tell the steps of the value head as this model has none/,
      );
    } finally {
      await Deno.remove(path);
    }
  },
);
