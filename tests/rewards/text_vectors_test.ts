/** Word vectors in text: the reading of a file, and the keys that a text is taken apart into. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openWordVectors } from "../../experiment/folder/word_vectors.ts";
import { readDecimal } from "../../rewards/embeddings/decimal.ts";
import { TextVectors } from "../../rewards/embeddings/text_vectors.ts";
import { readVectorText } from "../../rewards/embeddings/vector_text.ts";
import { withFolder } from "../_folder.ts";

const encoder = new TextEncoder();

/** A text in pieces of `size` bytes. */
async function* piecesOf(text: string | Uint8Array, size = Infinity): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.slice(at, at + size);
  }
}

const read = async (text: string | Uint8Array, { size = Infinity, rows = 0 } = {}) =>
  new TextVectors(await readVectorText(piecesOf(text, size), { file: "v.txt", rows }), "v.txt");

const SMALL = "5 2\ncat 1 0\nnew_york 0 1\nnew -1 0\nnavy-blue 0.5 0.25\n### 0 -1\n";

Deno.test("readVectorText() reads rows with and without a first line, in pieces of any size", async () => {
  for (const text of [SMALL, SMALL.slice(4), SMALL.replaceAll("\n", " \r\n"), SMALL.trimEnd()]) {
    for (const size of [1, 2, 3, 7, 1000]) {
      const vectors = await read(text, { size });
      assert.deepEqual([vectors.size, vectors.dimensions], [5, 2]);
      const [cat, york, none] = await vectors.embed(["cat", "cat in New York", "dog"]);
      assert.deepEqual([[...cat!], [...york!], none], [[1, 0], [0.5, 0.5], null]);
    }
  }
});

Deno.test("readVectorText() keeps the first rows where that is asked for, and reads no further", async () => {
  const broken = SMALL + "cut 1\n";
  const vectors = await read(broken, { rows: 2 });
  assert.equal(vectors.size, 2);
  assert.deepEqual((await vectors.embed(["new york", "new"])).map((v) => v && [...v]), [
    [0, 1],
    null,
  ]);
  let pulled = 0;
  async function* endless() {
    for (;;) {
      pulled++;
      yield await Promise.resolve(encoder.encode(`key${pulled} 1 2 3\n`));
    }
  }
  assert.equal((await readVectorText(endless(), { file: "e", rows: 9 })).rowOf.size, 9);
  assert.equal(pulled, 9);
});

Deno.test("readVectorText() has the first of two rows of one key, and more rows than one block", async () => {
  const lines = Array.from({ length: 9000 }, (_, i) => `w${i % 8999} ${i} ${-i}`);
  const vectors = await read(lines.join("\n"));
  assert.equal(vectors.size, 8999);
  const texts = ["w0", "w2047", "w4095", "w4096", "w8998"]; // whole numbers to 2048 are exact in 16 bits
  const found = await vectors.embed(texts);
  assert.deepEqual(found.map((v) => v![0]), [0, 2047, 4096, 4096, 9000]);
  assert.deepEqual(found.map((v) => v![1]), [0, -2047, -4096, -4096, -9000]);
});

const MANY = `k${" 1".repeat(4097)}\n`;
const BROKEN: [string, string | Uint8Array, string][] = [
  ["nothing", "", "1 as rows of word vectors must be there: it has none"],
  ["a first line alone", "0 300\n", "1 as rows of word vectors must be there: it has none"],
  [
    "a short row",
    "a 1 2\n\nb 1\n",
    "3 as a row has a key and 2 numbers, as the first row has: it has 1",
  ],
  [
    "a long row",
    "9 2\na 1 2 3\n",
    "2 as a row has a key and 2 numbers, as the first line says: it has 3",
  ],
  [
    "two spaces",
    "a 1 2\nb  1 2\n",
    "2 as a row has a key and 2 numbers, as the first row has: it has 3",
  ],
  ["a word for a number", "a 1 x\n", '1 as numbers must be finite, within ±65504: it has "x"'],
  ["NaN", "a NaN 1\n", '1 as numbers must be finite, within ±65504: it has "NaN"'],
  ["hexadecimal", "a 0x1 1\n", '1 as numbers must be finite, within ±65504: it has "0x1"'],
  [
    "a number too large",
    "a 1 70000\n",
    '1 as numbers must be finite, within ±65504: it has "70000"',
  ],
  ["an infinite one", "a 1 1e999\n", '1 as numbers must be finite, within ±65504: it has "1e999"'],
  ["no key", "a 1 2\n 1 2\n", "2 as a row begins with its key: it has a space"],
  [
    "other bytes",
    Uint8Array.of(97, 0xe9, 32, 49, 10),
    "1 as keys must be UTF-8 text: it has other bytes",
  ],
  [
    "too few rows",
    "3 1\na 1\nb 2\n",
    "3 as there must be the 3 rows that its first line says: it has 2",
  ],
  ["one word a line", "a\n", "1 as a row has 1 to 4096 numbers: it has 0"],
  ["many numbers", MANY, "1 as a row has 1 to 4096 numbers: it has 4097"],
  ["no line ends", "x".repeat(3e6), "1 as a line has at most 1048576 bytes: it has more"],
];
for (const [what, text, message] of BROKEN) {
  Deno.test(`readVectorText() refuses ${what}, with file and line`, async () => {
    for (const size of [1e6, 5e5]) {
      await assert.rejects(
        read(text, { size }),
        new SyntaxError(`Cannot read v.txt:${message}`),
      );
    }
  });
}

Deno.test("readDecimal() is Number() for what spells a number, NaN for the rest", () => {
  const of = (text: string) => {
    const bytes = encoder.encode(`#${text}#`);
    return readDecimal(bytes, 1, bytes.length - 1);
  };
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
    assert.equal(of(`${x}`), x + 0); // "0" of -0
    assert.equal(of(x.toFixed(6)), Number(x.toFixed(6)));
  }));
  fc.assert(
    fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 9 }), (n, d) => {
      const text = (n / 10 ** d).toFixed(d);
      assert.equal(of(text), Number(text));
    }),
  );
  for (const text of ["", "-", ".", "1.2.3", "1e", "1 ", "--1", "Infinity", "1_0", "+.e1"]) {
    assert.ok(Number.isNaN(of(text)), JSON.stringify(text));
  }
  for (const text of ["-0.5", "5.", ".5", "+1", "1e-3", "0.12345678901234567890"]) {
    assert.equal(of(text), Number(text), text);
  }
});

Deno.test("keysOf() takes the longest key at each word, and spells it as files do", async () => {
  const keys = [
    ...["a", "new", "york", "new_york", "new_york_city", "city_of_god", "of", "don't", "navy-blue"],
    ...["well_being", "##", "##_years", "Paris", "naïve", "7", "ice_cream", "cream_cake"],
  ];
  const vectors = await read(keys.map((key) => `${key} 1\n`).join(""));
  const found: [string, string[]][] = [
    ["New York City of God", ["new_york_city", "of"]], // from the left: "city" is taken
    ["new\nYORK!", ["new_york"]],
    ["new, york", ["new_york"]], // a comma is a gap like any other
    ["a new city", ["a", "new"]],
    ["don't, don’t", ["don't", "don't"]],
    ["Navy-Blue", ["navy-blue"]],
    ["navy blue", []], // a hyphen of the key stands in the text
    ["well-being well being", ["well_being", "well_being"]], // a gap of the key may be a hyphen
    ["paris Paris PARIS", ["Paris"]], // as it is written where it is not there in lower case
    ["25 years, 7 or 1984", ["##_years", "7"]],
    ["25", ["##"]],
    ["nai\u0308ve", ["naïve"]],
    ["ice cream cake", ["ice_cream"]],
    ["ice york", ["york"]],
    ["", []],
  ];
  for (const [text, want] of found) assert.deepEqual(vectors.keysOf(text), want, text);
});

Deno.test("TextVectors.embed() is finite, or null, for any text", async () => {
  const vectors = await read(SMALL);
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
    const [vector] = await vectors.embed([text]);
    assert.ok(vector === null || vector.every(Number.isFinite));
  }));
  const long = "new york new ".repeat(8000);
  assert.equal((await vectors.embed([long]))[0]!.length, 2);
});

const gzip = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(
    await new Response(
      new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );

Deno.test("openWordVectors() reads a plain and a packed file, and names what it cannot read", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/v.txt`, SMALL);
    const packed = await gzip(SMALL);
    await Deno.writeFile(`${folder}/v.txt.gz`, packed);
    await Deno.writeFile(`${folder}/cut.txt.gz`, packed.subarray(0, packed.length - 9));
    await Deno.writeTextFile(`${folder}/plain.txt.gz`, SMALL);
    for (const name of ["v.txt", "v.txt.gz"]) {
      for (const [rows, size] of [[0, 5], [3, 3], [1, 1]]) {
        const vectors = await openWordVectors(`${folder}/${name}`, rows);
        assert.deepEqual([vectors.size, vectors.name], [size, `${folder}/${name}`]);
      }
    }
    for (const name of ["cut.txt.gz", "plain.txt.gz"]) {
      const path = `${folder}/${name}`;
      await assert.rejects(openWordVectors(path, 0), (error: Error) => {
        assert.ok(error instanceof SyntaxError);
        const start = `Cannot read word vectors from ${path} as it must be a whole gzip file: `;
        assert.ok(error.message.startsWith(start), error.message);
        return true;
      });
    }
    const cannot = `Cannot read word vectors from ${folder}`;
    await assert.rejects(
      openWordVectors(`${folder}/no.txt`, 0),
      new Error(`${cannot}/no.txt as it must be a file: there is none`),
    );
    await assert.rejects(
      openWordVectors(folder, 0),
      new Error(`${cannot} as it must be a file: it is a folder`),
    );
    await Deno.writeTextFile(`${folder}/bad.txt`, "a 1 2\nb 1\n");
    await assert.rejects(
      openWordVectors(`${folder}/bad.txt`, 0),
      new SyntaxError(
        `Cannot read ${folder}/bad.txt:2 as a row has a key and 2 numbers, as the first row has: it has 1`,
      ),
    );
  }));

Deno.test("a file far larger than the program's memory is read: 100 MB of text, a heap of 24 MB", async () => {
  const code = `
    import { readVectorText } from "./rewards/embeddings/vector_text.ts";
    const numbers = " 0.0123 -0.0456 0.0789 -0.0012".repeat(75), encoder = new TextEncoder();
    let bytes = 0;
    async function* pieces() {
      for (let i = 0; i < 44_000; i++) {
        const line = encoder.encode("term_number_" + i + numbers + "\\n");
        bytes += line.length;
        yield line;
      }
    }
    const before = Deno.memoryUsage().rss;
    const { rowOf, dimensions } = await readVectorText(pieces(), { file: "big" });
    const grown = Deno.memoryUsage().rss - before;
    console.log(JSON.stringify({ rows: rowOf.size, dimensions, bytes, grown }));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--v8-flags=--max-old-space-size=24", code],
  }).output();
  const text = new TextDecoder();
  assert.notEqual(text.decode(stdout), "", text.decode(stderr));
  const { rows, dimensions, bytes, grown } = JSON.parse(text.decode(stdout));
  assert.deepEqual([rows, dimensions], [44_000, 300]);
  assert.ok(bytes > 90e6, `${bytes} bytes`);
  const kept = 45_056 * 300 * 2; // eleven blocks
  assert.ok(grown < kept + 60e6, `${grown} bytes more, of which ${kept} are vectors`);
});
