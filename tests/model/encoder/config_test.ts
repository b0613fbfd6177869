import assert from "node:assert/strict";
import { parseEncoderConfig } from "../../../model/encoder/config.ts";

const distilbert = {
  ...{ model_type: "distilbert", vocab_size: 50, max_position_embeddings: 16 },
  ...{ dim: 12, n_layers: 2, n_heads: 3, hidden_dim: 24 },
};
const bert = {
  ...{ model_type: "bert", vocab_size: 50, max_position_embeddings: 16, hidden_size: 12 },
  ...{ num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 24 },
};

Deno.test("DistilBERT's other names of settings count, as in transformers; BERT has none", () => {
  const others = { hidden_size: 8, num_attention_heads: 2, num_hidden_layers: 1 };
  const { dims } = parseEncoderConfig({ ...distilbert, ...others });
  assert.deepEqual([dims.C, dims.H, dims.L], [8, 2, 1]);
  assert.equal(parseEncoderConfig({ ...bert, dim: 8, n_heads: 2 }).dims.C, 12);
});

Deno.test("an encoder of another network, or with nothing to go by, is refused in one sentence", () => {
  const wrong: [unknown, RegExp][] = [
    [{ ...bert, pruned_heads: { 0: [1] } }, /pruned_heads is {"0":\[1\]} \(no head may be missing/],
    [{ ...distilbert, quantization_config: { bits: 8 } }, /quantization_config is/],
    [{ ...bert, add_cross_attention: true }, /add_cross_attention is true/],
    [{ ...bert, hidden_act: "x".repeat(1e6) }, /hidden_act is "x{80}"… \(1000000 characters\)/],
    [{}, /model_type is missing/],
    [null, /the file is null/],
    [[], /the file is \[\]/],
  ];
  for (const [config, message] of wrong) {
    assert.throws(() => parseEncoderConfig(config), (error: Error) => {
      assert.match(error.message, /^Cannot use the encoder's config as a BERT or DistilBERT needs/);
      assert.match(error.message, message);
      return error.message.length < 600;
    });
  }
});
