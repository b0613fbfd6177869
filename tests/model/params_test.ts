import assert from "node:assert/strict";
import { alignOf, bytesOf } from "../../kernels/tensor.ts";
import { Scope } from "../../kernels/scope.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { parseConfig } from "../../model/config.ts";
import { layoutParameters } from "../../model/layout.ts";
import { initialise, ParameterBuffers } from "../../model/params.ts";
import { fillNormal } from "../../model/random.ts";

const config = parseConfig({ vocab_size: 300, n_positions: 8, n_embd: 20, n_layer: 2, n_head: 2 });
const limits = { maxBinding: 2 ** 27, maxBuffer: 2 ** 30 };

Deno.test("layoutParameters() has the names, shapes and number of parameters of GPT-2", () => {
  const gpt2 = parseConfig({
    vocab_size: 50257,
    n_positions: 1024,
    n_embd: 768,
    n_layer: 12,
    n_head: 12,
  });
  const { parameters, byName } = layoutParameters(gpt2, limits);
  assert.equal(parameters.reduce((sum, { length }) => sum + length, 0), 124_439_808);
  assert.equal(parameters.length, 2 + 12 * 12 + 2);
  assert.deepEqual(byName.get("h.11.attn.c_attn.weight")!.shape, [768, 2304]);
  assert.deepEqual(byName.get("h.0.mlp.c_proj.weight")!.shape, [3072, 768]);
});

for (
  const [family, n_layer, n_embd, n_head, count] of [
    ["distilgpt2", 6, 768, 12, 81_912_576],
    ["gpt2-medium", 24, 1024, 16, 354_823_168],
    ["gpt2-large", 36, 1280, 20, 774_030_080],
    ["gpt2-xl", 48, 1600, 25, 1_557_611_200],
  ] as const
) {
  Deno.test(`layoutParameters() has the number of parameters of ${family}`, () => {
    const sizes = { vocab_size: 50257, n_positions: 1024, n_layer, n_embd, n_head };
    const { parameters } = layoutParameters(parseConfig(sizes), limits);
    assert.equal(parameters.reduce((sum, { length }) => sum + length, 0), count);
    const untied = parseConfig({ ...sizes, tie_word_embeddings: false });
    const { byName } = layoutParameters(untied, limits);
    assert.deepEqual(byName.get("lm_head.weight")!.shape, [50257, n_embd]);
  });
}

for (
  const [family, num_layers, hidden_size, num_heads, count] of [
    ["gpt-neo-125m", 12, 768, 12, 125_198_592],
    ["gpt-neo-1.3B", 24, 2048, 16, 1_315_575_808],
  ] as const
) {
  Deno.test(`layoutParameters() has the number of parameters of ${family}`, () => {
    const neo = parseConfig({
      model_type: "gpt_neo",
      vocab_size: 50257,
      max_position_embeddings: 2048,
      num_layers,
      hidden_size,
      num_heads,
      attention_types: [[["global", "local"], num_layers / 2]],
    });
    const { parameters, byName } = layoutParameters(neo, limits);
    assert.equal(parameters.reduce((sum, { length }) => sum + length, 0), count);
    assert.equal(byName.has("h.0.attn.c_attn.bias"), false);
  });
}

Deno.test("layoutParameters() decays matrices and embeddings, not biases and layer norms", () => {
  const { parameters } = layoutParameters(config, limits, { valueHead: true });
  for (const { name, shape, decay } of parameters) assert.equal(decay, shape.length === 2, name);
  assert.ok(parameters.some(({ name }) => name === "v_head.bias"));
});

const cases = (["f32", "f16"] as const).flatMap((dtype) =>
  [2 ** 27, 8192, 4096].map((maxBinding) => [dtype, maxBinding] as const)
);
for (const [matrixDtype, maxBinding] of cases) {
  const name = `layoutParameters() leaves no overlap and splits arenas at ${maxBinding} bytes`;
  Deno.test(`${name}, ${matrixDtype}`, () => {
    const options = { valueHead: true, matrixDtype };
    const { parameters, arenas } = layoutParameters(config, { ...limits, maxBinding }, options);
    const ends = arenas.map(() => 0);
    for (const { name, arena, offset, length, decay, dtype, shape } of parameters) {
      assert.equal(dtype, shape.length === 2 && name !== "v_head.weight" ? matrixDtype : "f32");
      assert.equal(dtype, arenas[arena].dtype, name);
      assert.equal(offset % alignOf(dtype), 0, name);
      assert.ok(offset >= ends[arena], `${name} overlaps`);
      assert.ok(offset + length <= arenas[arena].length, `${name} sticks out`);
      assert.equal(decay, arenas[arena].decay, name);
      ends[arena] = offset + length;
    }
    if (maxBinding === 2 ** 27) assert.equal(arenas.length, matrixDtype === "f16" ? 3 : 2);
    arenas.forEach(({ length, dtype }, a) => {
      const held = parameters.filter(({ arena }) => arena === a);
      assert.ok(
        length * bytesOf(dtype) <= maxBinding || held.length === 1,
        "a shared arena exceeds a binding",
      );
    });
  });
}

Deno.test("initialise() gives GPT-2's standard deviations, ones for gains, zeros for biases", async () => {
  using device = new CpuDevice();
  using scope = new Scope(device);
  const weights = new ParameterBuffers(
    scope,
    layoutParameters(config, limits, { valueHead: true }),
    "weight",
  );
  initialise(weights, 7);
  for await (const [{ name, length }, data] of weights.read()) {
    const squares = Array.from(data).reduce((sum, x) => sum + x * x, 0);
    const std = Math.sqrt(squares / length);
    const want = name.startsWith("v_head") || name.endsWith("bias")
      ? 0
      : /ln_.*weight/.test(name)
      ? 1
      : name.includes("c_proj")
      ? 0.02 / Math.sqrt(4)
      : 0.02;
    assert.ok(Math.abs(std - want) <= 0.15 * want, `${name}: ${std}, want ${want}`);
  }
});

Deno.test("initialise() gives every matrix of a GPT-Neo the same standard deviation", () => {
  const neo = parseConfig({
    model_type: "gpt_neo",
    vocab_size: 30,
    max_position_embeddings: 8,
    num_layers: 2,
    hidden_size: 20,
    num_heads: 2,
    attention_types: [[["global", "local"], 1]],
  });
  for (const { name, init, shape } of layoutParameters(neo, limits).parameters) {
    if (shape.length === 2) assert.deepEqual(init, { std: 0.02 }, name);
  }
});

Deno.test("ParameterBuffers.get() names a parameter that does not exist", () => {
  using device = new CpuDevice();
  using scope = new Scope(device);
  const weights = new ParameterBuffers(scope, layoutParameters(config, limits), "weight");
  assert.throws(
    () => weights.get("h.2.ln_1.weight"),
    new RangeError("Cannot find the weight of h.2.ln_1.weight: no such parameter"),
  );
});

Deno.test("fillNormal() has the moments of a normal, and depends on seed and parameter", () => {
  const draw = (seed: number, parameter: number) => {
    const out = new Float32Array(40_001);
    fillNormal(out, { std: 2, seed, parameter });
    return out;
  };
  const x = draw(1, 0);
  const moment = (power: number) => x.reduce((sum, v) => sum + (v / 2) ** power, 0) / x.length;
  assert.ok(Math.abs(moment(1)) < 0.02, `mean ${moment(1)}`);
  assert.ok(Math.abs(moment(2) - 1) < 0.03, `variance ${moment(2)}`);
  assert.ok(Math.abs(moment(4) - 3) < 0.2, `kurtosis ${moment(4)}`);
  assert.deepEqual(draw(1, 0), x);
  assert.notDeepEqual(draw(2, 0).slice(0, 4), x.slice(0, 4));
  assert.notDeepEqual(draw(1, 1).slice(0, 4), x.slice(0, 4));
});
