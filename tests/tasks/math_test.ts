import assert from "node:assert/strict";
import { answerNumber, definition, mathPrompt, solutionText } from "../../tasks/math.ts";
import { FORMS, STEPS, THINGS } from "../../tasks/math/forms.ts";
import { makeProblems } from "../../tasks/math/problems.ts";
import { openTask, openTaskNow } from "../../tasks/open.ts";
import { allOf, lines, openOn } from "./_open.ts";

/** What a sentence does to the number of things: read from its words, with no help of the generator. */
const MEANINGS: [RegExp, (value: number, n: number) => number][] = [
  [/^(?:At first )?\w+ (?:has|starts with) (\d+) \w+\.$/, (_, n) => n],
  [/^A box that belongs to \w+ holds (\d+) \w+\.$/, (_, n) => n],
  [/^\w+ gets (\d+) more\.$/, (value, n) => value + n],
  [/^\w+ finds (\d+) more \w+\.$/, (value, n) => value + n],
  [/^\w+ gives (\d+) (?!of )\w+ to \w+\.$/, (value, n) => value + n],
  [/^Then (\d+) \w+ are added to them\.$/, (value, n) => value + n],
  [/^\w+ gives (\d+) of them to \w+\.$/, (value, n) => value - n],
  [/^\w+ (?:loses|sells) (\d+) of (?:them|the \w+)\.$/, (value, n) => value - n],
  [/^Then (\d+) of them are taken away\.$/, (value, n) => value - n],
  [/^\w+ collects until there are (\d+) times as many\.$/, (value, n) => value * n],
  [/^Soon \w+ has (\d+) times as many \w+\.$/, (value, n) => value * n],
  [/^The number of \w+ grows to (\d+) times what it was\.$/, (value, n) => value * n],
  [/^\w+ puts them into (\d+) equal bags and keeps only one bag\.$/, (value, n) => value / n],
  [/^\w+ is one of (\d+) friends who share them equally\.$/, (value, n) => value / n],
  [
    /^They are parted into (\d+) equal piles, and one pile is left to \w+\.$/,
    (value, n) => value / n,
  ],
];

function solve(question: string): { answer: number; numbers: number[]; steps: number } {
  const sentences = question.match(/[^.?]+[.?]/g)!.map((text) => text.trim());
  const ask = sentences.pop()!;
  assert.match(ask, /^How many \w+ (does \w+ have (now|in the end)|are there for \w+ at last)\?$/);
  const numbers: number[] = [];
  let value = NaN;
  for (const sentence of sentences) {
    const found = MEANINGS.filter(([form]) => form.test(sentence));
    assert.equal(found.length, 1, sentence);
    const n = Number(found[0][0].exec(sentence)![1]);
    numbers.push(n);
    value = found[0][1](value, n);
    assert.ok(Number.isInteger(value) && value > 0, question);
  }
  return { answer: value, numbers, steps: sentences.length - 1 };
}

/** A sentence of that form. */
const patternOf = (form: string): RegExp =>
  new RegExp(`^${form.replace(/NAME|OTHER|THINGS|NUMBER/g, "\\w+").replace(/[.?]$/, "\\$&")}$`);

for (const [level, steps, most] of [[1, 1, 9], [2, 1, 99], [3, 2, 49], [4, 3, 99]]) {
  Deno.test(`level ${level} of math has ${steps} steps with numbers of at most ${most}, and right answers`, () => {
    const { train, heldout } = makeProblems({ level, count: 400, seed: 3 });
    assert.deepEqual([train.length, heldout.length], [320, 80]);
    for (const { question, answer } of [...train, ...heldout]) {
      const found = solve(question);
      assert.deepEqual([found.answer, found.steps], [answer, steps], question);
      assert.ok(found.numbers.every((n) => n >= 2 && n <= most), question);
    }
  });

  Deno.test(`no held-out problem of level ${level} is a training sum, and half have new forms`, () => {
    const { train, heldout } = makeProblems({ level, count: 400, seed: 3 });
    const all = [...train, ...heldout].map(({ question }) => question);
    assert.equal(new Set(all).size, 400);
    // 5+7 and 7+5 are one sum: compare by the multiset of its first two where they may change places.
    const key = (sum: string) => {
      const [, a, sign, b, rest] = /^(\d+)(.)(\d+)(.*)$/.exec(sum)!;
      return "+*".includes(sign) ? [a, b].sort().join(sign) + rest : sum;
    };
    const trained = new Set(train.map(({ sum }) => key(sum)));
    assert.deepEqual(heldout.filter(({ sum }) => trained.has(key(sum))), []);
    assert.equal(heldout.filter(({ newForm }) => newForm).length, 40);
    const last = Object.values(FORMS).map((forms) => patternOf(forms.at(-1)!));
    const newOnes = (question: string) =>
      question.match(/[^.?]+[.?]/g)!.filter((one) => last.some((form) => form.test(one.trim())))
        .length;
    for (const { question, newForm } of heldout) {
      assert.equal(newOnes(question), newForm ? steps + 2 : 0, question);
    }
    assert.deepEqual(train.filter(({ question }) => newOnes(question) > 0), []);
  });
}

Deno.test("problems depend on seed and level alone, and both count", () => {
  const make = (level: number, seed: number) =>
    JSON.stringify(makeProblems({ level, count: 50, seed }));
  assert.equal(make(3, 1), make(3, 1));
  assert.notEqual(make(3, 1), make(3, 2));
  assert.notEqual(make(3, 1), make(4, 1));
  assert.deepEqual(makeProblems({ level: 1, count: 10, seed: 1 }).train[0], {
    question:
      "At first Anna has 3 flowers. Anna gives 2 of them to Oscar. How many flowers does Anna have now?",
    answer: 1,
    sum: "3-2",
    newForm: false,
  });
});

Deno.test("every kind of step, form and thing occurs, and a sum is what its question says", () => {
  const { train, heldout } = makeProblems({ level: 4, count: 1500, seed: 1 });
  const all = [...train, ...heldout];
  for (const { sign } of Object.values(STEPS)) {
    assert.ok(all.some(({ sum }) => sum.includes(sign)), sign);
  }
  const text = all.map(({ question }) => question).join("\n");
  for (const thing of THINGS) assert.ok(text.includes(thing), thing);
  for (const form of Object.values(FORMS).flat()) {
    assert.ok(
      text.split("\n").some((one) =>
        one.match(/[^.?]+[.?]/g)!.some((part) => patternOf(form).test(part.trim()))
      ),
      form,
    );
  }
  for (const { question, sum } of all.slice(0, 100)) {
    assert.deepEqual(sum.match(/\d+/g)!.map(Number), solve(question).numbers);
  }
});

Deno.test("more problems than a level has are refused, and what there is is made", () => {
  assert.throws(
    () => makeProblems({ level: 1, count: 100_000, seed: 1 }),
    /^RangeError: Cannot make 100000 problems of level 1 as it has not so many: it has made \d+, and none that is new in 100000; lower count$/,
  );
});

Deno.test("math makes 256 problems where no file is named, with the prompt of a plain answer", () => {
  const { task } = openTaskNow(definition);
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [205, 51]);
  const [first] = task.examples.train;
  assert.equal(first.prompt, `${first.question}\nAnswer:`);
  assert.equal(first.id, "level 1 train 1");
  for (const { question, answer } of allOf(task)) {
    assert.equal(String(solve(question as string).answer), answer);
  }
  assert.deepEqual([task.algorithm, task.defaultRewards, task.maxNewTokens], [
    "grpo",
    "numeric_hard",
    8,
  ]);
  assert.deepEqual(openTaskNow(definition, { level: 4, count: 10 }).task.examples.train.length, 8);
});

Deno.test("tags ask for reasoning and an answer, byte for byte, and leave room for them", () => {
  const want =
    "Q?\nThink step by step between <reasoning> and </reasoning>, then write the number " +
    "alone between <answer> and </answer>.\n";
  assert.equal(mathPrompt("Q?", true), want);
  const { task } = openTaskNow(definition, { tags: true });
  assert.equal(
    task.examples.train[0].prompt,
    want.replace("Q?", task.examples.train[0].question as string),
  );
  assert.deepEqual([task.defaultRewards, task.maxNewTokens], ["numeric_hard,format", 96]);
});

Deno.test("answerNumber() reads what is behind ####, commas and currency left out", () => {
  const cases: [unknown, string | undefined][] = [
    ["5 * 94 = <<5*94=470>>470\n#### 470", "470"],
    ["#### 70,000", "70000"],
    ["so\n####-3", "-3"],
    ["#### $1,234.50", "1234.5"],
    ["#### -$5", "-5"],
    ["#### 25%", "25"],
    ["#### 18.", "18"],
    ["1 #### 2 #### 3", "3"],
    ["470", "470"],
    [" 007 ", "7"],
    [470, "470"],
    [-0.5, "-0.5"],
    ["-.5", "-0.5"],
    ["0", "0"],
    ["1,00", undefined],
    ["12 apples", undefined],
    ["#### ", undefined],
    ["3/4", undefined],
    ["--3", undefined],
    ["1e3", undefined],
    ["99999999999999999999", undefined],
    ["", undefined],
    [null, undefined],
    [true, undefined],
    [[5], undefined],
    ["٣", undefined],
  ];
  for (const [text, number] of cases) {
    assert.equal(answerNumber(text), number, JSON.stringify(text));
  }
});

const GSM = [
  {
    question: " Tom has 5 pens.\nHe buys 3 * 2 more. How many? ",
    answer: "He buys 3*2=<<3*2=6>>6.\n5+6=<<5+6=11>>11\n#### 11",
  },
  {
    question: "How much are 400 and 600 dollars?",
    answer: "400+600=$<<400+600=1000>>1,000\n#### $1,000",
  },
  { question: "And 7 - 9?", answer: "#### -2" },
];

Deno.test("math reads GSM8K's lines: question, number and worked solution", async () => {
  const task = await openOn(definition, ["data/gsm8k.jsonl", lines(GSM)]);
  assert.deepEqual(allOf(task).sort((a, b) => a.id < b.id ? -1 : 1), [
    {
      id: "gsm8k.jsonl:1",
      prompt: "Tom has 5 pens.\nHe buys 3 * 2 more. How many?\nAnswer:",
      answer: "11",
      question: "Tom has 5 pens.\nHe buys 3 * 2 more. How many?",
      solution: "He buys 3*2=6.\n5+6=11",
    },
    {
      id: "gsm8k.jsonl:2",
      prompt: "How much are 400 and 600 dollars?\nAnswer:",
      answer: "1000",
      question: "How much are 400 and 600 dollars?",
      solution: "400+600=$1,000",
    },
    {
      id: "gsm8k.jsonl:3",
      prompt: "And 7 - 9?\nAnswer:",
      answer: "-2",
      question: "And 7 - 9?",
      solution: "",
    },
  ]);
  assert.equal(task.examples.heldout.length, 1);
  assert.equal(solutionText("a <<1+1=2>>2\n#### 2"), "a 2");
});

Deno.test("math reads GSM8K's parquet", async () => {
  const file = new URL("../fixtures/parquet/snappy.parquet", import.meta.url);
  const task = await openOn(definition, [
    "train-00000-of-00001.parquet",
    await Deno.readFile(file),
  ]);
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [32, 8]);
  const first = allOf(task).find(({ id }) => id === "train-00000-of-00001.parquet row 1")!;
  assert.equal(first.prompt, "Anna has 2 plums and gets 4 more. How many are there?\nAnswer:");
  assert.deepEqual([first.answer, first.solution], ["6", "2 + 4 = 6"]);
});

Deno.test("math reads what reasoning-gym writes, with its metadata", async () => {
  const gym = [
    {
      question: "What is 3 + 4?",
      answer: "7",
      metadata: { difficulty: { num_terms: 2 }, seed: 4 },
    },
    { question: "What is 10 - 12?", answer: -2, metadata: { source_index: 1 } },
  ];
  for (const content of [JSON.stringify(gym, null, 1), lines(gym)]) {
    const task = await openOn(definition, ["gym.json", content]);
    const all = allOf(task).sort((a, b) => a.id < b.id ? -1 : 1);
    assert.deepEqual(all.map(({ answer, metadata }) => [answer, metadata]), [
      ["7", gym[0].metadata],
      ["-2", gym[1].metadata],
    ]);
    assert.ok(!("solution" in all[0]));
  }
});

Deno.test("math refuses what is no number, with the record's place and a cure", async () => {
  const text = lines([GSM[0], { question: "Who?", answer: "nobody" }]);
  await assert.rejects(openOn(definition, ["g.jsonl", text]), {
    name: "SyntaxError",
    message: "Cannot read g.jsonl:2 as answer must be a number, or end in #### and one: " +
      'it is "nobody"; take the row out',
  });
  await assert.rejects(
    openOn(definition, ["g.jsonl", lines([{ question: " ", answer: "1" }])]),
    /g\.jsonl:1 as "question" must be a text: it is " "$/,
  );
  await assert.rejects(openTask(definition, { data: "g.jsonl" }), {
    name: "TypeError",
    message:
      'Cannot read "g.jsonl" as there are no files here: leave data out for what comes along',
  });
  assert.throws(() => openTaskNow(definition, { level: 5 }), /level must be at most 4: it is 5/);
});
