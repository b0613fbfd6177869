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

Deno.test("an id without a token decodes to nothing; what is no id is refused", () => {
  assert.equal(tokenizer.decode([512, ...tokenizer.encode("red"), 99_999]), "red");
  assert.equal(tokenizer.stream().push(512), "");
  for (const id of [-1, 1.5, NaN]) {
    assert.throws(
      () => tokenizer.decode([id]),
      new RangeError(`Cannot decode a token as an id must be an integer >= 0: it is ${id}`),
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

Deno.test("a WordPiece vocabulary decodes token by token too", () => {
  const other = new Tokenizer(wordPiece);
  assert.deepEqual([...other.encode("Playing well xyz")], [1, 2, 3, 0]);
  assert.equal(other.decode([1, 2, 3, 0]), "playing well");
  assert.equal(other.decode([0]), "");
  assert.equal(other.eosId, null);
  const stream = other.stream({ special: true });
  assert.deepEqual([1, 2, 0, 3].map((id) => stream.push(id)), ["play", "ing", " [UNK]", " well"]);
  assert.equal(stream.end(), "");
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
    new RangeError(
      'Cannot encode "xyz" as the vocabulary of the tokenizer must have tokens for all of it, or one for ' +
        'the unknown: it lacks "[UNK]"',
    ),
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
    /its vocabulary must have tokens: it is empty/,
  ],
  [
    "has text for an id",
    { model: { type: "BPE", vocab: { a: "0" }, merges: [] } },
    /model.vocab must give each token an id below 2\^32: "a" is "0"/,
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
    /each merge makes a token of two: merge 0 is "a b"/,
  ],
  [
    "merges what is no token",
    { model: { type: "BPE", vocab: { ab: 0, b: 1 }, merges: [["a", "b"]] } },
    /each merge makes a token of two: merge 0 is \["a","b"\]/,
  ],
  [
    "has an unknown pre-tokenizer",
    { ...json, pre_tokenizer: { type: "Magic" } },
    /^TypeError: Cannot use the tokenizer as the pre-tokenizer must be one of ByteLevel, .*: it is "Magic"$/,
  ],
];
for (const [fault, value, message] of broken) {
  Deno.test(`a tokenizer that ${fault} is refused`, () => {
    assert.throws(() => new Tokenizer(value), message);
  });
}

Deno.test("a token that the model has no row for is refused when a text has it, not before", () => {
  const small = new Tokenizer(json, { modelVocab: 511, from: "x/tokenizer.json" });
  assert.deepEqual(small.encode("red"), tokenizer.encode("red"));
  assert.throws(
    () => small.encode("red<|endoftext|>"),
    new RangeError(
      'Cannot encode "<|endoftext|>" as the model has 511 tokens: in x/tokenizer.json it is 511; use the ' +
        "tokenizer that the model was trained with, or add a row for it in Python: " +
        "model.resize_token_embeddings(len(tokenizer))",
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

/** `json` with another part in it. */
const withPart = (part: Record<string, unknown>): unknown => ({ ...json, ...part });
const split = (Regex: string): unknown =>
  withPart({
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex }, behavior: "Isolated" },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
  });
const replace = (pattern: unknown, content: unknown): unknown => ({
  type: "Replace",
  pattern,
  content,
});

const hostile: [string, unknown, RegExp][] = [
  [
    "an unknown normalizer",
    withPart({ normalizer: { type: "Magic" } }),
    /the normalizer must be one/,
  ],
  ["a normalizer of JavaScript", withPart({ normalizer: { type: "__proto__" } }), /"__proto__"$/],
  ["a normalizer without a type", withPart({ normalizer: {} }), /a normalizer must be an object/],
  [
    "an unknown decoder",
    withPart({ decoder: { type: "CTC" } }),
    /the decoder must be one .*"CTC"$/,
  ],
  [
    "a decoder behind one that makes one text",
    withPart({
      decoder: {
        type: "Sequence",
        decoders: [{ type: "Fuse" }, { type: "WordPiece", prefix: "#" }],
      },
    }),
    /only Strip may be behind a decoder that makes one text of the tokens: it is WordPiece/,
  ],
  ["dropout", withPart({ model: { ...json.model, dropout: 0.1 } }), /model\.dropout: /],
  [
    "a prefix of later pieces",
    withPart({ model: { ...json.model, continuing_subword_prefix: "##" } }),
    /a BPE model must have no continuing_subword_prefix: it is "##"/,
  ],
  [
    "an invalid regular expression",
    split("[b-a]"),
    /a regular expression must be valid: "\[b-a\]": /,
  ],
  ...[
    ["a nested repetition", "(a+)+b"],
    ["repetitions side by side", "\\s*\\s*\\s*x"],
    ["what follows a repetition", "\\s+x"],
    ["what follows a lazy repetition", "a+?b"],
    ["a repetition in a group", "(?:a+)b"],
    ["a repetition behind a look", "(?=a+b)a"],
    ["a repetition with a lower bound", "a{3,}b"],
    ["a back reference", "(a)\\1"],
    ["a class in a class", "[a[b]]+"],
    ["a repetition of a repetition", "a+{3}"],
    ["a long repetition", "a{1,5000}"],
    ["many choices", "a?".repeat(30) + "a".repeat(30)],
    ["many alternatives in a row", "(?:a|a)".repeat(30) + "b"],
    ["long repetitions in a row", "a{0,99}a{0,99}b"],
  ].map(([what, regex]): [string, unknown, RegExp] => [
    what,
    split(regex),
    /a regular expression must be that of a known tokenizer, or repeat without a bound only at the /,
  ]),
  [
    "a regular expression of a megabyte",
    split(`(${"a".repeat(1e6)}+)+`),
    /: "\(a{119}"… \(1000004 characters\)$/,
  ],
  [
    "a replacement that grows",
    withPart({ normalizer: replace({ String: "a" }, "a".repeat(65)) }),
    /must not grow beyond 64 times its length: with this Replace it may grow 65 times/,
  ],
  [
    "replacements that grow together",
    withPart({
      normalizer: {
        type: "Sequence",
        normalizers: Array(30).fill(replace({ String: "a" }, "aa")),
      },
    }),
    /with this Replace it may grow 128 times/,
  ],
  [
    "a replacement of nothing",
    withPart({ normalizer: replace({ Regex: "x*" }, "y".repeat(64)) }),
    /it may grow 65 times/,
  ],
  [
    "a replacement of an empty text",
    withPart({ normalizer: replace({ String: "" }, "a") }),
    /with char/,
  ],
  [
    "a prefix of a megabyte",
    withPart({ normalizer: { type: "Prepend", prepend: "a".repeat(1e6) } }),
    /prepend of a Prepend must be a text of at most 256 characters: it is "a{119}… \(1000002 ch/,
  ],
  [
    "bytes of bytes",
    withPart({
      pre_tokenizer: { type: "Sequence", pretokenizers: Array(2).fill({ type: "ByteLevel" }) },
    }),
    /with this ByteLevel it may grow 1024 times/,
  ],
  [
    "a thousand parts",
    withPart({ normalizer: { type: "Sequence", normalizers: Array(1000).fill({ type: "NFC" }) } }),
    /normalizers must be at most 64 parts/,
  ],
];
for (const [what, value, message] of hostile) {
  Deno.test(`a tokenizer with ${what} is refused by name, at once`, () => {
    assert.throws(() => new Tokenizer(value, { from: "x.json" }), (error: Error) => {
      assert.match(error.message, /^Cannot use x\.json as /);
      assert.match(error.message, message);
      return error.message.length < 500;
    });
  });
}

Deno.test("simple regular expressions run, in Unicode's meaning", () => {
  for (
    const regex of [" ?\\p{L}+|\\d{1,3}|.", "\\s+", "[0-9][0-9][0-9]", "(?:ab|c)?d+", "(?!\\S)x"]
  ) {
    new Tokenizer(split(regex)).encode(`ab dd 123 x${" ".repeat(2000)}`);
  }
});

Deno.test("a token called __proto__ is one, in every list of tokens", () => {
  const vocab = JSON.parse('{"a":0,"__proto__":1,"toString":2}');
  const added = JSON.parse('[{"content":"__proto__","special":false}]');
  const other = new Tokenizer({
    model: { type: "BPE", vocab, merges: [], ignore_merges: true },
    added_tokens: added,
  });
  assert.equal(other.vocabSize, 3);
  assert.deepEqual([...other.encode("a__proto__")], [0, 1]);
  assert.deepEqual([...other.encode("toString")], [2]);
  assert.equal(other.decode([1]), "__proto__");
  assert.equal(other.idOf("constructor"), null);
});

Deno.test("nesting, and files beside the tokenizer that are not what they say, are refused", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
    await write("tokenizer.json", '{"model":'.repeat(100_000) + "1" + "}".repeat(100_000));
    await assert.rejects(() => loadTokenizer(folder), {
      name: "TypeError",
      message: new RegExp(
        `^Cannot use ${folder}/tokenizer.json as it must be JSON: more than 64 levels at character`,
      ),
    });
    await write("tokenizer.json", JSON.stringify(json));
    const cases: [string, string, RegExp][] = [
      [
        "tokenizer_config.json",
        "[".repeat(100_000),
        /tokenizer_config\.json as it must be JSON: more than 64 levels/,
      ],
      ["tokenizer_config.json", '{"eos_token": 5}', /config\.json as the settings .*: eos_token: /],
      [
        "special_tokens_map.json",
        "[]",
        /special_tokens_map\.json as the settings of a tokenizer are/,
      ],
      [
        "added_tokens.json",
        '{"a": -1}',
        /added_tokens\.json as it must be JSON of tokens .*"a" is -1/,
      ],
      ["generation_config.json", "null", /must be a token's id/],
    ];
    for (const [name, text, message] of cases.slice(0, 4)) {
      await write(name, text);
      await assert.rejects(() => loadTokenizer(folder), message);
      await Deno.remove(`${folder}/${name}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
