/** The tasks on a file of records: dialogue and imdb, and which records they take. @module */
import assert from "node:assert/strict";
import { definition as dialogue, dialoguePrompt } from "../../tasks/dialogue.ts";
import { definition as imdb, reviewPrompt } from "../../tasks/imdb.ts";
import { openTask, openTaskNow } from "../../tasks/open.ts";
import { allOf, lines, openOn } from "./_open.ts";

const byId = (task: Parameters<typeof allOf>[0]) =>
  allOf(task).sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
const fixture = (name: string) =>
  Deno.readFile(new URL(`../fixtures/parquet/${name}.parquet`, import.meta.url));

Deno.test("dialogue ships 96 and 24 requests with short replies, each once", () => {
  const { task } = openTaskNow(dialogue), all = allOf(task);
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [96, 24]);
  assert.equal(new Set(all.map(({ prompt }) => prompt)).size, 120);
  assert.equal(new Set(all.map(({ answer }) => answer)).size, 120);
  for (const { id, answer, instruction, input } of all) {
    assert.match(answer!, /^[A-Za-z0-9][^\n]*[.?!\da-z]$/, id);
    assert.ok(answer!.length <= 98 && (instruction as string).length <= 50, id);
    assert.match(instruction as string, /^[A-Z].*[.?]$/);
    assert.ok(!/ {2}|[^\x20-\x7e]/.test(`${answer}${instruction}${input}`), id);
  }
  assert.equal(all.filter(({ input }) => input === "").length, 92);
  assert.deepEqual(task.notices, []);
  const held = task.examples.heldout.map(({ id }) => Number(id.split(":")[1]) - 2);
  assert.deepEqual(held, Array.from({ length: 24 }, (_, i) => 5 * i + 4), "every fifth row");
});

Deno.test("a request is asked as Alpaca's, byte for byte, with and without an input", () => {
  const [first] = openTaskNow(dialogue).task.examples.train;
  assert.deepEqual(first, {
    id: "dialogue.csv:2",
    prompt: "Name three fruits.\nReply:",
    answer: "Apples, bananas and oranges are three fruits.",
    instruction: "Name three fruits.",
    input: "",
  });
  assert.equal(dialoguePrompt("Correct it.", "Me is."), "Correct it.\n\nInput: Me is.\nReply:");
});

Deno.test("dialogue reads Alpaca's JSON, JSONL and parquet", async () => {
  const alpaca = [
    { instruction: "Say hello.", input: "", output: "Hello!", text: "Below is …" },
    { instruction: " Add. ", input: "2 and 3\n", output: " 5" },
    { instruction: "Be quiet.", output: "" },
  ];
  const want = [
    { prompt: "Say hello.\nReply:", answer: "Hello!", instruction: "Say hello.", input: "" },
    {
      prompt: "Add.\n\nInput: 2 and 3\nReply:",
      answer: "5",
      instruction: "Add.",
      input: "2 and 3",
    },
    { prompt: "Be quiet.\nReply:", answer: "", instruction: "Be quiet.", input: "" },
  ];
  const parts = (task: Parameters<typeof allOf>[0]) => byId(task).map(({ id: _, ...rest }) => rest);
  assert.deepEqual(parts(await openOn(dialogue, ["a.json", JSON.stringify(alpaca)])), want);
  assert.deepEqual(parts(await openOn(dialogue, ["a.jsonl", lines(alpaca)])), want);
  for (const name of ["plain", "gzip", "brotli", "lz4"]) {
    const task = await openOn(dialogue, [`${name}.parquet`, await fixture(name)]);
    assert.deepEqual(parts(task), want.slice(0, 2), name);
  }
  await assert.rejects(
    openOn(dialogue, ["a.jsonl", lines([{ instruction: "Go.", input: 5, output: "x" }])]),
    new SyntaxError("Cannot read a.jsonl:1 as input must be a text: it is 5"),
  );
  await assert.rejects(
    openOn(dialogue, ["a.jsonl", lines([{ instruction: "Go.", output: null }])]),
    new SyntaxError("Cannot read a.jsonl:1 as output must be a text: it is null"),
  );
  await assert.rejects(openTask(dialogue, { data: "a" }), /no files here: leave data out/);
});

Deno.test("imdb ships 98 and 24 pairs of beginnings, kind and unkind, that end in the same word", () => {
  const { task } = openTaskNow(imdb), all = byId(task);
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [196, 48]);
  assert.equal(new Set(all.map(({ prompt }) => prompt)).size, 244);
  const held = new Set(task.examples.heldout.map(({ id }) => id));
  for (let i = 0; i < all.length; i += 2) {
    const [kind, unkind] = [all[i], all[i + 1]];
    assert.deepEqual([kind.label, unkind.label], [1, 0], kind.id);
    assert.deepEqual([held.has(kind.id), held.has(unkind.id)], Array(2).fill(i % 10 === 8));
    const last = ({ prompt }: typeof kind) => prompt.split(" ").at(-1);
    assert.equal(last(kind), last(unkind), kind.id);
  }
  for (const { prompt, answer } of all) {
    const words = prompt.split(" ").length;
    assert.ok(words >= 8 && words <= 20, `${words} words: ${prompt}`);
    assert.match(prompt, /^[A-Z][\x20-\x7e]*[a-z]$/);
    assert.ok(!/ {2}/.test(prompt) && answer === undefined, prompt);
  }
  assert.deepEqual([task.defaultRewards, task.measure], ["sentiment", "sentiment"]);
  const [first] = openTaskNow(imdb, { promptWords: 3 }).task.examples.train;
  assert.deepEqual([first.prompt, first.label], ["I went in", 1]);
});

Deno.test("a review's prompt has no line breaks, and no more words than are asked for", () => {
  assert.equal(
    reviewPrompt("Good.<br /><br />Very  good.<BR/>\n Yes<br>!"),
    "Good. Very good. Yes !",
  );
  assert.equal(reviewPrompt(" one two\tthree four ", 3), "one two three");
  assert.equal(reviewPrompt("one", 3), "one");
});

Deno.test("imdb reads IMDB's parquet, CSV and JSONL; what has no label is left out and counted", async () => {
  const rows = [
    { text: "A fine<br /><br />film, really.", label: 1 },
    { text: "A bad film.", label: "0" },
    { text: "A film.", label: -1 },
    { text: "A bad film.", label: 0 },
  ];
  const want = [["A fine film, really.", 1], ["A bad film.", 0]];
  const parts = (task: Parameters<typeof allOf>[0]) =>
    byId(task).map(({ prompt, label }) => [prompt, label]);
  const csv =
    'label,text\n1,"A fine<br /><br />film, really."\n0,A bad film.\n-1,A film.\n0,A bad film.\n';
  for (
    const [name, content] of [["r.jsonl", lines(rows)], ["r.json", JSON.stringify(rows)], [
      "r.csv",
      csv,
    ]]
  ) {
    const task = await openOn(imdb, [name, content]);
    assert.deepEqual(parts(task), want, name);
    assert.deepEqual(task.notices, [
      `1 of 4 records of ${name} are left out: their prompts came before`,
      `1 of 4 records of ${name} are left out: they have no label`,
    ]);
  }
  const task = await openOn(imdb, ["zstd.parquet", await fixture("zstd")], { promptWords: 4 });
  assert.deepEqual(parts(task).slice(0, 2), [["Part 1 was fine.", 0], ["Part 2 was fine.", 1]]);
  assert.equal(allOf(task).length, 40, "a third has no label");
  await assert.rejects(
    openOn(imdb, ["r.jsonl", lines([{ text: "a", label: 2 }])]),
    new SyntaxError(
      "Cannot read r.jsonl:1 as label must be 1 (kind), 0 (unkind) or -1 (unknown): it is 2",
    ),
  );
  await assert.rejects(
    openOn(imdb, ["r.jsonl", lines([{ review: "a", sentiment: "positive" }])]),
    /r\.jsonl:1 as it must have "text": it has review, sentiment$/,
  );
  await assert.rejects(
    openOn(imdb, ["r.jsonl", lines([{ text: "a", label: -1 }])]),
    new SyntaxError("Cannot read r.jsonl as records must be left to train on: none of 1 is"),
  );
});

const MANY = Array.from({ length: 500 }, (_, i) => ({ text: `Film ${i} was`, label: i % 2 }));

Deno.test("of many records some are drawn, a fifth of them held out, by splitSeed alone", async () => {
  const open = (settings = {}) => openOn(imdb, ["r.jsonl", lines(MANY)], settings);
  const task = await open();
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [205, 51]);
  assert.deepEqual(task.notices, [
    "256 of 500 prompts of r.jsonl are used, drawn by splitSeed=1: count says how many",
  ]);
  const ids = ({ examples: { train, heldout } }: typeof task) =>
    [train, heldout].map((all) => all.map(({ id }) => id));
  assert.deepEqual(ids(await open()), ids(task));
  assert.notDeepEqual(ids(await open({ splitSeed: 2 })), ids(task));
  // A larger draw has all of a smaller one, in the file's order.
  const small = new Set(ids(await open({ count: 50 })).flat());
  assert.equal(small.size, 50);
  assert.ok([...small].every((id) => ids(task).flat().includes(id)));
  const rows = ids(task)[0].map((id) => Number(id.split(":")[1]));
  assert.deepEqual(rows, rows.toSorted((a, b) => a - b));
  assert.deepEqual(ids(await open({ count: 2 })).map((all) => all.length), [1, 1]);
  assert.deepEqual(ids(await open({ count: 500 })).map((all) => all.length), [400, 100]);
  assert.deepEqual((await open({ count: 500 })).notices, []);
});

Deno.test("a column split parts the records, and is neither guessed nor passed over", async () => {
  const rows = MANY.slice(0, 10).map((row, i) => ({ ...row, split: i < 7 ? "train" : "heldout" }));
  const task = await openOn(imdb, ["r.jsonl", lines(rows)]);
  assert.deepEqual([task.examples.train.length, task.examples.heldout.length], [7, 3]);
  assert.deepEqual(task.examples.heldout.map(({ id }) => id), [
    "r.jsonl:8",
    "r.jsonl:9",
    "r.jsonl:10",
  ]);
  await assert.rejects(
    openOn(imdb, ["r.jsonl", lines([{ ...MANY[0], split: "test" }])]),
    new SyntaxError('Cannot read r.jsonl:1 as split must be train or heldout: it is "test"'),
  );
  await assert.rejects(
    openOn(imdb, ["r.jsonl", lines([{ ...MANY[0], split: "heldout" }])]),
    /r\.jsonl as records must be left to train on: none of 1 is$/,
  );
  await assert.rejects(
    openOn(imdb, ["r.csv", "text,label,Split\na,1,train\n"]),
    /r\.csv:1 as a column named nearly "split" would be passed over: rename "Split"$/,
  );
});

Deno.test("one record is trained on, as nothing can be held out", async () => {
  const { examples } = await openOn(imdb, ["r.jsonl", lines(MANY.slice(0, 1))]);
  assert.deepEqual([examples.train.length, examples.heldout.length], [1, 0]);
});
