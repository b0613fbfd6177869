/** Data sets of several files: what is trained on, and what is held out. @module */
import assert from "node:assert/strict";
import { definition as dialogue } from "../../tasks/dialogue.ts";
import { drawExamples, openData } from "../../tasks/files.ts";
import { definition as math } from "../../tasks/math.ts";
import { openTask } from "../../tasks/open.ts";
import { readRecords } from "../../tasks/records/read.ts";
import type { DataFile, TaskContext } from "../../tasks/task.ts";
import { lines, openOn } from "./_open.ts";

/** A file of sums from `first` on. */
function sums(name: string, first: number, count: number, split?: DataFile["split"]): DataFile {
  const lines = Array.from(
    { length: count },
    (_, i) =>
      JSON.stringify({
        question: `${first + i} + 1?`,
        answer: `#### ${first + i + 1}`,
        split: "test",
      }),
  );
  return { name, split, bytes: new TextEncoder().encode(lines.join("\n")) };
}
const open = async (files: DataFile[], settings: { count?: number } = {}) => {
  const readDataFiles = () => Promise.resolve(files);
  return (await openTask(math, { ...settings, data: "a/b" }, { readDataFiles })).task;
};
const TRAIN = [sums("a/b/x/0.jsonl", 0, 30, "train"), sums("a/b/y/0.jsonl", 100, 30, "train")];

Deno.test("the shards of a data set are trained on, its test file is held out", async () => {
  const { examples } = await open([...TRAIN, sums("a/b/test.jsonl", 500, 10, "heldout")]);
  assert.deepEqual([examples.train.length, examples.heldout.length], [60, 10]);
  assert.deepEqual(examples.heldout.map(({ answer }) => Number(answer)), [
    501,
    502,
    503,
    504,
    505,
    506,
    507,
    508,
    509,
    510,
  ]);
  // Two files of one name: ids have their folders.
  assert.deepEqual(
    [examples.train[0].id, examples.train[30].id, examples.heldout[0].id],
    ["a/b/x/0.jsonl:1", "a/b/y/0.jsonl:1", "a/b/test.jsonl:1"],
  );
  const once = await open([
    sums("a/b/train.jsonl", 0, 3, "train"),
    sums("a/b/test.jsonl", 9, 1, "heldout"),
  ]);
  assert.deepEqual([once.examples.train[0].id, once.examples.heldout[0].id], [
    "train.jsonl:1",
    "test.jsonl:1",
  ]);
});

Deno.test("of more than count, a fifth is held out, as far as both splits reach", async () => {
  const cases: [train: number, test: number, count: number, want: [number, number]][] = [
    [60, 40, 50, [40, 10]],
    [60, 2, 50, [48, 2]],
    [10, 90, 50, [10, 40]],
    [60, 40, 100, [60, 40]],
    [60, 40, 2, [1, 1]],
    [60, 40, 99, [60, 39]],
  ];
  for (const [train, test, count, want] of cases) {
    const files = [
      sums("train.jsonl", 0, train, "train"),
      sums("test.jsonl", 500, test, "heldout"),
    ];
    const { examples } = await open(files, { count });
    assert.deepEqual(
      [examples.train.length, examples.heldout.length],
      want,
      `${train} ${test} ${count}`,
    );
    assert.ok(examples.train.every(({ answer }) => Number(answer) <= 100));
    assert.ok(examples.heldout.every(({ answer }) => Number(answer) > 500));
  }
});

Deno.test("a prompt of the test file that is trained on is not held out, and said to be left out", async () => {
  const files = [...TRAIN, sums("a/b/test.jsonl", 125, 10, "heldout")]; // five of them are in y
  const wanted = { needs: ["question"], may: ["split"] };
  const records = await readRecords(files, wanted);
  const make = ({ values }: { values: Readonly<Record<string, unknown>> }, id: string) => ({
    id,
    prompt: String(values.question),
  });
  const { examples, notices } = drawExamples(records, make, { count: 1000, splitSeed: 1 });
  assert.deepEqual([examples.train.length, examples.heldout.length], [60, 5]);
  assert.equal(
    notices[0],
    "5 of 70 records of a/b/x/0.jsonl and 2 more are left out: their prompts came before",
  );
});

Deno.test("a file's split stands over its column of that name, which is read where no split is told", async () => {
  const wanted = { needs: ["question"], may: ["split"] };
  const [told, own] = [sums("a.jsonl", 0, 1, "heldout"), sums("a.jsonl", 0, 1)];
  assert.deepEqual((await readRecords(told, wanted))[0].values, {
    question: "0 + 1?",
    split: "heldout",
  });
  assert.deepEqual((await readRecords([own], wanted))[0].values, {
    question: "0 + 1?",
    split: "test",
  });
  await assert.rejects(open([own]), /a\.jsonl:1 as split must be train or heldout: it is "test"/);
});

Deno.test("a task takes all files where they can be had, else the one", async () => {
  const [file] = TRAIN, context: TaskContext = { readData: () => Promise.resolve(file) };
  assert.deepEqual(await openData("x", context), [file]);
  const both = { ...context, readDataFiles: () => Promise.resolve(TRAIN) };
  assert.deepEqual(await openData("x", both), TRAIN);
  await assert.rejects(openData("x", {}), /Cannot read "x" as there are no files here/);
});

Deno.test("prompts without a split beside some with it are trained on, and counted", async () => {
  const ask = (i: number, more: object) => ({ instruction: `Say ${i}.`, output: "x", ...more });
  const records = [
    ask(1, { split: "train" }),
    ask(2, {}),
    ask(3, { split: "heldout" }),
    ask(4, {}),
  ];
  const task = await openOn(dialogue, ["a.jsonl", lines(records)]);
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [3, 1]);
  assert.deepEqual(task.notices, [
    "2 of 4 prompts of a.jsonl have no split, where others have one: they count as training prompts",
  ]);
  const none = await openOn(dialogue, ["a.jsonl", lines([ask(1, {}), ask(2, {})])]);
  assert.deepEqual(none.notices, []);
});

Deno.test("a task names those of its settings that change nothing of its data, and why", async () => {
  const record = (i: number, split?: string) => ({
    question: `${i} + 1?`,
    answer: String(i + 1),
    ...(split && { split }),
  });
  const numbers = Array.from({ length: 300 }, (_, i) => i);
  const some = ["a.jsonl", lines(numbers.slice(0, 9).map((i) => record(i)))] as const;
  const many = [
    "a.jsonl",
    lines(numbers.map((i) => record(i, i % 5 ? "train" : "heldout"))),
  ] as const;
  const idle = async ([name, text]: readonly [string, string], settings = {}) =>
    (await openOn(math, [name, text], settings)).idle;
  const level = "the problems are those of data";
  assert.deepEqual(await idle(some), { level, count: "all 9 prompts of a.jsonl are used" });
  assert.deepEqual(await idle(some, { count: 5 }), { level });
  assert.deepEqual(await idle(many), { level }); // of 300 prompts 256 are drawn
  assert.deepEqual(await idle(many, { count: 300 }), {
    level,
    splitSeed: "all 300 prompts of a.jsonl are used, parted by their split",
  });
  assert.deepEqual((await openTask(math)).task.idle, {}); // made: each of them counts
  assert.deepEqual((await openTask(dialogue)).task.idle, {
    count: "all 120 prompts of tasks/data/dialogue.csv are used",
    splitSeed: "all 120 prompts of tasks/data/dialogue.csv are used, parted by their split",
  });
});
