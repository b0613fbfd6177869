import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "npm:csv-stringify@6.9.0/sync";
import { readRecords } from "../../../tasks/records/read.ts";
import { textIn } from "../../../tasks/records/record.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const WANTED = { needs: ["question", "answer"], may: ["metadata"] };
const read = (text: string | Uint8Array, name = "d.jsonl", wanted = WANTED) =>
  readRecords({ name, bytes: typeof text === "string" ? bytesOf(text) : text }, wanted);
const valuesOf = async (text: string | Uint8Array, name?: string) =>
  (await read(text, name)).map(({ values }) => values);

const ODD = 'Grüße 🙂, "two"\nlines \u2028 e\u0301';
const ROWS = [{ question: ODD, answer: "7" }, { question: "b", answer: "-8" }];

Deno.test("JSON, JSONL and CSV give the same records, each with its place", async () => {
  const forms: [string, string, string[]][] = [
    ["d.json", JSON.stringify(ROWS, null, 2), [", record 1", ", record 2"]],
    ["d.json", JSON.stringify(ROWS), [", record 1", ", record 2"]],
    ["d.jsonl", ROWS.map((row) => JSON.stringify(row)).join("\n"), [":1", ":2"]],
    ["d.ndjson", `\n${ROWS.map((row) => JSON.stringify(row)).join("\n\n")}\n\n`, [":2", ":4"]],
    ["d.json", ROWS.map((row) => JSON.stringify(row)).join("\r\n") + "\r\n", [":1", ":2"]],
    ["d.csv", stringify([["question", "answer"], ...ROWS.map((r) => [r.question, r.answer])]), [
      ":3",
      ":4",
    ]],
    ["no-ending", JSON.stringify(ROWS), [", record 1", ", record 2"]],
    ["no-ending", ROWS.map((row) => JSON.stringify(row)).join("\n"), [":1", ":2"]],
    ["no-ending", "question,answer\nb,7\nb,-8\n", [":2", ":3"]],
  ];
  for (const [name, text, places] of forms) {
    for (const mark of ["", "\ufeff"]) {
      const got = await read(mark + text, name);
      assert.deepEqual(got.map(({ place }) => place), places, name);
      assert.deepEqual(got.map(({ values }) => values.answer), ["7", "-8"], name);
      if (places[0] !== ":2" || name === "d.ndjson") {
        assert.deepEqual(got.map(({ values }) => values), ROWS, name);
      }
    }
  }
});

Deno.test("values of JSON stay as they are, and columns that are not asked for are left out", async () => {
  const text =
    '{"question":1e3,"answer":null,"metadata":{"a":[true]},"more":2,"__proto__":{"x":1}}';
  const [values] = await valuesOf(text);
  assert.deepEqual(values, { question: 1000, answer: null, metadata: { a: [true] } });
});

Deno.test("any texts come back from JSONL and from CSV as they were", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ question: fc.string({ unit: "grapheme" }), answer: fc.string() }, {
          noNullPrototype: true,
        }),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
      async (rows) => {
        assert.deepEqual(await valuesOf(rows.map((row) => JSON.stringify(row)).join("\n")), rows);
        assert.deepEqual(await valuesOf(JSON.stringify(rows), "d.json"), rows);
        const quoted = stringify([
          ["question", "answer"],
          ...rows.map((r) => [r.question, r.answer]),
        ], {
          quoted: true,
        });
        // In quotes white space stays, and every line end is a line feed.
        const same = (text: string) => text.replaceAll(/\r\n?/g, "\n");
        assert.deepEqual(
          await valuesOf(quoted, "d.csv"),
          rows.map((r) => ({ question: same(r.question), answer: same(r.answer) })),
        );
      },
    ),
    { numRuns: 100 },
  ));

const REFUSED: [string, string, string | Uint8Array, string][] = [
  ["nothing", "d.json", "", " as it must be parquet, JSON, JSONL or CSV: it is empty"],
  ["white space", "d.json", " \n\t ", " as records must be in it: it is white space alone"],
  [
    "a page of the web",
    "d.json",
    "<!DOCTYPE html>",
    " as it must be parquet, JSON, JSONL or CSV: it is a web page: take the file itself, not the page about it",
  ],
  [
    "gzip",
    "d.jsonl.gz",
    Uint8Array.of(31, 139, 8, 0),
    " as it must be parquet, JSON, JSONL or CSV: it is packed with gzip: unpack it first",
  ],
  [
    "a pointer of LFS",
    "d.parquet",
    "version https://git-lfs.github.com/spec/v1\n",
    " as it must be parquet, JSON, JSONL or CSV: it is a pointer of Git LFS: take the file that it points to",
  ],
  [
    "text named parquet",
    "d.parquet",
    '[{"a":1}]',
    ' as a parquet file begins with PAR1: it begins with "[{\\"a"; fetch it again',
  ],
  [
    "a word named JSON",
    "d.json",
    "hello",
    ':1 as JSON must be a list of records, or one record a line: it begins with "hello"',
  ],
  [
    "one object over lines",
    "d.json",
    '{\n"question": "a",\n"answer": "b"\n}',
    ":1 as JSON must be a list of records, or one record a line: it is one object; take the list out of it",
  ],
  ["an empty list", "d.json", "[ ]", " as records must be in it: its list is empty"],
  [
    "a list of texts",
    "d.json",
    '[{"question":"a","answer":"b"},"c"]',
    ', record 2 as a record is an object of names and values: it is "c"',
  ],
  [
    "a line that is a list",
    "d.jsonl",
    '{"question":"a","answer":"b"}\n[1]',
    ":2 as a record is an object of names and values: it is a list of 1",
  ],
  [
    "a list cut off",
    "d.json",
    '[\n{"question":"a","answer":"b"},\n{"question":"c","ans',
    ":3 as it must be JSON: no JSON at column 17",
  ],
  [
    "a comma too many",
    "d.json",
    '[\n{"question":"a","answer":"b"},\n]',
    ':3 as it must be JSON: unexpected "]" at column 2',
  ],
  [
    "a broken line",
    "d.jsonl",
    '{"question":"a","answer":"b"}\n\n{"question":"a" "answer":"b"}\n',
    ':3 as it must be JSON: no "," or "}" at column 25',
  ],
  [
    "a broken first line",
    "d.jsonl",
    '{"question":}\n',
    ':1 as it must be JSON: unexpected "}" at column 14',
  ],
  [
    "a missing column",
    "d.jsonl",
    '{"question":"a","answer":"b"}\n{"Question":"a","answer":"b"}\n',
    ':2 as it must have "question": it has Question, answer; rename "Question"',
  ],
  [
    "a missing column of a list",
    "d.json",
    '[{"problem":"a","solution":"b"}]',
    ', record 1 as it must have "question": it has problem, solution',
  ],
  [
    "a missing column of CSV",
    "d.csv",
    "questions,answer\na,b\n",
    ':1 as its header must have "question" once: it is questions,answer; rename "questions"',
  ],
  [
    "a short row",
    "d.csv",
    "question,answer\na,b\nc\n",
    ":3 as each row must have 2 fields, like the header: it has 1",
  ],
  [
    "bytes that are no UTF-8",
    "d.jsonl",
    Uint8Array.of(...bytesOf('{"a":1}\n'), 34, 0xff, 34),
    ":2 as it must be UTF-8 text: save it as UTF-8",
  ],
  [
    "UTF-16",
    "d.csv",
    Uint8Array.of(0xff, 0xfe, 65, 0),
    ":1 as it must be UTF-8 text: save it as UTF-8",
  ],
];
for (const [what, name, content, message] of REFUSED) {
  Deno.test(`readRecords() refuses ${what}, with file, place and cure`, async () => {
    await assert.rejects(read(content, name), new SyntaxError(`Cannot read ${name}${message}`));
  });
}

Deno.test("JSON that is nested without end is refused, and does not overflow the stack", async () => {
  const deep = `{"question":${"[".repeat(100_000)}`;
  for (const [name, text] of [["d.jsonl", deep], ["d.json", `[${deep}`]]) {
    await assert.rejects(
      read(text, name),
      /^SyntaxError: Cannot read d\.jsonl?:1 as it must be JSON: more than 64 levels at column \d+$/,
    );
  }
});

Deno.test("a record with 100,000 names is refused in one line", async () => {
  const names = Array.from({ length: 100_000 }, (_, i) => [`n${i}`, i]);
  await assert.rejects(read(JSON.stringify(Object.fromEntries(names))), {
    message:
      'Cannot read d.jsonl:1 as it must have "question": it has n0, n1, n2, n3, n4, n5, n6, n7, and 99992 more',
  });
});

Deno.test("a text that no engine can hold is refused before it is read", async () => {
  await assert.rejects(read(new Uint8Array(2 ** 29).fill(0x20, 0, 100), "d.csv"), {
    name: "RangeError",
    message: "Cannot read d.csv as a text holds at most 536870911 bytes: it has 536870912 bytes; " +
      "write it as parquet, or take a part of it",
  });
});

Deno.test("textIn() takes texts alone", async () => {
  const [record] = await read('{"question":" ","answer":5}');
  assert.throws(() => textIn(record, "question"), {
    message: 'Cannot read d.jsonl:1 as "question" must be a text: it is " "',
  });
  assert.throws(() => textIn(record, "answer"), /"answer" must be a text: it is 5$/);
  assert.throws(() => textIn(record, "metadata"), /"metadata" must be a text: it is undefined$/);
});
