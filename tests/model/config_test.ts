import assert from "node:assert/strict";
import { configJson, modelDims, parseConfig } from "../../model/config.ts";

const small = { vocab_size: 50, n_positions: 16, n_embd: 12, n_layer: 2, n_head: 3 };

Deno.test("parseConfig() fills in GPT-2's defaults and modelDims() gives the letters", () => {
  const config = parseConfig(small);
  assert.equal(config.activation_function, "gelu_new");
  assert.equal(config.eos_token_id, undefined);
  assert.deepEqual(modelDims(config), {
    V: 50,
    P: 16,
    C: 12,
    L: 2,
    H: 3,
    D: 4,
    I: 48,
    eps: 1e-5,
    scale: 0, // 1 / sqrt(D)
    windows: [16, 16],
  });
  assert.equal(modelDims(parseConfig({ ...small, n_inner: 20 })).I, 20);
});

Deno.test("parseConfig() keeps keys that it does not know, and configJson() writes them back", () => {
  const config = parseConfig({ ...small, embd_pdrop: 0.1, task_specific_params: { a: [1] } });
  const written = JSON.parse(configJson(config));
  assert.equal(written.embd_pdrop, 0.1);
  assert.deepEqual(written.task_specific_params, { a: [1] });
  assert.deepEqual(written.architectures, ["GPT2LMHeadModel"]);
  assert.deepEqual(parseConfig(written), { ...config, architectures: ["GPT2LMHeadModel"] });
});

Deno.test("parseConfig() takes n_ctx where n_positions is missing", () => {
  const { n_positions, ...old } = small;
  assert.equal(parseConfig({ ...old, n_ctx: n_positions }).n_positions, 16);
});

Deno.test("parseConfig() says which value is wrong, what it is, and in which file", () => {
  assert.throws(
    () => parseConfig({ ...small, n_head: 5 }, "a/config.json"),
    new RangeError(
      "Cannot use a/config.json as n_embd must be divisible by n_head: 12 and 5",
    ),
  );
  const wrong: [object, RegExp][] = [
    [{ model_type: "llama" }, /model_type is "llama"/],
    [{ activation_function: "relu" }, /activation_function is "relu"/],
    [{ vocab_size: "50" }, /vocab_size is "50"/],
    [{ n_layer: 0 }, /n_layer is 0/],
    [{ n_layer: 1.5 }, /n_layer is 1.5/],
    [{ n_layer: 10_000 }, /n_layer is 10000 \(too big/],
    [{ n_layer: 2 ** 40 }, /n_layer is 1099511627776 \(too big/],
    [{ n_embd: undefined }, /n_embd is missing/],
    [{ tie_word_embeddings: 1 }, /tie_word_embeddings is 1/],
    [{ scale_attn_weights: false }, /scale_attn_weights is false/],
    [{ scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true/],
    [{ add_cross_attention: true }, /add_cross_attention is true/],
    [{ pruned_heads: { 0: [1] } }, /pruned_heads is {"0":\[1\]} \(no head may be missing/],
    [{ quantization_config: { bits: 4 } }, /quantization_config is .* \(weights must be numbers/],
    [{ is_encoder_decoder: true }, /is_encoder_decoder is true/],
    [{ activation_function: "gelu" }, /activation_function is "gelu"/],
    [{ resid_pdrop: "0.1" }, /resid_pdrop is "0.1"/],
    [{ num_attention_heads: null }, /n_head is null/],
    [{ num_attention_heads: 5 }, /n_embd must be divisible by n_head: 12 and 5/],
    [{ eos_token_id: 50 }, /eos_token_id must be below vocab_size 50: it is 50/],
    [{ layer_norm_epsilon: 0 }, /layer_norm_epsilon is 0/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => parseConfig({ ...small, ...change }), message);
  }
  for (const value of [null, [], "gpt2", 3]) {
    assert.throws(() => parseConfig(value), /must be a JSON object: it is/);
  }
});

Deno.test("parseConfig() says it in one sentence, however much of the config is missing or strange", () => {
  const kinds = [{}, { model_type: null }, { model_type: [] }, { model_type: "gpt_neo" }];
  for (const config of kinds) {
    assert.throws(() => parseConfig(config), /^TypeError: Cannot use the model's config as a GPT/);
  }
  assert.throws(() => parseConfig(undefined), /must be a JSON object: it is undefined$/);
  const long = { ...small, n_embd: "9".repeat(1e6), n_head: Array(1e5).fill(7) };
  assert.throws(() => parseConfig(long), (error: Error) => {
    assert.match(error.message, /n_embd is "9{80}"… \(1000000 characters\)/);
    assert.ok(error.message.length < 1000);
    return true;
  });
  const many = { ...neo, attention_layers: Array(5000).fill("globe") };
  assert.throws(() => parseConfig(many), /attention_layers\.7 is "globe" .*; and 4992 more$/);
  const named = parseConfig({ ...small, ...JSON.parse('{"__proto__": {"n_inner": 7}}') });
  assert.equal(Object.getPrototypeOf(named), Object.prototype);
});

Deno.test("parseConfig() reads the other names of a setting as transformers reads them", () => {
  // GPT2Config(n_head=3, num_attention_heads=2, …) of transformers 4.46.3 has n_head 2, and so on.
  const others = {
    num_attention_heads: 2,
    hidden_size: 8,
    num_hidden_layers: 1,
    max_position_embeddings: 6,
  };
  for (
    const config of [{ ...small, ...others }, { ...others, ...small }, {
      vocab_size: 50,
      ...others,
    }]
  ) {
    const parsed = parseConfig(config);
    const { H, C, L, P } = modelDims(parsed);
    assert.deepEqual([H, C, L, P], [2, 8, 1, 6]);
    const written = JSON.parse(configJson(parsed));
    assert.deepEqual(Object.keys(written).filter((key) => key in others), []);
    assert.equal(written.n_head, 2);
  }
  const { H, L } = modelDims(parseConfig({ ...neo, num_attention_heads: 4, num_hidden_layers: 3 }));
  assert.deepEqual([H, L], [4, 3]);
  assert.throws(
    () => parseConfig({ ...neo, num_hidden_layers: 2 }),
    /attention_types must give num_layers 2 layers: it gives more/,
  );
  // What is another family's name is no name here: transformers does not read it either.
  assert.equal(modelDims(parseConfig({ ...small, num_heads: 2, num_layers: 7 })).H, 3);
  assert.equal(modelDims(parseConfig({ ...neo, n_head: 2, n_embd: 4 })).H, 3);
});

Deno.test("parseConfig() passes over what transformers reads nowhere: n_ctx, empty pruned_heads", () => {
  const config = parseConfig({ ...small, n_ctx: 8, pruned_heads: {}, quantization_config: null });
  assert.equal(modelDims(config).P, 16);
  assert.equal(modelDims(parseConfig({ ...small, pruned_heads: { 0: [] } })).H, 3);
  for (const name of ["gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"]) {
    assert.equal(parseConfig({ ...small, activation_function: name }).activation_function, name);
  }
});

Deno.test("configJson() says dropout 0.0 where the config says none, and one element type", () => {
  const text = configJson(
    parseConfig({ ...small, attn_pdrop: 0.25, torch_dtype: "bfloat16" }),
    "float16",
  );
  for (const line of ['"resid_pdrop": 0.0,', '"embd_pdrop": 0.0,', '"attn_pdrop": 0.25,']) {
    assert.ok(text.includes(`  ${line}\n`), line);
  }
  const { dtype, torch_dtype } = JSON.parse(text);
  assert.deepEqual([dtype, torch_dtype], ["float16", "float16"]);
  const other = configJson(
    parseConfig({ ...neo, dtype: "bfloat16", layer_norm_epsilon: 1 }),
    "float32",
  );
  for (const key of ["resid_dropout", "embed_dropout", "attention_dropout"]) {
    assert.ok(other.includes(`  "${key}": 0.0,\n`), key);
  }
  assert.ok(other.includes('"layer_norm_epsilon": 1.0,'));
  assert.equal(JSON.parse(other).dtype, JSON.parse(other).torch_dtype);
});

const neo = {
  model_type: "gpt_neo",
  vocab_size: 50,
  max_position_embeddings: 16,
  hidden_size: 12,
  num_layers: 3,
  num_heads: 3,
  attention_types: [[["local"], 1], [["global", "local"], 1]],
  window_size: 5,
};

Deno.test("parseConfig() reads a GPT-Neo, and modelDims() gives each layer's window", () => {
  const config = parseConfig(neo);
  assert.deepEqual(modelDims(config), {
    V: 50,
    P: 16,
    C: 12,
    L: 3,
    H: 3,
    D: 4,
    I: 48,
    eps: 1e-5,
    scale: 1,
    windows: [5, 16, 5],
  });
  assert.deepEqual(config.attention_layers, ["local", "global", "local"]);
  const { window_size, ...rest } = neo;
  assert.equal(window_size, 5);
  assert.deepEqual(modelDims(parseConfig(rest)).windows, [256, 16, 256]);
  assert.equal(modelDims(parseConfig({ ...neo, intermediate_size: 20 })).I, 20);
});

Deno.test("configJson() writes a GPT-Neo that transformers loads, whichever list of layers was given", () => {
  const { attention_types, ...rest } = neo;
  const config = parseConfig({
    ...rest,
    attention_layers: ["local", "global", "local"],
    resid_dropout: 0.1,
  });
  const written = JSON.parse(configJson(config));
  assert.deepEqual(written.architectures, ["GPTNeoForCausalLM"]);
  assert.deepEqual(written.attention_types, [[["local", "global", "local"], 1]]);
  assert.equal(written.resid_dropout, 0.1);
  assert.deepEqual(modelDims(parseConfig(written)), modelDims(config));
  assert.deepEqual(JSON.parse(configJson(parseConfig(neo))).attention_types, attention_types);
});

Deno.test("parseConfig() says which value of a GPT-Neo is wrong, and what it is", () => {
  const wrong: [object, RegExp][] = [
    [{ attention_types: undefined }, /as a GPT-Neo needs other values: attention_types is missing/],
    [{ attention_types: [[["globe"], 3]] }, /attention_types.0.0.0 is "globe"/],
    [{ attention_types: [[["local"], 0]] }, /attention_types.0.1 is 0/],
    [{ attention_types: [["local", 3]] }, /attention_types.0.0 is "local"/],
    [{ attention_types: [[["local"], 1e9]] }, /attention_types.0.1 is 1000000000/],
    [
      { attention_types: [[["local"], 2]] },
      /attention_types must give num_layers 3 layers: it gives 2/,
    ],
    [
      { attention_types: [[["local"], 900], [["global"], 900]] },
      /attention_types must give num_layers 3 layers: it gives more/,
    ],
    [{ attention_layers: ["local"] }, /attention_layers must give num_layers 3 layers: it gives 1/],
    [
      { attention_layers: ["local", "local", "local"] },
      /attention_layers must be what attention_types say: layer 1 is local and global/,
    ],
    [{ window_size: 0 }, /window_size is 0/],
    [{ num_layers: "3" }, /num_layers is "3"/],
    [{ num_layers: 1001 }, /num_layers is 1001/],
    [{ num_heads: 5 }, /hidden_size must be divisible by num_heads: 12 and 5/],
    [{ activation_function: "relu" }, /activation_function is "relu"/],
    [{ eos_token_id: 50 }, /eos_token_id must be below vocab_size 50: it is 50/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => parseConfig({ ...neo, ...change }), message);
  }
});
