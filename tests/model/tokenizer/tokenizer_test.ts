import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import fixture from "../../fixtures/bpe.json" with { type: "json" };
import json from "../../fixtures/bpe_tokenizer.json" with { type: "json" };

const PATH = fileURLToPath(new URL("../../fixtures/bpe_tokenizer.json", import.meta.url));
const tokenizer = await loadTokenizer(PATH);
const unicode = fc.string({ unit: "binary" });

for (const { text, ids } of fixture.rows) {
  Deno.test(`encode() and decode() agree with Python's tokenizers on ${JSON.stringify(text)}`, () => {
    assert.deepEqual([...tokenizer.encode(text)], ids);
    assert.equal(tokenizer.decode(ids, { special: true }), text);
  });
}

Deno.test("decode() gives back any text that encode() took", () => {
  fc.assert(fc.property(unicode, (text) => {
    assert.equal(tokenizer.decode(tokenizer.encode(text), { special: true }), text);
  }));
});

Deno.test("vocabSize and eosId come from the file; special tokens are left out unless asked for", () => {
  assert.equal(tokenizer.vocabSize, 512);
  assert.equal(tokenizer.eosId, 511);
  const ids = [...tokenizer.encode("red"), 511];
  assert.equal(tokenizer.decode(ids), "red");
  assert.equal(tokenizer.decode(ids, { special: true }), "red<|endoftext|>");
  assert.equal(tokenizer.decode([]), "");
});

Deno.test("stream() shows a character when the last of its bytes has come, and loses nothing", () => {
  fc.assert(fc.property(unicode, (text) => {
    const stream = tokenizer.stream({ special: true });
    const pieces = [...tokenizer.encode(text)].map((id) => stream.push(id));
    for (const piece of pieces) assert.ok(piece.isWellFormed());
    assert.equal(pieces.join("") + stream.end(), text);
  }));
  const stream = tokenizer.stream();
  const ids = [...tokenizer.encode("🙂")];
  assert.ok(ids.length > 1, "the emoji must be spread over several tokens");
  assert.deepEqual(ids.map((id) => stream.push(id)), [...ids.slice(1).map(() => ""), "🙂"]);
  assert.equal(stream.push(511), "");
});

Deno.test("bytes that are no text become replacement characters, at the end too", () => {
  const [first] = tokenizer.encode("é"); // two bytes, two tokens
  const stream = tokenizer.stream();
  assert.equal(stream.push(first), "");
  assert.equal(stream.end(), "\ufffd");
  assert.equal(tokenizer.decode([first, ...tokenizer.encode("a")]), "\ufffda");
});

Deno.test("a byte order mark is a character like others, and spaces before punctuation stay", () => {
  for (const text of ["\ufeffa", "it 's , no ?"]) {
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  }
  const other = new Tokenizer({
    ...wordPiece,
    model: { ...wordPiece.model, vocab: { ...wordPiece.model.vocab, "?": 4 } },
  });
  assert.equal(other.decode([3, 4]), "well ?");
});

Deno.test("a lone surrogate is encoded as the replacement character", () => {
  assert.equal(tokenizer.decode(tokenizer.encode("a\ud800b")), "a\ufffdb");
});

Deno.test("decode() refuses an id that the vocabulary lacks", () => {
  for (const id of [512, -1, 1.5]) {
    assert.throws(
      () => tokenizer.decode([id]),
      new RangeError(`Cannot decode token ${id} as the vocabulary has 512 ids`),
    );
    assert.throws(() => tokenizer.stream().push(id), RangeError);
  }
});

const wordPiece = {
  added_tokens: [{ id: 0, content: "[UNK]", special: true }],
  normalizer: { type: "BertNormalizer", lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  decoder: { type: "WordPiece", prefix: "##", cleanup: false },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, "play": 1, "##ing": 2, "well": 3 },
  },
};

Deno.test("a WordPiece vocabulary is read too, but does not decode token by token", () => {
  const other = new Tokenizer(wordPiece);
  assert.deepEqual([...other.encode("Playing well xyz")], [1, 2, 3, 0]);
  assert.equal(other.decode([1, 2, 3, 0]), "playing well");
  assert.equal(other.decode([0]), "");
  assert.equal(other.eosId, null);
  assert.throws(() => other.stream(), /only byte-level vocabularies can: use decode/);
});

Deno.test("a word without a token is refused where the vocabulary has none for the unknown", () => {
  const { "[UNK]": _, ...vocab } = wordPiece.model.vocab;
  const other = new Tokenizer({
    ...wordPiece,
    added_tokens: [],
    model: { ...wordPiece.model, vocab },
  });
  assert.deepEqual([...other.encode("play")], [1]);
  assert.throws(
    () => other.encode("play xyz"),
    new RangeError('Cannot encode "[UNK]" as the vocabulary lacks it'),
  );
});

const broken: [string, unknown, RegExp][] = [
  ["is null", null, /the file: /],
  ["has no model", { ...json, model: undefined }, /model: /],
  ["has an unknown model", { ...json, model: { ...json.model, type: "Magic" } }, /model.type: /],
  ["has no vocabulary", { ...json, model: { ...json.model, vocab: undefined } }, /model.vocab: /],
  [
    "has an empty vocabulary",
    { model: { type: "BPE", vocab: {}, merges: [] } },
    /vocabulary is empty/,
  ],
  [
    "has text for an id",
    { model: { type: "BPE", vocab: { a: "0" }, merges: [] } },
    /model.vocab.a: /,
  ],
  [
    "has no merges",
    { model: { type: "BPE", vocab: { a: 0 } } },
    /a BPE model has merges: there are none/,
  ],
  [
    "uses an id twice",
    { model: { type: "BPE", vocab: { a: 0, b: 0 }, merges: [] } },
    /every token has its own id: "a" and "b" are both 0/,
  ],
  [
    "merges into no token",
    { model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: ["a b"] } },
    /each merge makes a token: merge 0 is "a b"/,
  ],
  [
    "has a character that stands for no byte",
    { ...json, model: { ...json.model, vocab: { ...json.model.vocab, "日": 600 } } },
    /a byte-level token has GPT-2's byte characters: "日" has not/,
  ],
  [
    "has an unknown pre-tokenizer",
    { ...json, pre_tokenizer: { type: "Magic" } },
    /Unknown PreTokenizer type: Magic/,
  ],
];
for (const [fault, value, message] of broken) {
  Deno.test(`a tokenizer that ${fault} is refused`, () => {
    assert.throws(() => new Tokenizer(value), message);
  });
}

Deno.test("a tokenizer with more ids than the model has tokens is refused", () => {
  assert.equal(new Tokenizer(json, { modelVocab: 512 }).vocabSize, 512);
  assert.throws(
    () => new Tokenizer(json, { modelVocab: 511, from: "x/tokenizer.json" }),
    new RangeError(
      'Cannot use x/tokenizer.json as its model has 511 tokens: "<|endoftext|>" is 511; ' +
        "use the tokenizer that the model was trained with",
    ),
  );
});

Deno.test("loadTokenizer() names the file that is missing or cut short", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assert.rejects(() => loadTokenizer(folder), {
      name: "NotFound",
      message: /there is no .*\/tokenizer.json, nor vocab.json .*; in Python, AutoTokenizer/,
    });
    const text = await Deno.readTextFile(PATH);
    await Deno.writeTextFile(`${folder}/tokenizer.json`, text.slice(0, -9));
    await assert.rejects(() => loadTokenizer(folder), {
      name: "TypeError",
      message: /tokenizer.json as it must be JSON: /,
    });
    await Deno.writeTextFile(`${folder}/tokenizer.json`, text);
    assert.equal((await loadTokenizer(folder)).vocabSize, 512);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
