/** A table of prompts as a task: what is read, and how every broken table is refused. @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "npm:csv-stringify@6.9.0/sync";
import type { OptionValue } from "../../base/options.ts";
import { csvDefinition, csvTask } from "../../tasks/csv.ts";
import { drawRows } from "../../tasks/csv_rows.ts";
import { openTask } from "../../tasks/open.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string, more: Record<string, OptionValue> = {}) =>
  csvTask(text, { file: "./my/Prompts.csv", ...more });

Deno.test("csvTask() reads prompts, answers and splits; further columns stay on the example", () => {
  const task = csvTask(
    bytes(
      "prompt,answer,split,level\nred is,warm,train,1\nblue is,cold,heldout,2\ngray is,,train,3\n",
    ),
    { file: "/data/My Prompts.csv" },
  );
  assert.deepEqual(task.examples, {
    train: [
      { level: "1", id: "My Prompts.csv:2", prompt: "red is", answer: "warm" },
      { level: "3", id: "My Prompts.csv:4", prompt: "gray is" },
    ],
    heldout: [{ level: "2", id: "My Prompts.csv:3", prompt: "blue is", answer: "cold" }],
  });
  assert.deepEqual([task.name, task.defaultRewards, task.notices], ["my-prompts", "exact", []]);
});

Deno.test("a table is the same task whichever system wrote it", async () => {
  const lines = [
    "prompt,answer",
    '"Say ""hi"", 👋🏽 ",hello',
    '" two\nlines"," é,ü"',
    "",
    "plain , spaced ",
  ];
  const unix = lines.join("\n") + "\n";
  const want = read(unix, { heldoutShare: 0 }).examples.train;
  assert.deepEqual(want.map(({ id, prompt, answer }) => [id, prompt, answer]), [
    ["Prompts.csv:2", 'Say "hi", 👋🏽 ', "hello"], // in quotes, a space at the end is a part of it
    ["Prompts.csv:4", " two\nlines", " é,ü"],
    ["Prompts.csv:6", "plain", "spaced"],
  ]);
  for (
    const [what, text] of [
      ["CRLF", unix.replaceAll("\n", "\r\n")],
      ["CR", unix.replaceAll("\n", "\r")],
      ["a byte order mark", `\ufeff${unix}`],
      ["no last line end", unix.trimEnd()],
      ["both line ends", unix.replace("\n", "\r\n")],
    ]
  ) {
    assert.deepEqual(read(text, { heldoutShare: 0 }).examples.train, want, what);
    const table = csvTask(bytes(text), { file: "./my/Prompts.csv", heldoutShare: 0 });
    assert.deepEqual(table.examples.train, want, `${what}, as bytes`);
  }
  const opened = await openTask(csvDefinition("./my/Prompts.csv"), { heldoutShare: 0 }, {
    readData: (name) =>
      Promise.resolve({ name, bytes: bytes(`\ufeff"prompt","answer"\r\na,b\r\n`) }),
  });
  assert.deepEqual(opened.task.examples.train, [{ id: "Prompts.csv:2", prompt: "a", answer: "b" }]);
  assert.deepEqual(opened.settings, { heldoutShare: 0, splitSeed: 1 });
});

Deno.test("whatever a program writes as CSV is read back as it was", () => {
  const text = fc.string({ unit: "binary", minLength: 1 })
    .filter((word) => word.trim() !== "" && !/[\r\0]/.test(word) && word.isWellFormed());
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(text, text), {
        minLength: 1,
        selector: ([p]) => p,
      }),
      (rows) => {
        const table = stringify([["prompt", "answer"], ...rows], { quoted: true });
        const { train } = read(table, { heldoutShare: 0 }).examples;
        assert.deepEqual(train.map(({ prompt, answer }) => [prompt, answer]), rows);
      },
    ),
  );
});

Deno.test("without a column split a fifth is held out, by a seed of the table's own", () => {
  const table = (n: number) => "prompt\n" + Array.from({ length: n }, (_, i) => `p${i}\n`).join("");
  const task = read(table(20));
  assert.deepEqual(task.examples.heldout.map(({ prompt }) => prompt), ["p0", "p7", "p14", "p15"]);
  assert.equal(task.examples.train.length, 16);
  assert.deepEqual(task.notices, [
    "4 of 20 prompts of ./my/Prompts.csv are held out, drawn by splitSeed=1: a column split (train, heldout) " +
    "says which",
  ]);
  const other = read(table(20), { splitSeed: 2 }).examples.heldout;
  assert.notDeepEqual(other, task.examples.heldout);
  assert.equal(read(table(20), { heldoutShare: 0.5 }).examples.heldout.length, 10);
  assert.equal(read(table(2), { heldoutShare: 0.01 }).examples.heldout.length, 1); // as it is asked for
  assert.equal(read(table(1)).examples.heldout.length, 0); // something is left to train on
  assert.deepEqual([...drawRows(5, 0, 1)], []);
  assert.throws(
    () => read(table(3), { heldoutShare: 1 }),
    /heldoutShare must be at most 0.9: it is 1/,
  );
});

Deno.test("a completion has room for the longest answer and an end; a table without answers names no reward", () => {
  const task = read("prompt,answer\na,cold\nb,né\n", { heldoutShare: 0 });
  assert.equal(task.maxNewTokens, 5);
  assert.equal(read(`prompt,answer\na,${"x".repeat(300)}\n`).maxNewTokens, 64);
  const none = read("prompt\na\nb\n");
  assert.deepEqual([none.maxNewTokens, none.defaultRewards], [16, ""]);
  assert.equal(read("prompt,answer\na,\nb,\n").defaultRewards, "");
});

Deno.test("the parent gives the answers, and says of a table without any that it has none", async () => {
  const { parent, examples: { train } } = read("prompt,answer\na,b\nc,\n", { heldoutShare: 0 });
  assert.deepEqual(await parent.answer(train), ["b", null]);
  const none = read("prompt\na\n");
  await assert.rejects(none.parent.answer(none.examples.train), {
    name: "TypeError",
    message:
      'Cannot give answers as ./my/Prompts.csv has none: add a column "answer", or use a reward without',
  });
});

const BROKEN: [what: string, table: string, message: string][] = [
  ["an empty file", "", "1 as it must start with the columns prompt: it is empty"],
  ["white space alone", "\ufeff \n\n", "1 as it must start with the columns prompt: it is empty"],
  ["a header alone", "prompt,answer\n", "1 as rows must follow the header: none does"],
  [
    "a misspelled prompt",
    "promt,answer\na,b\n",
    '1 as its header must have "prompt" once: it is promt,answer; rename "promt"',
  ],
  [
    "semicolons between fields",
    "prompt;answer\na;b\n",
    '1 as its header must have "prompt" once: it is prompt;answer; save it with a comma between fields, and not ";"',
  ],
  ["no prompt at all", "x,y\na,b\n", '1 as its header must have "prompt" once: it is x,y'],
  [
    "prompt twice",
    "prompt,prompt\na,b\n",
    '1 as its header must have "prompt" once: it is prompt,prompt',
  ],
  [
    "another column twice",
    "prompt,x,x\na,b,c\n",
    '1 as its columns must have names of their own: "x" comes twice',
  ],
  [
    "a misspelled answer",
    "prompt,anwser\na,b\n",
    '1 as a column named nearly "answer" would be passed over: rename "anwser"',
  ],
  [
    "a capital Split",
    "prompt,Split\na,train\n",
    '1 as a column named nearly "split" would be passed over: rename "Split"',
  ],
  [
    "a short row",
    "prompt,answer\na,b\nc\n",
    "3 as each row must have 2 fields, like the header: it has 1",
  ],
  [
    "a comma without quotes",
    "prompt,answer\nred, blue,x\n",
    "2 as each row must have 2 fields, like the header: it has 3; put a text with a comma in quotes",
  ],
  [
    "an open quote",
    'prompt\n"a\nb\n',
    "3 as it must be CSV: Quote Not Closed: the parsing is finished with an opening quote at line 3",
  ],
  [
    "a quote amid a word",
    'prompt\na"b\n',
    '2 as it must be CSV: Invalid Opening Quote: a quote is found on field 0 at line 2, value is "a"',
  ],
  [
    "an empty prompt",
    "prompt,answer\na,b\n,c\n",
    "3 as each row must have a prompt: it is empty; fill it in, or take the row out",
  ],
  [
    "another split",
    "prompt,split\na,train\nb,test\n",
    '3 as split must be train or heldout: it is "test"; write one',
  ],
  [
    "an empty split",
    "prompt,split\na,\n",
    '2 as split must be train or heldout: it is ""; write one',
  ],
  [
    "a prompt twice",
    'prompt,answer\r\n"a 😀",b\r\nc,d\r\na 😀,e\r\n',
    '4 as each prompt may occur once: "a 😀" is on line 2 too; take one out',
  ],
  [
    "an id twice",
    "id,prompt\nx,a\nx,b\n",
    '3 as each id may occur once: "x" is on line 2 too; take one out',
  ],
  [
    "no row to train on",
    "prompt,split\na,heldout\nb,heldout\n",
    "3 as rows must be left to train on: all are held out",
  ],
];
for (const [what, table, message] of BROKEN) {
  Deno.test(`csvTask() refuses ${what}, with file, line and cure`, () => {
    assert.throws(() => read(table), new SyntaxError(`Cannot read ./my/Prompts.csv:${message}`));
  });
}

Deno.test("csvTask() refuses bytes that are no UTF-8, as of Excel's Unicode text", () => {
  for (const wrong of [Uint8Array.of(0xff, 0xfe, 0x70, 0), Uint8Array.of(0x70, 0xe9)]) {
    assert.throws(
      () => csvTask(wrong, { file: "a.csv" }),
      new SyntaxError("Cannot read a.csv as it must be UTF-8 text: save it as CSV UTF-8"),
    );
  }
});

Deno.test("columns that JavaScript knows otherwise are columns", () => {
  const [example] =
    read("prompt,__proto__,constructor\na,b,c\n", { heldoutShare: 0 }).examples.train;
  assert.equal(Object.getPrototypeOf(example), Object.prototype);
  assert.deepEqual(Object.entries(example).slice(0, 2), [["__proto__", "b"], ["constructor", "c"]]);
});

Deno.test("without files a table must be handed in as text", async () => {
  await assert.rejects(openTask(csvDefinition("p.csv")), {
    name: "TypeError",
    message: "Cannot read p.csv as there are no files here: use csvTask() on its text",
  });
});

Deno.test("a table with a split says what is given in vain, one without a split takes it", () => {
  const split = "prompt,answer,split\na,b,train\nc,d,heldout\n";
  const why = "changes nothing as the table has a column split, which says what is held out";
  const { notices } = read(split, { heldoutShare: 0.5, splitSeed: 2 });
  assert.deepEqual(notices, [`heldoutShare=0.5 ${why}`, `splitSeed=2 ${why}`]);
  assert.deepEqual(read(split).notices, []);
  assert.deepEqual(read("prompt\na\nb\n", { splitSeed: 2 }).idle, {});
  assert.deepEqual(read("prompt\na\nb\n", { heldoutShare: 0 }).idle, {
    splitSeed: "none is held out",
  });
});
