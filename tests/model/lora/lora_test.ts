/** Adapters: their arithmetic, the base beside them, merging, and what may be asked of them. @module */
import assert from "node:assert/strict";
import type { Device, Tensor } from "../../../kernels/device.ts";
import { Scope } from "../../../kernels/scope.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { gelu } from "../../../kernels/gelu.ts";
import { parseConfig } from "../../../model/config.ts";
import { linearModules } from "../../../model/families/families.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../../model/files/gpt2_save.ts";
import { generate } from "../../../model/generation/generate.ts";
import { Gpt2, type Gpt2Options } from "../../../model/gpt2.ts";
import { linear, linearBackward } from "../../../model/layers/linear.ts";
import { Adapter } from "../../../model/lora/lora.ts";
import { adaptedModules } from "../../../model/lora/targets.ts";
import { responseRows } from "../../../model/rows.ts";
import { assertClose, assertRelative, relativeError } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import { withFolder } from "../../_folder.ts";
import { checkGradient, checkTwin, wave } from "../../kernels/_op.ts";
import { adaptedModel, gradients, randomModel, SMALL, trained, wave as spread } from "../_model.ts";

const LORA = { rank: 3, alpha: 5, targets: "all-linear", rslora: true };
const prompts = [[1, 2, 3], [4], [5, 6, 7, 1]];
const ragged = responseRows({ prompts, responses: [[8, 9], [10, 0, 2, 3, 1], [4, 4, 4]] });
const R = ragged.index.length;
const upstream = { dlogprob: spread(R, 1), dentropy: spread(R, 2), dvalue: spread(R, 3) };

// Two adapters on column ranges of one layer, as queries and values are of queries, keys and values.
const [N, FROM, TO] = [5, 6, 12];
const RANGES = [{ at: 0, width: 4, rank: 3, scale: 0.7 }, {
  at: 8,
  width: 4,
  rank: 2,
  scale: -1.3,
}];
const data = {
  x: wave(N * FROM, 1, 1),
  weight: wave(FROM * TO, 0.5, 2),
  bias: wave(TO, 0.5, 3),
  a0: wave(3 * FROM, 1, 4),
  b0: wave(4 * 3, 1, 5),
  a1: wave(2 * FROM, 1, 6),
  b1: wave(4 * 2, 1, 7),
  out: wave(N * TO, 1, 8),
  act: wave(N * TO, 1, 9),
  hidden: wave(N * 3, 1, 10),
  dhidden: wave(N * 3, 1, 11),
  dout: wave(N * TO, 1, 12),
  dx: wave(N * FROM, 1, 13),
  da0: wave(3 * FROM, 1, 14),
  db0: wave(4 * 3, 1, 15),
  da1: wave(2 * FROM, 1, 16),
  db1: wave(4 * 2, 1, 17),
  source: wave(N * FROM, 2, 18),
  residual: wave(N * TO, 1, 19),
};
type Buffers = Record<keyof typeof data, Tensor>;
const dims = { N, inFeatures: FROM, outFeatures: TO };
const layerOf = (b: Buffers) => ({
  weight: b.weight,
  bias: b.bias,
  adapters: RANGES.map((range, i) => ({ ...range, a: b[`a${i}` as "a0"], b: b[`b${i}` as "b0"] })),
});
const backward = (device: Device, b: Buffers, pre?: Tensor) => {
  const adapters = [{ a: b.da0, b: b.db0 }, { a: b.da1, b: b.db1 }];
  const { x, dout, dx, hidden, dhidden } = b;
  linearBackward(
    device,
    {
      x,
      layer: layerOf(b),
      gradient: { adapters },
      dout,
      dx,
      pre,
      partial: hidden,
      hidden,
      dhidden,
    },
    dims,
  );
};
const forward = (device: Device, b: Buffers) =>
  linear(device, { x: b.x, layer: layerOf(b), hidden: b.hidden, out: b.out }, dims);

Deno.test("linear() adds each adapter to its columns, by hand", async () => {
  using device = new CpuDevice({ precision: "f64" });
  using scope = new Scope(device);
  const buffers = Object.fromEntries(
    Object.entries(data).map(([name, values]) => {
      const tensor = scope.alloc(values.length, name);
      device.write(tensor, values);
      return [name, tensor];
    }),
  ) as Buffers;
  linear(
    device,
    { x: buffers.x, layer: layerOf(buffers), hidden: buffers.hidden, out: buffers.out },
    dims,
  );
  const want = new Float64Array(N * TO);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < TO; c++) {
      let y = data.bias[c];
      for (let f = 0; f < FROM; f++) y += data.x[n * FROM + f] * data.weight[f * TO + c];
      RANGES.forEach(({ at, width, rank, scale }, i) => {
        if (c < at || c >= at + width) return;
        const [a, b] = [data[`a${i}` as "a0"], data[`b${i}` as "b0"]];
        for (let r = 0; r < rank; r++) {
          let h = 0;
          for (let f = 0; f < FROM; f++) h += data.x[n * FROM + f] * a[r * FROM + f];
          y += scale * h * b[(c - at) * rank + r];
        }
      });
      want[n * TO + c] = y;
    }
  }
  assertClose((await device.read(buffers.out))[0], want, "out", 1e-12);
});

testOnDevices("linear() with adapters and its backward match their twins", (device) =>
  checkTwin(
    device,
    {
      data,
      run(on, b) {
        forward(on, b);
        linear(on, { x: b.x, layer: layerOf(b), hidden: b.hidden, pre: b.out, out: b.act }, dims);
        backward(on, b, b.source);
        linear(
          on,
          { x: b.x, layer: layerOf(b), hidden: b.hidden, residual: b.residual, out: b.out },
          dims,
        );
      },
    },
    ["out", "act", "dx", "da0", "db0", "da1", "db1"],
    { scratch: ["hidden", "dhidden"], rtol: 1e-5 },
  ));

Deno.test("linearBackward() with adapters matches central differences of linear()", async () => {
  const gradients = { a0: "da0", b0: "db0", a1: "da1", b1: "db1" } as const;
  const shared = { data, out: "out", dout: "dout" } as const;
  await checkGradient({ ...shared, forward, backward, gradients });
  await checkGradient({ ...shared, forward, backward, gradients: { x: "dx" }, added: false });
  // x as GELU(source): the slope goes through the adapters, too.
  await checkGradient({
    ...shared,
    forward(device, b) {
      gelu(device, { x: b.source, out: b.x }, { N: N * FROM });
      forward(device, b);
    },
    backward: (device, b) => backward(device, b, b.source),
    gradients: { source: "dx" },
    added: false,
  });
});

Deno.test("backward() matches central differences of A, B and the value head, in float64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  using model = adaptedModel(device);
  const temperature = 0.7;
  const loss = async (): Promise<number> => {
    const { logprob, entropy, value } = await model.evaluate(ragged, { temperature });
    let sum = 0;
    for (let r = 0; r < R; r++) {
      sum += upstream.dlogprob[r] * logprob[r] + upstream.dentropy[r] * entropy[r] +
        upstream.dvalue[r] * value[r];
    }
    return sum;
  };
  await loss();
  model.backward(upstream);
  const got = await gradients(model);
  const { parameters: store } = model.adapter!;
  assert.deepEqual([...got.keys()].sort(), [...store.layout.byName.keys()].sort());
  assert.equal(got.size, 2 * 4 * 2 + 2);
  const h = 1e-5;
  for await (const [{ name, length }, data] of store.read()) {
    const tensor = store.get(name);
    const want = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      device.write(tensor, [data[i] + h], i);
      const above = await loss();
      device.write(tensor, [data[i] - h], i);
      want[i] = (above - await loss()) / (2 * h);
      device.write(tensor, [data[i]], i);
    }
    assert.ok(Math.hypot(...want) > 1e-3, `${name} must matter`);
    assertRelative(got.get(name)!, want, name, 1e-7);
  }
});

testOnDevices("recomputed activations give an adapter the same bits", async (device) => {
  const run = async (options: Gpt2Options) => {
    using model = adaptedModel(device, SMALL, options);
    await model.evaluate(ragged);
    model.backward(upstream);
    return await gradients(model);
  };
  assert.deepEqual(await run({ recompute: true }), await run({}));
});

testOnDevices(
  "with the adapter off, a trained model is bit-identical to its base",
  async (device) => {
    using base = randomModel(device, SMALL, { valueHead: false, frozen: true });
    using model = await trained(adaptedModel(device), ragged);
    const other = responseRows({ prompts: [[3, 1]], responses: [[9, 2, 2]] });
    for (const rows of [ragged, other]) {
      const off = { adapter: false };
      assert.deepEqual(
        await model.evaluate(rows, { ...off, temperature: 0.7 }),
        await base.evaluate(rows, { temperature: 0.7 }),
      );
      assert.throws(() => model.backward(upstream), /uses up one evaluate: call evaluate first/);
      assert.deepEqual(await model.logits(rows, off), await base.logits(rows));
      assert.notDeepEqual(await model.logits(rows), await base.logits(rows));
      assert.notDeepEqual((await model.evaluate(rows)).value, new Float32Array(rows.index.length));
    }
    const options = { maxNewTokens: 3, seed: 4, temperature: 0.8 };
    const want = await generate(base, prompts, options);
    assert.notDeepEqual(await generate(model, prompts, options), want);
    assert.deepEqual(await generate(model, prompts, { ...options, adapter: false }), want);
    assert.notDeepEqual(await generate(model, prompts, options), want);
  },
);

testOnDevices("a fresh adapter changes no log-probability by a bit", async (device) => {
  using base = randomModel(device, SMALL, { frozen: true });
  using model = randomModel(device, SMALL, { lora: LORA });
  model.adapter!.initialise(1);
  assert.deepEqual(await model.logits(ragged), await base.logits(ragged));
  const [on, off] = [
    await model.evaluate(ragged),
    await model.evaluate(ragged, { adapter: false }),
  ];
  assert.deepEqual([on.logprob, on.entropy], [off.logprob, off.entropy]);
});

testOnDevices("generation with an adapter draws what evaluate() scores", async (device) => {
  using model = adaptedModel(device);
  const { responses, logprobs } = await generate(model, prompts, { maxNewTokens: 4, seed: 2 });
  const { logprob } = await model.evaluate(responseRows({ prompts, responses }));
  assertClose(logprob, logprobs.flatMap((row) => [...row]), "log-probabilities", 1e-5);
});

testOnDevices(
  "merge() makes a plain model; unmerge() gives it back within rounding",
  async (device) => {
    using model = await trained(adaptedModel(device), ragged);
    const [logits, before] = [await model.logits(ragged), await model.evaluate(ragged)];
    const drawn = await generate(model, prompts, { maxNewTokens: 4, greedy: true });
    await assert.rejects(
      () => saveGpt2(model, "nowhere"),
      /its adapter is beside the weights: call merge/,
    );
    await model.merge();
    assertClose(await model.logits(ragged), logits, "merged logits", 1e-5);
    assertClose((await model.evaluate(ragged)).value, before.value, "merged values", 1e-5);
    const merged = await generate(model, prompts, { maxNewTokens: 4, greedy: true });
    assert.deepEqual(merged.responses, drawn.responses);
    const refused = [
      () => model.languageModel(ragged),
      () => model.step(0.1),
      () => model.backward(upstream),
    ];
    for (const call of refused) {
      assert.throws(
        call,
        /the adapter is merged into the weights: call unmer/,
      );
    }
    await assert.rejects(() => model.evaluate(ragged, { adapter: false }), /call unmerge first/);
    await assert.rejects(
      () => generate(model, prompts, { maxNewTokens: 2, adapter: false }),
      /call unmerge first/,
    );
    await withFolder(async (folder) => {
      await saveGpt2(model, folder);
      using plain = await loadGpt2(device, folder, { frozen: true });
      assert.deepEqual(await plain.logits(ragged), await model.logits(ragged));
    });
    await model.merge(); // once is enough
    await model.unmerge();
    await model.unmerge();
    assertClose(await model.logits(ragged), logits, "unmerged logits", 1e-5);
    using base = randomModel(device, SMALL, { frozen: true });
    for await (const [{ name }, data] of model.weights.read()) {
      const [want] = await device.read(base.weights.get(name));
      assert.ok(relativeError(data, want) < 3e-7, name);
    }
    await trained(model, ragged, 1);
  },
);

Deno.test("frozenCopy() has the adapter, and no gradients", async () => {
  using device = new CpuDevice();
  using model = await trained(adaptedModel(device), ragged, 1);
  using copy = await model.frozenCopy();
  assert.deepEqual(await copy.evaluate(ragged), await model.evaluate(ragged));
  assert.equal(copy.optimizer, undefined);
  await model.merge();
  using plain = await model.frozenCopy();
  assert.equal(plain.adapter, undefined);
  assert.deepEqual(await plain.evaluate(ragged), await model.evaluate(ragged));
});

Deno.test("an adapter needs less memory: no gradients and moments of the base", () => {
  const live = (options: Gpt2Options): number => {
    using device = new CpuDevice();
    using _model = Gpt2.create(device, { ...SMALL, vocab_size: 5000 }, options);
    return device.memory.live;
  };
  const [whole, frozen, lora] = [live({}), live({ frozen: true }), live({ lora: { rank: 2 } })];
  assert.ok(whole > 3.9 * frozen, `${whole} and ${frozen} bytes`);
  assert.ok(lora < 1.2 * frozen, `${lora} and ${frozen} bytes`);
});

Deno.test("a fresh A is uniform within 1 / sqrt(inFeatures), by the seed; B is zero", async () => {
  const config = { ...SMALL, n_embd: 64, n_layer: 1 };
  const read = async (seed: number) => {
    using device = new CpuDevice();
    using model = Gpt2.create(device, config, { seed, lora: { rank: 16 } });
    const { parameters: store, modules, options, scale } = model.adapter!;
    assert.deepEqual(modules.map(({ name }) => name), ["h.0.attn.c_attn"]);
    assert.deepEqual([options.alpha, scale], [8, 0.5]);
    const names = ["lora_A", "lora_B"].map((name) => store.get(`h.0.attn.c_attn.${name}.weight`));
    return await device.read(...names);
  };
  const [a, b] = await read(1);
  assert.ok(b.every((x: number) => x === 0));
  const bound = 1 / Math.sqrt(64), n = a.length;
  assert.ok(a.every((x: number) => Math.abs(x) < bound));
  let [sum, squares] = [0, 0];
  for (const x of a) [sum, squares] = [sum + x, squares + x * x];
  assert.ok(Math.abs(sum / n) < 3 * bound / Math.sqrt(3 * n), `mean ${sum / n}`);
  assert.ok(Math.abs(squares / n / (bound ** 2 / 3) - 1) < 0.1, `variance ${squares / n}`);
  assert.deepEqual((await read(1))[0], a);
  assert.notDeepEqual((await read(2))[0], a);
});

const config = parseConfig({ ...SMALL, n_layer: 3 });
const named = (
  targets: string | string[],
  layers?: number[],
  exclude?: string | string[],
): string =>
  adaptedModules({ targets, layers, exclude }, { layers: 3, modules: linearModules(config) })
    .map(({ name }) => name.replace(/^h\./, "")).join(" ");
const each = (...names: string[]): string =>
  [0, 1, 2].flatMap((l) => names.map((name) => `${l}.${name}`)).join(" ");

Deno.test("targets mean the modules that PEFT means", () => {
  const [attn, out, fc, proj] = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"];
  assert.equal(named(["c_attn"]), each(attn));
  assert.equal(named(["c_proj"]), each(out, proj));
  assert.equal(named(["attn.c_proj", "c_fc"]), each(out, fc));
  assert.equal(named("all-linear"), each(attn, out, fc, proj));
  assert.equal(named(["c_proj"], [1]), `1.${out} 1.${proj}`);
  assert.equal(named(["transformer.h.1.attn.c_attn"]), `1.${attn}`);
  assert.equal(named(["transformer.h.2.attn.c_attn", "c_fc"], [1]), `1.${fc} 2.${attn}`);
  assert.equal(named(".*\\.(attn|mlp)\\.c_proj"), each(out, proj));
  assert.equal(named(".*\\.h\\.[02]\\.attn\\.c_attn"), `0.${attn} 2.${attn}`);
});

Deno.test("exclude takes out what PEFT takes out", () => {
  const [attn, out, fc, proj] = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"];
  assert.equal(named(["c_attn", "c_proj"], undefined, ["mlp.c_proj"]), each(attn, out));
  assert.equal(named("all-linear", undefined, ".*\\.mlp\\..*"), each(attn, out));
  assert.equal(named("all-linear", undefined, ["lm_head", "wte"]), each(attn, out, fc, proj));
  assert.equal(named(["c_fc"], undefined, ["transformer.h.1.mlp.c_fc"]), `0.${fc} 2.${fc}`);
  assert.equal(named(["c_attn", "lm_head"], undefined, ["lm_head"]), each(attn));
  assert.equal(named(["c_attn"], undefined, ["attn"]), each(attn), "the part of a name is none");
});

const wrong: [string, object, RegExp][] = [
  [
    "the head",
    { targets: ["c_attn", "lm_head"] },
    /linear layers of blocks, .*: they also mean lm_head/,
  ],
  ["the embedding", { targets: ["wte", "c_attn"] }, /they also mean wte/],
  ["positions alone", { targets: ["wpe"] }, /they also mean wpe/],
  ["a whole block", { targets: ["c_attn", "mlp"] }, /they also mean h.0.mlp/],
  ["norms of one block", { targets: ".*\\.h\\.1\\..*" }, /they also mean h.1.attn/],
  ["all modules", { targets: ".*" }, /they also mean wte/],
  [
    "a name of nothing",
    { targets: ["c_attn", "q_proj"] },
    /each target must .*: \["q_proj"\] mean none/,
  ],
  [
    "to leave out all",
    { targets: ["c_attn"], exclude: ["c_attn"] },
    /\["c_attn"\] means none of .* that \["c_attn"\] leaves/,
  ],
  [
    "an unknown name",
    { targets: ["q_proj"] },
    /\["q_proj"\] means none of attn.c_attn, attn.c_proj/,
  ],
  ["part of a name", { targets: ["proj"] }, /means none of/],
  ["a name that is no pattern of whole names", { targets: "c_attn" }, /"c_attn" means none of/],
  ["no name", { targets: [] }, /means none of/],
  ["a pattern that is none", { targets: ".*(c_attn" }, /must be a regular expression/],
  ["a pattern with a repeated group", { targets: "(a+)+c_attn" }, /no repeated or special group/],
  ["a pattern with many repeats", { targets: ".*.*.*.*.*c_attn" }, /4 repeats/],
  ["a look-ahead", { targets: "(?=.*)x" }, /no repeated or special group/],
  ["a block that is not there", { layers: [2] }, /block numbers from 0 to 1: one is 2/],
  ["half a rank", { rank: 1.5 }, /rank must be a whole number from 1 to 65536: it is 1.5/],
  ["no rank", { rank: 0 }, /rank must be/],
  ["alpha 0", { alpha: 0 }, /alpha must be above 0: it is 0/],
];
for (const [what, change, message] of wrong) {
  Deno.test(`an adapter refuses ${what}`, () => {
    using device = new CpuDevice();
    const lora = { ...LORA, ...change };
    assert.throws(() => Gpt2.create(device, SMALL, { lora }), { name: "RangeError", message });
    assert.equal(device.memory.live, 0);
  });
}

Deno.test("an adapter on part of a wide map is merged into its columns alone", async () => {
  using device = new CpuDevice();
  using scope = new Scope(device);
  using model = randomModel(device, SMALL, { frozen: true });
  const C = 6;
  const modules = [
    { ...linearModules(model.config)[0], name: "attn.attention.q_proj", outFeatures: C, at: 0 },
    { ...linearModules(model.config)[0], name: "attn.attention.v_proj", outFeatures: C, at: 2 * C },
  ];
  const adapter = new Adapter(scope, { config: model.config, modules }, { rank: 2 });
  assert.deepEqual(adapter.options.targets, ["q_proj", "v_proj"]);
  const { parameters: store } = adapter;
  for (const { name, length } of store.layout.parameters) {
    device.write(store.get(name), Float32Array.from(spread(length)));
  }
  const weight = model.weights.get("h.1.attn.c_attn.weight");
  const [before] = await device.read(weight);
  await adapter.merge(model.weights);
  const [after] = await device.read(weight);
  const name = "h.1.attn.attention.v_proj";
  const [a, b] = await device.read(
    store.get(`${name}.lora_A.weight`),
    store.get(`${name}.lora_B.weight`),
  );
  for (let c = 0; c < C; c++) {
    assert.equal(after[c * 3 * C + C + 1], before[c * 3 * C + C + 1], "keys stay");
    for (let o = 0; o < C; o++) {
      const want = 4 * (a[c] * b[2 * o] + a[C + c] * b[2 * o + 1]); // alpha 8 / rank 2
      const i = c * 3 * C + 2 * C + o;
      assert.ok(Math.abs(after[i] - before[i] - want) < 1e-5, `column ${o} of row ${c}`);
    }
  }
});
