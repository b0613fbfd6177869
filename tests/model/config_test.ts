import assert from "node:assert/strict";
import { configJson, modelDims, parseConfig } from "../../model/config.ts";

const small = { vocab_size: 50, n_positions: 16, n_embd: 12, n_layer: 2, n_head: 3 };

Deno.test("parseConfig() fills in GPT-2's defaults and modelDims() gives the letters", () => {
  const config = parseConfig(small);
  assert.equal(config.activation_function, "gelu_new");
  assert.equal(config.eos_token_id, null);
  assert.deepEqual(modelDims(config), {
    V: 50,
    P: 16,
    C: 12,
    L: 2,
    H: 3,
    D: 4,
    I: 48,
    eps: 1e-5,
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
