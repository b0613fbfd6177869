import assert from "node:assert/strict";
import fc from "fast-check";
import {
  completionCells,
  completionOf,
  csvLines,
  guard,
  readCsv,
  unguard,
} from "../../../experiment/folder/csv.ts";
import { completion } from "../../cli/_folders.ts";
import { PAYLOADS } from "../../_payloads.ts";
import { HOSTILE } from "../../cli/_fake.ts";

/** Texts of what breaks cells, rows and guards. */
const texts = fc.array(
  fc.constantFrom(
    "=",
    "+",
    "-",
    "@",
    "'",
    '"',
    ",",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "＝",
    "a",
    " ",
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("a carriage return, line feed, quote or comma makes a quoted cell (RFC 4180)", () => {
  for (const text of ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b"]) {
    assert.equal(csvLines([["1", text]]), `1,"${text.replaceAll('"', '""')}"\n`);
  }
  assert.equal(csvLines([["1", "a b"]]), "1,a b\n");
  assert.equal(csvLines([["step"], ["1"]]), "step\n1\n");
});

Deno.test("rows are read back as they were written, whatever cells hold", () => {
  fc.assert(fc.property(fc.array(texts, { minLength: 2, maxLength: 4 }), (cells) => {
    const rows = [cells.map((_, i) => `c${i}`), cells];
    assert.deepEqual(readCsv(csvLines(rows)), rows);
  }));
  for (const text of HOSTILE) {
    const row = completion(1, "train", text);
    const [cells] = readCsv(csvLines([completionCells(row, ["exact"])]));
    assert.deepEqual(completionOf(cells, ["exact"]), {
      ...row,
      completion: text.replaceAll("\ud800", "\\u{d800}"), // no file can hold it
    });
  }
});

Deno.test("no line of a text cell is a formula, and the text comes back byte for byte", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const cell = guard(text);
      for (const line of cell.split(/\r\n|[\r\n]/)) {
        assert.doesNotMatch(line, /^[=+\-@\t\0＝＋－＠]/, JSON.stringify(cell));
      }
      assert.equal(unguard(cell), text);
    }),
    { numRuns: 2000 },
  );
  assert.equal(guard("a\r=1+1"), "a\r'=1+1");
  assert.equal(guard("a\n+1\r\n-1\n\t@"), "a\n'+1\r\n'-1\n'\t@");
  assert.equal(guard("a\n'=1"), "a\n''=1");
  assert.equal(guard("it\n'tis"), "it\n'tis"); // an apostrophe of the text's own
  assert.equal(guard("a=1\nb-2"), "a=1\nb-2");
});

/** As a file can hold it: half a character is spelled out. */
const held = (text: string): string =>
  text.replace(/\p{Surrogate}/gu, (half) => `\\u{${half.charCodeAt(0).toString(16)}}`);

Deno.test("no payload is a formula in any text cell, and each is read back", () => {
  for (const text of PAYLOADS) {
    const row = { ...completion(1, "train", text), id: text, prompt: text, answer: text };
    const file = new TextDecoder().decode(
      new TextEncoder().encode(csvLines([completionCells(row, ["exact"])])),
    );
    const [cells] = readCsv(file);
    for (const cell of cells.slice(1, 6)) {
      assert.doesNotMatch(cell, /(?:^|\r\n|[\r\n])[=+\-@\t\0＝＋－＠]/, JSON.stringify(cell));
    }
    const read = completionOf(cells, ["exact"]);
    assert.deepEqual(
      [read.id, read.prompt, read.completion, read.answer],
      Array(4).fill(held(text)),
    );
  }
});

Deno.test("cells of earlier versions, which guarded the first line alone, read as they did", () => {
  assert.equal(unguard("'\n=1"), "\n=1");
  assert.equal(unguard("'=1\n'tis"), "=1\n'tis");
  assert.deepEqual(readCsv("step,completion\n1,a\rb\n"), [["step", "completion"], ["1", "a\rb"]]);
});
