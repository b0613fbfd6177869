import assert from "node:assert/strict";
import { loadWordVectors } from "../../rewards/embeddings/word_vectors.ts";
import { colors, parseColors } from "../../tasks/colors.ts";
import { openTask } from "../../tasks/open.ts";
import { findTask, listTasks } from "../../tasks/registry.ts";
import { openRewards } from "../../experiment/rewards.ts";
import { WORD_VECTORS } from "../../rewards/embeddings/word_vectors.ts";
import { findReward, listRewards } from "../../rewards/registry.ts";

const TEN = "red blue yellow green orange purple pink brown black white".split(" ");
const { train, heldout } = colors().examples;
const pairOf = (prompt: string) => {
  const found = prompt.match(/: ([a-z]+) and ([a-z]+) is => $/);
  assert.ok(found, prompt);
  return found.slice(1);
};

Deno.test("colors has every ordered pair of the ten colours once, 72 and 18", () => {
  assert.deepEqual([train.length, heldout.length], [72, 18]);
  const want = TEN.flatMap((a) => TEN.filter((b) => b !== a).map((b) => `${a} ${b}`));
  const got = [...train, ...heldout].map(({ prompt }) => pairOf(prompt).join(" "));
  assert.deepEqual(got.sort(), want.sort());
  assert.equal(new Set([...train, ...heldout].map(({ id }) => id)).size, 90);
});

Deno.test("colors has the prompts of the original, byte for byte", () => {
  const first = "Mix the two colors and output only one lowercase color name: red and blue is => ";
  assert.deepEqual(train[0], {
    id: "red+blue",
    prompt: first,
    answer: "purple",
    a: "red",
    b: "blue",
  });
  for (const { prompt, a, b } of [...train, ...heldout]) {
    const want =
      `Mix the two colors and output only one lowercase color name: ${a} and ${b} is => `;
    assert.equal(prompt, want);
  }
});

Deno.test("no held-out pair is trained on in either order", () => {
  const trained = new Set(train.map(({ prompt }) => pairOf(prompt).join(" ")));
  for (const { prompt } of heldout) {
    const [a, b] = pairOf(prompt);
    assert.ok(!trained.has(`${a} ${b}`) && !trained.has(`${b} ${a}`), prompt);
  }
});

Deno.test("both orders of a pair have one answer", () => {
  const answers = new Map([...train, ...heldout].map(({ id, answer }) => [id, answer]));
  for (const { prompt } of [...train, ...heldout]) {
    const [a, b] = pairOf(prompt);
    assert.equal(answers.get(`${a}+${b}`), answers.get(`${b}+${a}`));
  }
});

Deno.test("each held-out answer is also the answer of a training pair; all colours are in both", () => {
  const trained = new Set(train.map(({ answer }) => answer));
  assert.deepEqual(heldout.filter(({ answer }) => !trained.has(answer)), []);
  assert.equal(new Set(heldout.map(({ answer }) => answer)).size, 9, "nine different answers");
  for (const examples of [train, heldout]) {
    assert.deepEqual(new Set(examples.map(({ prompt }) => pairOf(prompt)[0])), new Set(TEN));
  }
});

Deno.test("each answer is a lower-case word that the word vectors know", async () => {
  const vectors = await loadWordVectors(WORD_VECTORS);
  for (const { answer, id } of [...train, ...heldout]) {
    assert.match(answer as string, /^[a-z]+$/);
    assert.ok(vectors.has(answer as string), `${id}: ${answer}`);
  }
});

Deno.test("the parent gives the answers of the examples", async () => {
  const all = [...train, ...heldout];
  assert.deepEqual(await colors().parent.answer(all), all.map(({ answer }) => answer));
});

Deno.test("openRewards() judges right, near, far and wordless answers in that order", async () => {
  const rewards = await openRewards(colors(), "semantic,exact:0");
  const completions = ["purple", "pink", "tractor", "#?"];
  const { total, scores } = await rewards.breakdown({
    prompts: completions.map(() => train[0].prompt),
    completions,
    examples: completions.map(() => train[0]),
  });
  assert.deepEqual(scores.exact, [1, 0, 0, 0]);
  assert.ok(Math.abs(total[0]! - 1) < 1e-6);
  assert.ok(total[0]! > total[1]! && total[1]! > total[2]! && total[2]! > 0);
  assert.equal(total[3], 0);
  assert.deepEqual(rewards.takeCounts(), {
    "semantic/out_of_vocabulary": 1,
    "semantic/no_parent_answer": 0,
    "semantic/parent_out_of_vocabulary": 0,
  });
});

Deno.test("every listed task opens with its default rewards", async () => {
  for (const task of listTasks()) {
    assert.equal(findTask(task.name).name, task.name);
    const opened = (await openTask(task)).task, { weights } = await openRewards(opened);
    for (const name of opened.fits ?? []) assert.equal(findReward(name).name, name);
    const fits = opened.fits ?? Object.keys(weights), [first] = Object.keys(weights);
    assert.equal(fits[0], first, "the first that fits is the default");
    assert.ok(Object.keys(weights).every((name) => fits.includes(name)), task.name);
    assert.ok(Object.keys(weights).every((name) => listRewards().some((r) => r.name === name)));
  }
});

Deno.test("findTask() and openRewards() name the nearest there is", async () => {
  const there =
    "colors, shades, opposites, categories, copy, negative, analogies, math, dialogue, imdb";
  const message =
    `Cannot find the task "colours" as there are only ${there}; did you mean "colors"?`;
  assert.throws(() => findTask("colours"), new TypeError(message));
  await assert.rejects(openRewards(colors(), "exakt"), /did you mean "exact"\?/);
});

const HEAD = "a,b,answer,split\n";
const OK = "red,blue,purple,train\nred,white,pink,heldout\n";
const BROKEN: [string, string, string][] = [
  [
    "an upper-case answer",
    "red,blue,Purple,train",
    'a, b and answer must be lower-case words: "Purple" is not',
  ],
  [
    "two words",
    "light blue,red,x,train",
    'a, b and answer must be lower-case words: "light blue" is not',
  ],
  ["an empty answer", "red,green,,train", 'a, b and answer must be lower-case words: "" is not'],
  ["one colour twice", "red,red,red,train", 'a and b must differ: both are "red"'],
  ["another split", "red,green,brown,test", 'split must be train or heldout: it is "test"'],
  [
    "a pair again",
    "red,blue,purple,train",
    "a pair may occur once: red and blue are on line 2 too",
  ],
  [
    "a pair again, turned",
    "white,red,pink,train",
    "a pair may occur once: white and red are on line 3 too",
  ],
  ["a short row", "red,green,brown", "each row must have 4 fields, like the header: it has 3"],
];
for (const [what, row, message] of BROKEN) {
  Deno.test(`parseColors() refuses ${what}, with file and line`, () => {
    const text = `${HEAD}${OK}${row}\n`;
    assert.throws(
      () => parseColors(text, "c.csv"),
      new SyntaxError(`Cannot read c.csv:4 as ${message}`),
    );
  });
}

Deno.test("parseColors() wants rows in both splits and every column", () => {
  assert.throws(
    () => parseColors(`${HEAD}red,blue,purple,train\n`, "c.csv"),
    new SyntaxError("Cannot read c.csv:2 as both splits need rows: heldout has none"),
  );
  assert.throws(
    () => parseColors("a,b,answer\nred,blue,purple\n", "c.csv"),
    new SyntaxError('Cannot read c.csv:1 as its header must have "split" once: it is a,b,answer'),
  );
  assert.equal(parseColors(HEAD + OK, "c.csv").train.length, 2);
});
