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
    [{ n_layer: 2 ** 40 }, /n_layer is 1099511627776 \(too big/],
    [{ n_embd: undefined }, /n_embd is missing/],
    [{ tie_word_embeddings: 1 }, /tie_word_embeddings is 1/],
    [{ scale_attn_weights: false }, /scale_attn_weights is false/],
    [{ scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true/],
    [{ add_cross_attention: true }, /add_cross_attention is true/],
    [{ n_ctx: 8 }, /n_ctx must equal n_positions: 8 and 16/],
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
      { attention_types: [[["local"], 9000], [["global"], 9000]] },
      /attention_types must give num_layers 3 layers: it gives more/,
    ],
    [{ attention_layers: ["local"] }, /attention_layers must give num_layers 3 layers: it gives 1/],
    [
      { attention_layers: ["local", "local", "local"] },
      /attention_layers must be what attention_types say: layer 1 is local and global/,
    ],
    [{ window_size: 0 }, /window_size is 0/],
    [{ num_layers: "3" }, /num_layers is "3"/],
    [{ num_layers: 10_001 }, /num_layers is 10001/],
    [{ num_heads: 5 }, /hidden_size must be divisible by num_heads: 12 and 5/],
    [{ activation_function: "relu" }, /activation_function is "relu"/],
    [{ eos_token_id: 50 }, /eos_token_id must be below vocab_size 50: it is 50/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => parseConfig({ ...neo, ...change }), message);
  }
});
