import assert from "node:assert/strict";
import fc from "fast-check";
import { readCsv } from "../../base/csv.ts";
import { loadTableParent, parseAnswers, tableParent } from "../../rewards/parents/table.ts";

const example = (id: string) => ({ id, prompt: "" });

Deno.test("tableParent() answers by id, null where the table has none", async () => {
  const parent = tableParent(parseAnswers("id,answer\na,red\nb,blue\n", "t.csv"));
  assert.deepEqual(await parent.answer(["b", "x", "a"].map(example)), ["blue", null, "red"]);
});

Deno.test("parseAnswers() reads quotes, a byte order mark, CRLF, blank lines and other columns", () => {
  const text = '\ufeffid,note,answer\r\n\r\n 1 ,"a, b","say ""hi"""\r\n2,,"two\nlines"\r\n';
  assert.deepEqual([...parseAnswers(text, "t.csv")], [["1", 'say "hi"'], ["2", "two\nlines"]]);
});

Deno.test("parseAnswers() keeps ids that are names of object members apart", () => {
  const answers = parseAnswers("id,answer\n__proto__,a\nconstructor,b\n", "t.csv");
  assert.deepEqual([...answers], [["__proto__", "a"], ["constructor", "b"]]);
  const values = readCsv("__proto__,x\n1,2\n", { file: "t", columns: ["x"] });
  assert.deepEqual(values, [{ line: 2, values: { x: "2" } }]);
});

const BROKEN: [string, string, string][] = [
  ["an empty file", "", "1 as it must start with the columns id,answer: it is empty"],
  ["no header", "a,red\nb,blue\n", '1 as its header must have "id" once: it is a,red'],
  [
    "a misspelled column",
    "id,anwser\na,b\n",
    '1 as its header must have "answer" once: it is id,anwser; rename "anwser"',
  ],
  [
    "a column twice",
    "id,id,answer\n1,2,3\n",
    '1 as its header must have "id" once: it is id,id,answer',
  ],
  ["no rows", "id,answer\n\n", "1 as rows must follow the header: none does"],
  [
    "a short row",
    "id,answer\na,red\nb\n",
    "3 as each row must have 2 fields, like the header: it has 1",
  ],
  [
    "a long row",
    "id,answer\na,red,x\n",
    "2 as each row must have 2 fields, like the header: it has 3; put a text with a comma in quotes",
  ],
  ["an id twice", "id,answer\na,red\n\na,blue\n", '4 as each id may occur once: "a" comes again'],
  [
    "an empty id",
    "id,answer\n,red\n",
    '2 as id and answer must not be empty: they are "" and "red"',
  ],
  [
    "an empty answer",
    "id,answer\na,\n",
    '2 as id and answer must not be empty: they are "a" and ""',
  ],
];
for (const [what, text, message] of BROKEN) {
  Deno.test(`parseAnswers() refuses ${what}, with file and line`, () => {
    assert.throws(
      () => parseAnswers(text, "t.csv"),
      new SyntaxError(`Cannot read t.csv:${message}`),
    );
  });
}

Deno.test("parseAnswers() refuses broken quotes, with file and line", () => {
  for (const text of ['id,answer\na,"red\n', 'id,answer\na,"red"x\n', 'id,answer\na,re"d\n']) {
    assert.throws(() => parseAnswers(text, "t.csv"), (error: Error) => {
      assert.ok(error instanceof SyntaxError);
      assert.match(error.message, /^Cannot read t\.csv:[23] as it must be CSV: /);
      return true;
    });
  }
});

Deno.test("parseAnswers() gives a table or a SyntaxError for any text", () => {
  const pieces = fc.constantFrom(
    "id",
    "answer",
    ",",
    "\n",
    "\r",
    '"',
    "a",
    " ",
    "\0",
    "\ufeff",
    "é",
  );
  fc.assert(fc.property(fc.array(pieces, { maxLength: 20 }), fc.boolean(), (parts, header) => {
    try {
      const table = parseAnswers((header ? "id,answer\n" : "") + parts.join(""), "t.csv");
      assert.ok(table.size > 0);
      for (const [id, answer] of table) assert.ok(id !== "" && answer !== "");
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error));
      assert.match(error.message, /^Cannot read t\.csv:\d+ as /);
    }
  }));
});

Deno.test("loadTableParent() reads a file, names one that is missing or not text", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/t.csv`, "id,answer\n1,né\n");
    const parent = await loadTableParent(`${folder}/t.csv`);
    assert.deepEqual(await parent.answer([example("1")]), ["né"]);
    const bytes = new TextEncoder().encode("id,answer\n1,n");
    await Deno.writeFile(`${folder}/latin1.csv`, Uint8Array.of(...bytes, 0xe9, 10));
    await assert.rejects(
      loadTableParent(`${folder}/latin1.csv`),
      /latin1\.csv as it must be UTF-8/,
    );
    await assert.rejects(loadTableParent(`${folder}/no.csv`), /no\.csv: there is no such file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
