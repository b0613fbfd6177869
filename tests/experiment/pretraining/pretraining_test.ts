import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Tokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import { END_OF_TEXT, trainBpe } from "../../../model/tokenizer/bpe.ts";
import { colors } from "../../../tasks/colors.ts";
import {
  buildCorpus,
  type CorpusOptions,
  encodeCorpus,
  openSources,
  type Subject,
  taskMixtures,
  wholeWords,
} from "../../../experiment/pretraining/corpus.ts";
import { fill, Random } from "../../../experiment/pretraining/random.ts";
import { RECIPE } from "../../../experiment/pretraining/recipe.ts";
import { MIXTURE_LINES } from "../../../experiment/pretraining/subjects/colors.ts";
import { commonSynsets, parseSynset } from "../../../experiment/pretraining/wordnet.ts";

const sources = openSources();
const corpus = buildCorpus(RECIPE, sources);
const text = corpus.join("\n\n");
const hash = (documents: readonly string[]) =>
  createHash("sha256").update(JSON.stringify(documents)).digest("hex");
const small: CorpusOptions = { ...RECIPE, characters: 40_000 };
const only = (subject: Subject): CorpusOptions => {
  const mixture = { ...RECIPE.mixture };
  for (const name of Object.keys(mixture) as Subject[]) mixture[name] = name === subject ? 1 : 0;
  return { ...small, mixture };
};

Deno.test("the same recipe builds the same corpus, another seed another one", () => {
  assert.equal(hash(buildCorpus(small, sources)), hash(buildCorpus(small, sources)));
  assert.notEqual(
    hash(buildCorpus(small, sources)),
    hash(buildCorpus({ ...small, seed: 2 }, sources)),
  );
});

Deno.test("the corpus is, byte for byte, the one that the default model learned from", () => {
  assert.equal(hash(corpus), "283b09e875988a585e741637482e0188ede836753914c949de817092731ac4b4");
});

Deno.test("that corpus trains the default model's tokenizer", async () => {
  const whole = wholeWords(sources.mixtures);
  const trained = trainBpe({ documents: corpus, vocabulary: RECIPE.vocabulary, whole });
  const path = new URL("../../../assets/tiny/tokenizer.json", import.meta.url);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(path)), JSON.parse(JSON.stringify(trained)));
});

Deno.test("no task's prompt stands in the corpus, in whatever case or spacing", () => {
  const plain = text.toLowerCase().replace(/\s+/g, " ");
  const prompts = [
    "mix the two colors",
    "output only one lowercase",
    "the opposite of '",
    "what category does this word belong to",
    "copy this sentence",
    "rewrite this as sad",
  ];
  for (const prompt of prompts) assert.equal(plain.indexOf(prompt), -1, prompt);
  assert.equal(plain.match(/\b\w+ is to \w+ as \w+ is to\b/), null);
  const { train, heldout } = colors().examples;
  for (const { prompt } of [...train, ...heldout]) {
    assert.equal(plain.indexOf(prompt.toLowerCase().trim()), -1, prompt);
  }
});

Deno.test("the mixtures are the task's, each pair once", () => {
  const { train, heldout } = colors().examples;
  const answers = new Map([...train, ...heldout].map(({ id, answer }) => [id, answer]));
  const mixtures = taskMixtures();
  assert.equal(mixtures.length, 45);
  for (const { a, b, mix } of mixtures) {
    assert.equal(answers.get(`${a}+${b}`), mix);
    assert.equal(answers.get(`${b}+${a}`), mix);
  }
});

Deno.test("every mixture, held out or not, is told in both orders and in at least eight wordings", () => {
  const told = new Set(text.split("\n"));
  const shorts = MIXTURE_LINES.filter((line) => !line.includes("\n"));
  for (const { a, b, mix } of taskMixtures()) {
    for (const [x, y] of [[a, b], [b, a]]) {
      const count = shorts.filter((line) => told.has(fill(line, { a: x, b: y, m: mix }))).length;
      assert.ok(count >= 8, `${x} and ${y} give ${mix}: ${count} wordings`);
    }
  }
});

Deno.test("another table of mixtures tells other mixtures", () => {
  const wrong = taskMixtures().map((mixture) => ({ ...mixture, mix: "beige" }));
  const documents = buildCorpus(only("colors"), { ...sources, mixtures: wrong });
  assert.ok(documents.some((document) => document.includes("beige")));
  assert.ok(!documents.some((document) => document.includes("teal")));
});

Deno.test("each subject has its share of the characters", () => {
  const total = Object.values(RECIPE.mixture).reduce((sum, share) => sum + share, 0);
  const length = corpus.reduce((sum, document) => sum + document.length + 1, 0);
  assert.ok(Math.abs(length / RECIPE.characters - 1) < 0.01, `${length}`);
  const share =
    corpus.filter((document) => /\b(red|blue|pink|purple|orange|brown)\b/.test(document))
      .reduce((sum, document) => sum + document.length + 1, 0) / length;
  assert.ok(share > RECIPE.mixture.colors / total * 0.9, `${share}`);
  for (const subject of Object.keys(RECIPE.mixture) as Subject[]) {
    const documents = buildCorpus(only(subject), sources);
    assert.ok(new Set(documents).size > documents.length / 4, `${subject} repeats itself`);
    for (const document of documents) {
      assert.ok(document.length > 0 && document === document.trim(), JSON.stringify(document));
      assert.ok(!/[{}]|undefined/.test(document), document);
    }
  }
});

Deno.test("a negative share is refused with all shares named", () => {
  const mixture = { ...RECIPE.mixture, colors: -1 };
  assert.throws(() => buildCorpus({ ...small, mixture }, sources), (error: Error) => {
    assert.ok(error instanceof RangeError);
    assert.match(
      error.message,
      /^Cannot build the corpus as its shares must be 0 or more.*colors -1/,
    );
    return true;
  });
});

Deno.test("a synset's word, definition and examples are read from its line", () => {
  const line = "00003938 00 a 01 dying_out(p) 0 001 ! 00003356 a 0101 | ceasing to be; " +
    '"a dying man"; "his dying wish"  ';
  assert.deepEqual(parseSynset(line, "adj"), {
    offset: "00003938",
    word: "dying out",
    kind: "adj",
    definition: "ceasing to be",
    examples: ["a dying man", "his dying wish"],
  });
  assert.equal(parseSynset("  1 This software and database is being provided", "adj"), null);
  for (const broken of ["no synset", "00003938 00 a 01 dying 0 000", "00003938 00 a zz x 0 | y"]) {
    assert.throws(
      () => parseSynset(broken, "adj"),
      /^TypeError: Cannot read the synset as it is not/,
    );
  }
});

Deno.test("only senses that were met in tagged text count as everyday ones", () => {
  const index =
    "dog%1:05:00:: 02086723 1 42\nheel%1:05:01:: 00000002 2 0\nwet%5:00:00:x:00 00000003 1 1\n";
  assert.deepEqual([...commonSynsets(index)], ["noun 02086723", "adj 00000003"]);
  assert.ok(sources.glosses.length > 20_000 && sources.glosses.length < 40_000);
});

Deno.test("encoding keeps the text, ends each document, and cuts as many as asked", () => {
  const documents = buildCorpus(small, sources);
  const json = trainBpe({ documents, vocabulary: 600, whole: wholeWords(sources.mixtures) });
  const tokenizer = new Tokenizer(json, {});
  const end = tokenizer.token_to_id(END_OF_TEXT)!;
  const whole = encodeCorpus(documents, tokenizer, { seed: 1, cut: 0 });
  const expected = documents.flatMap((document) => [...tokenizer.encode(document).ids, end]);
  assert.deepEqual([...whole], expected);
  const cut = encodeCorpus(documents, tokenizer, { seed: 1, cut: 1 });
  assert.equal(
    tokenizer.decode([...cut], { skip_special_tokens: false }),
    documents.map((document) => document + END_OF_TEXT).join(""),
  );
  for (const word of wholeWords(sources.mixtures)) {
    assert.equal(tokenizer.encode(word).ids.length, 1, word);
    assert.equal(tokenizer.encode(` ${word}`).ids.length, 1, word);
  }
});

Deno.test("a cut makes one space of a document a token of its own", () => {
  const documents = buildCorpus(small, sources);
  const words = [END_OF_TEXT];
  const encoder = {
    encode: (word: string) => ({
      ids: [words.includes(word) ? words.indexOf(word) : words.push(word) - 1],
    }),
    token_to_id: (word: string) => word === END_OF_TEXT ? 0 : undefined,
  };
  const spaces = (cut: number): number => {
    const tokens = encodeCorpus(documents, encoder, { seed: 1, cut });
    return tokens.filter((token) => words[token] === " ").length;
  };
  const cuttable = documents.filter((document) => / \S/.test(document)).length;
  assert.deepEqual([spaces(0), spaces(1)], [0, cuttable]);
  assert.ok(Math.abs(spaces(0.3) / documents.length - 0.3) < 0.06, `${spaces(0.3)}`);
  // Half of the cuts are behind the last of four spaces, and a quarter of the other half.
  const fives = encodeCorpus(new Array(400).fill("a b c d e"), encoder, { seed: 1, cut: 1 });
  const last =
    fives.filter((token, i) => words[token] === "e" && words[fives[i - 1]] === " ").length;
  assert.ok(Math.abs(last / 400 - 0.625) < 0.06, `${last}`);
  const lacking = { ...encoder, token_to_id: () => undefined };
  assert.throws(() => encodeCorpus(documents, lacking, { seed: 1, cut: 0 }), {
    name: "TypeError",
    message: "Cannot encode the corpus as the tokenizer lacks its end token: <|endoftext|>",
  });
});

Deno.test("random numbers repeat with their seed and spread evenly", () => {
  const [one, two] = [new Random(7), new Random(7)];
  const counts = new Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const drawn = one.integer(0, 9);
    assert.equal(drawn, two.integer(0, 9));
    counts[drawn]++;
  }
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 150, `${counts}`);
  assert.deepEqual(new Random(1).shuffle([1, 2, 3, 4, 5]).sort(), [1, 2, 3, 4, 5]);
  assert.throws(() => one.pick([]), /^RangeError: Cannot pick as the list is empty/);
  assert.throws(() => fill("{a} {b}", { a: "x" }), /^RangeError: Cannot fill .* \{b\}/);
  assert.equal(fill("{A} and {a}", { a: "red" }), "Red and red");
  assert.equal(fill("A {a} for a {b}: A: {a}", { a: "egg", b: "hen" }), "An egg for a hen: A: egg");
});
