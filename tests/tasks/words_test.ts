/** The tasks whose answer is one word: opposites, categories, analogies. @module */
import assert from "node:assert/strict";
import { loadWordVectors } from "../../rewards/embeddings/word_vectors.ts";
import { analogies, parseAnalogies } from "../../tasks/analogies.ts";
import { categories, categoryPrompt } from "../../tasks/categories.ts";
import { oppositePrompt, opposites } from "../../tasks/opposites.ts";
import { readWords } from "../../tasks/prompts.ts";
import type { Task } from "../../tasks/task.ts";

const all = (task: Task) => [...task.examples.train, ...task.examples.heldout];
const sizes = ({ examples: { train, heldout } }: Task) => [train.length, heldout.length];
const TASKS: [string, Task, number[]][] = [
  ["opposites", opposites(), [73, 21]],
  ["categories", categories(), [81, 19]],
  ["analogies", analogies(), [84, 21]],
];

for (const [name, task, split] of TASKS) {
  Deno.test(`${name} has ${split[0]} prompts to train on and ${split[1]} held out, each once`, () => {
    assert.equal(task.name, name);
    assert.deepEqual(sizes(task), split);
    assert.equal(new Set(all(task).map(({ prompt }) => prompt)).size, split[0] + split[1]);
    assert.equal(new Set(all(task).map(({ id }) => id)).size, split[0] + split[1]);
  });

  Deno.test(`every answer of ${name} is a word that the word vectors know`, async () => {
    const vectors = await loadWordVectors();
    for (const { id, answer, accepted } of all(task)) {
      const words = [answer!, ...accepted ?? []];
      assert.ok(
        words.every((word) => /^[a-z]+$/.test(word) && vectors.has(word)),
        `${id}: ${words}`,
      );
      assert.equal(new Set(words).size, words.length, id);
    }
  });

  Deno.test(`each held-out answer of ${name} also answers a training prompt`, () => {
    const trained = new Set(task.examples.train.map(({ answer }) => answer));
    assert.deepEqual(task.examples.heldout.filter(({ answer }) => !trained.has(answer)), []);
  });

  Deno.test(`the parent of ${name} gives the answers of its examples`, async () => {
    const answers = await task.parent.answer(all(task));
    assert.deepEqual(answers, all(task).map(({ answer }) => answer));
  });
}

Deno.test("opposites, categories and analogies ask as the originals do, byte for byte", () => {
  assert.deepEqual(opposites().examples.train[0], {
    id: "big",
    prompt: "The opposite of 'big' is ",
    answer: "small",
    accepted: ["little"],
  });
  assert.deepEqual(categories().examples.train[0], {
    id: "apple",
    prompt: "What category does this word belong to: 'apple'?",
    answer: "fruit",
    accepted: ["food"],
  });
  assert.deepEqual(analogies().examples.train[0], {
    id: "dog:puppy::cat",
    prompt: "dog is to puppy as cat is to",
    answer: "kitten",
    accepted: [],
    relation: "young",
    a: "dog",
    b: "puppy",
    c: "cat",
  });
  for (const { id, prompt } of all(opposites())) {
    assert.equal(prompt, "The opposite of '" + id + "' is ");
  }
  for (const { id, prompt } of all(categories())) {
    assert.equal(prompt, "What category does this word belong to: '" + id + "'?");
  }
  for (const { a, b, c, prompt } of all(analogies())) {
    assert.equal(prompt, [a, "is to", b, "as", c, "is to"].join(" "));
  }
});

Deno.test("opposites has 94 words, categories 100 in 12, the narrowest for each", () => {
  assert.equal(all(opposites()).length, 94);
  const members = Map.groupBy(all(categories()), ({ answer }) => answer!);
  assert.deepEqual([members.size, all(categories()).length], [12, 100]);
  for (const [category, { length }] of members) {
    assert.ok(length >= 7 && length <= 9, category);
    const held = categories().examples.heldout.filter(({ answer }) => answer === category).length;
    assert.ok(held === 1 || held === 2, category);
  }
  const animals = all(categories()).filter(({ accepted }) => accepted!.includes("animal"));
  assert.deepEqual(
    new Set(animals.map(({ answer }) => answer)),
    new Set(["bird", "fish", "insect"]),
  );
});

Deno.test("a pair has one partner all through analogies, and a held-out analogy no twin in training", () => {
  const partner = new Map<string, string>();
  for (const { relation, a, b, c, answer } of all(analogies())) {
    for (const [x, y] of [[a, b], [c, answer]]) {
      const key = `${relation} ${x}`;
      assert.equal(partner.get(key) ?? y, y, key);
      partner.set(key, y as string);
    }
  }
  const { train, heldout } = analogies().examples;
  const pairs = new Set(
    train.flatMap(({ relation, a, c }) => [`${relation} ${a}`, `${relation} ${c}`]),
  );
  for (const { relation, a, c } of heldout) {
    assert.ok(pairs.has(`${relation} ${a}`) && pairs.has(`${relation} ${c}`), `${a} ${c}`);
  }
  const relations = (examples: typeof train) => new Set(examples.map(({ relation }) => relation));
  assert.equal(relations(train).size, 13);
  assert.deepEqual(relations(heldout), relations(train));
});

const WORDS = "word,answer,further,split\n";
const BROKEN: [string, () => unknown, string][] = [
  [
    "a word twice",
    () =>
      readWords(
        `${WORDS}hot,cold,,train\nwet,dry,,heldout\nhot,cool,,train\n`,
        "t.csv",
        oppositePrompt,
      ),
    "4 as a word may occur once: hot is on line 2 too",
  ],
  [
    "a word that is its own opposite",
    () => readWords(`${WORDS}hot,hot,,train\nwet,dry,,heldout\n`, "t.csv", oppositePrompt),
    '2 as answers must be different lower-case words, none of them "hot": they are "hot"',
  ],
  [
    "a further answer that is the answer again",
    () =>
      readWords(
        `${WORDS}ant,insect,bug|insect,train\nbee,insect,,heldout\n`,
        "t.csv",
        categoryPrompt,
      ),
    '2 as answers must be different lower-case words, none of them "ant": they are "insect|bug|insect"',
  ],
  [
    "a further answer of two words",
    () =>
      readWords(
        `${WORDS}ant,insect,small animal,train\nbee,insect,,heldout\n`,
        "t.csv",
        categoryPrompt,
      ),
    '2 as answers must be different lower-case words, none of them "ant": they are "insect|small animal"',
  ],
  [
    "a word with a capital",
    () => readWords(`${WORDS}Ant,insect,,train\nbee,insect,,heldout\n`, "t.csv", categoryPrompt),
    '2 as word and answer must be lower-case words: "Ant" is not',
  ],
  [
    "an analogy without an answer",
    () => parseAnalogies("relation,a,b,c,answers,split\nr,a,b,c,,train\n", "t.csv"),
    '2 as answers must be different lower-case words, none of them "c": they are ""',
  ],
  [
    "an analogy that answers with its question",
    () => parseAnalogies("relation,a,b,c,answers,split\nr,a,b,c,d|c,train\n", "t.csv"),
    '2 as answers must be different lower-case words, none of them "c": they are "d|c"',
  ],
  [
    "an analogy twice",
    () =>
      parseAnalogies("relation,a,b,c,answers,split\nr,a,b,c,d,train\ns,a,b,c,e,heldout\n", "t.csv"),
    "3 as an analogy may occur once: a, b and c are on line 2 too",
  ],
];
for (const [what, read, message] of BROKEN) {
  Deno.test(`a table of words with ${what} is refused`, () => {
    assert.throws(read, new SyntaxError(`Cannot read t.csv:${message}`));
  });
}
