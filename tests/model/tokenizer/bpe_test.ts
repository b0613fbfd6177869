import assert from "node:assert/strict";
import { Tokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import fc from "fast-check";
import {
  byteCharacters,
  END_OF_TEXT,
  TOKENIZER_CONFIG,
  trainBpe,
} from "../../../model/tokenizer/bpe.ts";
import fixture from "../../fixtures/bpe.json" with { type: "json" };
import texts from "../../fixtures/bpe_texts.json" with { type: "json" };
import fixtureTokenizer from "../../fixtures/bpe_tokenizer.json" with { type: "json" };

const documents = texts.training;
const options = { documents, vocabulary: 512, whole: ["purple", "Größe"] };
const trained = trainBpe(options);
const tokenizer = new Tokenizer(trained, TOKENIZER_CONFIG);
/** The package refuses to decode nothing. */
const decode = (ids: number[]): string =>
  ids.length === 0 ? "" : tokenizer.decode(ids, { skip_special_tokens: false });

Deno.test("merges follow the worked example of Sennrich et al.: es, est, lo, low", () => {
  const words = "low ".repeat(5) + "lower ".repeat(2) + "newest ".repeat(6) + "widest ".repeat(3);
  const { model } = trainBpe({ documents: words.trim().split(" "), vocabulary: 257 + 4 });
  // The paper marks the end of a word, byte-level BPE does not; ties go to the smaller text.
  assert.deepEqual(model.merges, [["e", "s"], ["es", "t"], ["l", "o"], ["lo", "w"]]);
});

Deno.test("an overlapping run is joined from the left, and its counts stay right", () => {
  const { model } = trainBpe({ documents: ["aaaaa", "aaaaa", "ab"], vocabulary: 257 + 4 });
  assert.deepEqual(model.merges, [["a", "a"], ["aa", "a"], ["aa", "aaa"], ["a", "b"]]);
});

Deno.test("the same text trains the same file, in whatever order its documents come", () => {
  assert.equal(JSON.stringify(trainBpe(options)), JSON.stringify(trained));
  const turned = trainBpe({ ...options, documents: [...documents].reverse() });
  assert.equal(JSON.stringify(turned), JSON.stringify(trained));
});

Deno.test("256 different characters stand for the bytes, printable ones for themselves", () => {
  const characters = byteCharacters();
  assert.equal(new Set(characters).size, 256);
  assert.deepEqual([characters[0x20], characters[0x0a], characters[0x41]], ["Ġ", "Ċ", "A"]);
  for (const character of characters) assert.ok(trained.model.vocab[character] < 256);
});

Deno.test("token numbers have no gap, and end-of-text is the last one", () => {
  const numbers = Object.values(trained.model.vocab);
  assert.deepEqual(numbers.toSorted((a, b) => a - b), numbers.map((_, i) => i));
  assert.equal(numbers.length, 512);
  assert.equal(trained.model.vocab[END_OF_TEXT], 511);
  assert.deepEqual(tokenizer.encode(`a${END_OF_TEXT}`).ids, [trained.model.vocab["a"], 511]);
});

Deno.test("words that must be whole are one token, alone and behind a space", () => {
  for (const word of options.whole) {
    assert.equal(tokenizer.encode(word).ids.length, 1, word);
    assert.equal(tokenizer.encode(` ${word}`).ids.length, 1, word);
  }
  assert.ok(
    new Tokenizer(trainBpe({ documents, vocabulary: 512 }), {}).encode("Größe").ids.length > 1,
  );
});

Deno.test("any text comes back from its tokens unchanged", () => {
  const same = (text: string) => assert.equal(decode(tokenizer.encode(text).ids), text);
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), same), {
    seed: 1,
    numRuns: 500,
  });
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), same), { seed: 1, numRuns: 500 });
  const byte = fc.uint8Array({ maxLength: 40 });
  fc.assert(fc.property(byte, (bytes) => same(new TextDecoder().decode(bytes))), {
    seed: 1,
    numRuns: 500,
  });
});

Deno.test("the committed tokenizer is what the trainer gives today", () => {
  assert.deepEqual(fixtureTokenizer, JSON.parse(JSON.stringify(trained)));
});

Deno.test("tokens are those of Python's tokenizers, text for text", () => {
  assert.ok(fixture.rows.length >= 10);
  for (const { text, ids } of fixture.rows) {
    assert.deepEqual(tokenizer.encode(text).ids, ids, JSON.stringify(text));
    assert.equal(decode(ids), text);
  }
});

Deno.test("a text without pairs gives the bytes alone", () => {
  const { model } = trainBpe({ documents: ["a", "b"], vocabulary: 1000 });
  assert.equal(Object.keys(model.vocab).length, 257);
  assert.equal(model.merges.length, 0);
});

Deno.test("a vocabulary that has no room for the bytes is refused", () => {
  for (const vocabulary of [0, 256, 65_537, 300.5, NaN]) {
    assert.throws(() => trainBpe({ documents: [], vocabulary }), {
      name: "RangeError",
      message:
        `Cannot train a byte-level BPE as its vocabulary must be 257 to 65536 tokens: ${vocabulary}`,
    });
  }
});
