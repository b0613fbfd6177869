/** The tasks whose answer is a sentence: copy and negative. @module */
import assert from "node:assert/strict";
import { wordsOf } from "../../rewards/embeddings/word_vectors.ts";
import { copy, parseCopies } from "../../tasks/copy.ts";
import { negative, parseNegatives } from "../../tasks/negative.ts";
import type { Task } from "../../tasks/task.ts";

const all = (task: Task) => [...task.examples.train, ...task.examples.heldout];
const mean = (numbers: number[]) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

Deno.test("copy and negative ask as the originals do, byte for byte", () => {
  assert.deepEqual(copy().examples.train[0], {
    id: "The dog runs to the park.",
    prompt: "Copy this sentence: 'The dog runs to the park.'",
    answer: "The dog runs to the park.",
  });
  assert.deepEqual(negative().examples.train[0], {
    id: "I am so happy to see you today.",
    prompt: "Rewrite this as sad: 'I am so happy to see you today.'",
    answer: "I am so sad that you did not come.",
  });
  for (const { id, prompt, answer } of all(copy())) {
    assert.deepEqual([prompt, answer], ["Copy this sentence: '" + id + "'", id]);
  }
  for (const { id, prompt } of all(negative())) {
    assert.equal(prompt, "Rewrite this as sad: '" + id + "'");
  }
});

Deno.test("copy has 80 and 20 short sentences, and those held out have no word that training has not", () => {
  const { train, heldout } = copy().examples;
  assert.deepEqual([train.length, heldout.length], [80, 20]);
  const lengths = all(copy()).map(({ id }) => id.length);
  assert.ok(Math.min(...lengths) >= 19 && Math.max(...lengths) <= 28, String(lengths));
  assert.ok(Math.abs(mean(lengths) - 23.8) < 0.1, String(mean(lengths)));
  const known = new Set(train.flatMap(({ id }) => wordsOf(id)));
  assert.deepEqual(heldout.flatMap(({ id }) => wordsOf(id)).filter((word) => !known.has(word)), []);
  for (const { id } of all(copy())) assert.match(id, /^[A-Z][a-zA-Z ,]+\.$/);
});

Deno.test("negative has 81 and 20 sentences of the first person, each with a rewriting about as long", () => {
  const { train, heldout } = negative().examples;
  assert.deepEqual([train.length, heldout.length], [81, 20]);
  const texts = all(negative()).flatMap(({ id, answer }) => [id, answer!]);
  assert.equal(new Set(texts).size, 202, "each text once");
  for (const text of texts) {
    assert.match(text, /^[A-Z][a-zA-Z ,]+\.$/);
    assert.match(text, /\b(I|me|my|our|we)\b/i);
  }
  for (const { id, answer } of all(negative())) {
    assert.ok(Math.abs(id.length - answer!.length) <= 10, id);
    assert.ok(id.length >= 18 && id.length <= 38, id);
  }
});

Deno.test("the parents of copy and negative give the answers of their examples", async () => {
  for (const task of [copy(), negative()]) {
    assert.deepEqual(await task.parent.answer(all(task)), all(task).map(({ answer }) => answer));
  }
});

const BROKEN: [string, () => unknown, string][] = [
  [
    "a sentence twice",
    () => parseCopies("sentence,split\nHi.,train\nHo.,heldout\nHi.,heldout\n", "t.csv"),
    '4 as a sentence may occur once: "Hi." is on line 2 too',
  ],
  [
    "a sentence with a quotation mark",
    () => parseCopies("sentence,split\nI'm here.,train\n", "t.csv"),
    `2 as sentence must be a text without quotation marks: it is "I'm here."`,
  ],
  [
    "an empty sentence",
    () => parseCopies('sentence,split\n"",train\n', "t.csv"),
    '2 as sentence must be a text without quotation marks: it is ""',
  ],
  [
    "a rewriting that changes nothing",
    () => parseNegatives("sentence,answer,split\nI sing.,I sing.,train\n", "t.csv"),
    '2 as sentence and answer must be two different texts: they are "I sing." and "I sing."',
  ],
  [
    "no rewriting",
    () => parseNegatives("sentence,answer,split\nI sing.,,train\n", "t.csv"),
    '2 as sentence and answer must be two different texts: they are "I sing." and ""',
  ],
  [
    "a happy sentence twice",
    () => parseNegatives("sentence,answer,split\nA.,B.,train\nA.,C.,heldout\n", "t.csv"),
    '3 as a sentence may occur once: "A." is on line 2 too',
  ],
];
for (const [what, read, message] of BROKEN) {
  Deno.test(`a table with ${what} is refused`, () => {
    assert.throws(read, new SyntaxError(`Cannot read t.csv:${message}`));
  });
}
