import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Tokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import { trainBpe } from "../../../model/tokenizer/bpe.ts";
import { openTaskNow } from "../../../tasks/open.ts";
import { listTasks } from "../../../tasks/registry.ts";
import { taskMixtures } from "../../../experiment/pretraining/corpus.ts";
import { Random } from "../../../experiment/pretraining/random.ts";
import { recipeOf, type SmallRecipe } from "../../../experiment/pretraining/recipe.ts";
import { arithmetic, sumOf } from "../../../experiment/pretraining/small/arithmetic.ts";
import { triplesOf } from "../../../experiment/pretraining/small/colors.ts";
import {
  buildHeldout,
  buildSmallCorpus,
  openSmallSources,
  type SmallCorpusOptions,
  type SmallSubject,
  smallWholeWords,
} from "../../../experiment/pretraining/small/corpus.ts";
import { copies } from "../../../experiment/pretraining/small/copies.ts";
import { echoes } from "../../../experiment/pretraining/small/echoes.ts";
import { sums } from "../../../experiment/pretraining/small/sums.ts";
import { instruction } from "../../../experiment/pretraining/small/instructions.ts";
import {
  ANSWERED_KINDS,
  ANSWERED_OPPOSITES,
  ANSWERED_RELATIONS,
} from "../../../experiment/pretraining/small/words.ts";
import { parsePointers, readPairs } from "../../../experiment/pretraining/wordnet.ts";

const recipe = recipeOf("small") as SmallRecipe;
const sources = openSmallSources();
const options: SmallCorpusOptions = { ...recipe, characters: 1_000_000 };
const heldout = buildHeldout(recipe, sources, 5000);
const corpus = buildSmallCorpus(options, sources, heldout);
const later = recipeOf("small", 2) as SmallRecipe;
const laterHeldout = buildHeldout(later, sources, 5000);
const laterCorpus = buildSmallCorpus(
  { ...later, seed: 2, characters: 1_000_000 },
  sources,
  laterHeldout,
);
const texts = [corpus, laterCorpus];
const hash = (documents: readonly string[]) =>
  createHash("sha256").update(JSON.stringify(documents)).digest("hex");
const plain = (text: string) => text.toLowerCase().replace(/\s+/g, " ");

Deno.test("the same recipe builds the same text, another seed another one", () => {
  const short = { ...options, characters: 60_000 };
  assert.equal(hash(buildSmallCorpus(short, sources)), hash(buildSmallCorpus(short, sources)));
  assert.notEqual(
    hash(buildSmallCorpus(short, sources)),
    hash(buildSmallCorpus({ ...short, seed: 2 }, sources)),
  );
  assert.deepEqual(buildHeldout(recipe, sources, 5000), heldout);
});

Deno.test("the text is, byte for byte, the one that the model learned from, as far as it goes", () => {
  assert.equal(hash(corpus), "41e8c95ba4e8a094aae83abe26bd85656556848be0bc6403b32d52c335ad93cd");
  const kept = createHash("sha256").update(JSON.stringify(heldout)).digest("hex");
  assert.equal(kept, "a95008ed2aab1355c71754adf39bb2b810a3a4a6cd091fccaedd3bd2c3cbcd41");
});

Deno.test("no task's prompt stands in a document, in whatever case or spacing", () => {
  const prompts = [
    /mix the (?:two|three) colors/,
    /output only one lowercase/,
    /the opposite of '/,
    /what category does this word belong/,
    /copy this sentence/,
    /rewrite this as sad/,
    /\b\w+ is to \w+ as \w+ is to\b/,
  ];
  const kept = [...heldout, ...laterHeldout].flatMap(({ documents }) => documents);
  for (const document of [...texts.flat(), ...kept]) {
    const text = plain(document);
    for (const prompt of prompts) assert.ok(!prompt.test(text), document);
  }
});

Deno.test("neither does the prompt of an example, trained or held out", () => {
  const text = plain(texts.flat().join("\n\n"));
  for (const { name } of listTasks()) {
    const { train, heldout } = openTaskNow(name).task.examples;
    const found = [...train, ...heldout].filter(({ prompt }) =>
      text.includes(plain(prompt).trim())
    );
    assert.deepEqual(found.map(({ prompt }) => prompt), [], name);
  }
});

Deno.test("what a task asks for is told, and each answer of one word is one token", () => {
  const of = (name: string) => {
    const { train, heldout } = openTaskNow(name).task.examples;
    return [...train, ...heldout].map(({ id, answer }) => [id, answer!] as const);
  };
  const opposites = new Map(ANSWERED_OPPOSITES);
  for (const [word, answer] of of("opposites")) assert.equal(opposites.get(word), answer, word);
  for (const [word, answer] of of("categories")) {
    assert.ok(ANSWERED_KINDS[answer].includes(word), word);
  }
  const mixed = new Map(triplesOf(taskMixtures()).map(({ a, b, c, m }) => [`${a}+${b}+${c}`, m]));
  for (const [set, answer] of of("shades")) assert.equal(mixed.get(set), answer, set);
  for (const [id, answer] of of("analogies")) {
    const [a, b, c] = id.split(/:+/);
    const has = (x: string, y: string) =>
      ANSWERED_RELATIONS.some((pairs) => pairs.some(([from, to]) => from === x && to === y));
    assert.ok(has(a, b) && has(c, answer), id);
  }
  const whole = new Set(smallWholeWords(sources.mixtures));
  for (const name of ["opposites", "categories", "shades", "colors", "analogies"]) {
    for (const [id, answer] of of(name)) assert.ok(whole.has(answer), `${name} ${id}: ${answer}`);
  }
});

Deno.test("documents are whole, mostly new, and none of training is held out", () => {
  const kept = new Set(heldout.flatMap(({ documents }) => documents));
  for (const document of corpus) {
    assert.ok(document.length > 0 && document === document.trim(), JSON.stringify(document));
    assert.ok(!/[{}]|undefined/.test(document), document);
    assert.ok(!kept.has(document), document);
  }
  assert.ok(new Set(corpus).size > corpus.length * 0.85, `${new Set(corpus).size} different`);
  const subjects = heldout.map(({ subject }) => subject);
  const named = Object.keys(recipe.mixture) as SmallSubject[];
  assert.deepEqual(subjects, named.filter((subject) => recipe.mixture[subject] > 0));
  // A word's gloss is either trained on or held out, whatever form it takes.
  const definitions = heldout.find(({ subject }) => subject === "glosses")!.documents;
  const rare = definitions.filter((document) => document.length > 60);
  assert.ok(rare.length > 20);
  for (const document of rare) assert.ok(!corpus.includes(document.split(": ").at(-1)!), document);
});

Deno.test("each subject has its share of the characters", () => {
  for (const subject of ["colors", "arithmetic", "reviews"] as SmallSubject[]) {
    const mixture = { ...recipe.mixture };
    for (const name of Object.keys(mixture) as SmallSubject[]) {
      mixture[name] = name === subject ? 1 : 0;
    }
    const documents = buildSmallCorpus({ ...options, characters: 20_000, mixture }, sources);
    const length = documents.reduce((sum, document) => sum + document.length + 1, 0);
    assert.ok(length >= 20_000 && length < 21_000, `${subject} ${length}`);
    const words = {
      colors: /red|blue|white|black|green|brown|pink|purple|orange|yellow/,
      arithmetic:
        /\d|one|two|three|four|five|six|seven|eight|nine|ten|zero|eleven|twelve|teen|twenty/,
      reviews: /./,
    };
    const wanted = words[subject as keyof typeof words];
    for (const document of documents) assert.ok(wanted.test(document), document);
  }
  assert.throws(
    () => buildSmallCorpus({ ...options, mixture: { ...recipe.mixture, moods: -1 } }, sources),
    /^RangeError: Cannot build the corpus as its shares must be 0 or more.*moods -1/,
  );
});

Deno.test("sums are right in every wording, whole and from 0", () => {
  const random = new Random(5);
  for (const [grade, most] of [[1, 10], [2, 20], [3, 100]] as const) {
    const kinds = new Set<string>();
    for (let i = 0; i < 500; i++) {
      const { x, y, kind, result } = sumOf(random, grade);
      kinds.add(kind);
      const right = { "+": x + y, "-": x - y, "*": x * y, "/": x / y }[kind];
      assert.equal(result, right, `${x} ${kind} ${y}`);
      assert.ok(Number.isInteger(result) && result >= 0 && Math.max(x, y, result) <= most);
    }
    assert.deepEqual([...kinds].sort().join(""), grade === 3 ? "*+-/" : "+-");
  }
  const says: [RegExp, (x: number, y: number, r: number) => boolean][] = [
    [/^(\d+) (?:\+|plus|and) (\d+) (?:=|is|make) (\d+)\.?$/, (x, y, r) => x + y === r],
    [/^(\d+) (?:-|minus|less) (\d+) (?:=|is) (\d+)\.?$/, (x, y, r) => x - y === r],
    [/^(\d+) (?:\*|times|x) (\d+) (?:=|is) (\d+)$/, (x, y, r) => x * y === r],
    [/^(\d+) (?:\/|divided by) (\d+) (?:=|is) (\d+)$/, (x, y, r) => x / y === r],
    [/has (\d+) \w+ and finds (\d+) more\. .*\? It is (\d+)$/, (x, y, r) => x + y === r],
    [/has (\d+) \w+ and gives (\d+) away\. .*\? It is (\d+)$/, (x, y, r) => x - y === r],
    [/are (\d+) boxes with (\d+) .* It is (\d+)$/, (x, y, r) => x * y === r],
    [/shares (\d+) \w+ among (\d+) .* It is (\d+)$/, (x, y, r) => x / y === r],
  ];
  const met = says.map(() => 0);
  for (let i = 0; i < 16_000; i++) {
    for (const line of arithmetic(random).split("\n")) {
      says.forEach(([form, holds], at) => {
        const found = form.exec(line);
        if (!found) return;
        met[at]++;
        const [x, y, r] = found.slice(1).map(Number);
        assert.ok(holds(x, y, r), line);
      });
    }
  }
  assert.ok(met.every((count) => count >= 3), `${met}`);
});

Deno.test("a later stage reads other text of the same subjects, and sums and echoes beside them", () => {
  const before = new Set(corpus), again = laterCorpus.filter((document) => before.has(document));
  assert.ok(again.length < laterCorpus.length / 5, `${again.length} of ${laterCorpus.length}`);
  const of = (subject: SmallSubject) => laterHeldout.find((one) => one.subject === subject);
  assert.ok(
    of("sums")!.documents.some((document) => /^(\d+ \+ \d+ = \d+[,;\n] ?){2}/.test(document)),
  );
  const digits = laterCorpus.filter((document) => /\d.*\d.*\d/s.test(document));
  assert.ok(digits.length > laterCorpus.length / 7, `${digits.length} of ${laterCorpus.length}`);
  assert.deepEqual(
    laterHeldout.slice(0, heldout.length),
    heldout,
    "losses of subjects compare over stages",
  );
});

Deno.test("what a sum or its story is asked has the right answer", () => {
  const random = new Random(8), met = new Map<string, number>();
  const right = (x: number, sign: string, y: number) => sign === "+" ? x + y : x - y;
  for (let i = 0; i < 4000; i++) {
    const document = sums(random);
    assert.ok(!/[{}]|undefined|-\d/.test(document), document);
    for (const [, x, sign, y, r] of document.matchAll(/(\d+) ([+-]) (\d+) = (\d+)/g)) {
      assert.equal(right(Number(x), sign, Number(y)), Number(r), document);
      met.set("row", (met.get("row") ?? 0) + 1);
    }
    const lines =
      /(brought|took) (\d+) .*?(How many .*then\?|How many did \w+ have before\?|Were there more).*?(\w+)$/s;
    const told = lines.exec(document), first = /\d+/.exec(document);
    if (!told || !first) continue;
    const [, verb, y, question, answer] = told, x = Number(first[0]);
    const wanted = question.startsWith("Were")
      ? verb === "brought" && y !== "0" ? "yes" : "no"
      : question.endsWith("before?")
      ? `${x}`
      : `${right(x, verb === "brought" ? "+" : "-", Number(y))}`;
    assert.equal(answer, wanted, document);
    met.set(question.slice(-5), (met.get(question.slice(-5)) ?? 0) + 1);
  }
  assert.ok(met.size === 4 && [...met.values()].every((count) => count > 10), `${[...met]}`);
});

Deno.test("an echo ends as what it repeats", () => {
  const random = new Random(4), echo = echoes(["good", "bad"]);
  for (let i = 0; i < 500; i++) {
    const document = echo(random), last = document.trim().replace(/'$/, "");
    const sentence = last.split(/(?<=\.)['\s]+/).at(-1)!.replace(/^.*(?:: |and again ')/, "");
    assert.ok(document.split(sentence).length >= 3, document);
    assert.match(sentence, /^[A-Z][^.]*\.$/, document);
  }
});

Deno.test("an answer stands right behind the signs that tasks' prompts end in", () => {
  const text = corpus.join("\n\n");
  for (const behind of [/'\? [a-z]/, /' [A-Z]/, /=> [a-z]/, /Answer: \d/, /' is [a-z]/]) {
    assert.ok((text.match(new RegExp(behind, "g")) ?? []).length > 50, `${behind}`);
  }
});

Deno.test("three colours give what the rule says, in whatever order", () => {
  const given = new Map(triplesOf(taskMixtures()).map(({ a, b, c, m }) => [`${a} ${b} ${c}`, m]));
  assert.equal(given.size, 720);
  // Red and yellow give orange, and orange and black brown; two of the three ways give brown.
  const right = {
    "red yellow black": "brown",
    "red blue purple": "purple",
    "yellow black white": "mint",
  };
  for (const [colors, mix] of Object.entries(right)) {
    const [a, b, c] = colors.split(" ");
    for (const order of [[a, b, c], [b, c, a], [c, a, b], [c, b, a]]) {
      assert.equal(given.get(order.join(" ")), mix, order.join(" "));
    }
  }
});

Deno.test("each word has one answer, and a word that is asked for is one token", () => {
  for (
    const words of [ANSWERED_OPPOSITES.map(([word]) => word), Object.values(ANSWERED_KINDS).flat()]
  ) {
    assert.equal(new Set(words).size, words.length);
  }
  assert.ok(ANSWERED_RELATIONS.every((pairs) => pairs.length >= 3));
  const whole = smallWholeWords(sources.mixtures);
  const json = trainBpe({ documents: corpus.slice(0, 4000), vocabulary: 4096, whole });
  const tokenizer = new Tokenizer(json, {});
  for (const word of whole) {
    assert.equal(tokenizer.encode(word).ids.length, 1, word);
    assert.equal(tokenizer.encode(` ${word}`).ids.length, 1, word);
  }
});

Deno.test("copies say the sentence again, and a given sentence is used", () => {
  const random = new Random(3), write = copies(["one", "two", "three"], ["a given line"]);
  const documents = Array.from({ length: 600 }, () => write(random));
  const repeats = documents.filter((text) => text.startsWith("Repeat this line: "));
  assert.ok(repeats.length > 10);
  for (const text of repeats) {
    const [, first, second] = /^Repeat this line: '(.+)' (.+)$/.exec(text)!;
    assert.equal(first, second);
  }
  assert.ok(documents.some((text) => text.includes("a given line")));
});

Deno.test("an order's reply follows from it", () => {
  const random = new Random(11);
  let [sorted, odd] = [0, 0];
  for (let i = 0; i < 2000; i++) {
    const { q, a } = instruction(random);
    const numbers = /^Put these numbers in order: (.+)$/.exec(q)?.[1].split(", ").map(Number);
    if (numbers) {
      sorted++;
      assert.equal(a, numbers.sort((x, y) => x - y).join(", "), q);
    }
    const row = /^Which one does not fit\? (.+)$/.exec(q)?.[1].split(", ");
    if (row) {
      odd++;
      const [, word] = /^(\w+) does not fit/.exec(a)!;
      const kinds = row.map((each) =>
        Object.entries(ANSWERED_KINDS).find(([, words]) => words.includes(each))![0]
      );
      const alone = row.filter((_, at) => kinds.filter((kind) => kind === kinds[at]).length === 1);
      assert.deepEqual(alone.map((each) => each.toLowerCase()), [word.toLowerCase()], q);
    }
  }
  assert.ok(sorted > 50 && odd > 50);
});

Deno.test("a synset's words and pointers are read from its line", () => {
  const line =
    "01387319 00 s 02 large 0 big 1 002 ! 01391351 a 0102 & 01387319 a 0000 | above average";
  assert.deepEqual(parsePointers(line), {
    offset: "01387319",
    words: ["large", "big"],
    pointers: [
      { symbol: "!", to: "adj 01391351", source: 1, target: 2 },
      { symbol: "&", to: "adj 01387319", source: 0, target: 0 },
    ],
  });
  assert.equal(parsePointers("  1 This software and database is being provided"), undefined);
  const { antonyms, kinds } = readPairs();
  assert.ok(antonyms.some(([a, b]) => a === "hot" && b === "cold"));
  assert.ok(
    kinds.some(([a, b]) => a === "oak" && b === "tree") || kinds.some(([, b]) => b === "tree"),
  );
});
