import assert from "node:assert/strict";
import fc from "fast-check";
import { cosine } from "../../rewards/embeddings/cosine.ts";
import { parseWordFile } from "../../rewards/embeddings/word_file.ts";
import { loadWordVectors, wordsOf, WordVectors } from "../../rewards/embeddings/word_vectors.ts";
import { assertClose } from "../_close.ts";
import { space, wordFile, type WordFileParts } from "./_words.ts";

const GLOVE = new URL("../../assets/words/glove-50d.bin", import.meta.url);

Deno.test("wordsOf() keeps a-z and lets everything else part words", () => {
  assert.deepEqual(wordsOf("  Navy-blue2Green!\n"), ["navy", "blue", "green"]);
  assert.deepEqual(wordsOf("don't"), ["don", "t"]);
  assert.deepEqual(wordsOf("é 7 ?"), []);
});

Deno.test("WordVectors.embed() is the mean of the known words, null where none is", async () => {
  const vectors = space();
  const [one, mean, twice, none, empty] = await vectors.embed(
    ["one", "one and north", "one One north nowhere", "nowhere", ""],
  );
  assert.deepEqual([...one!], [50, 0]); // 0.5 * 100
  assert.deepEqual([...mean!], [25, 1.75]);
  assert.deepEqual([...twice!].map((x) => Math.fround(x)), [100 / 3, 3.5 / 3].map(Math.fround));
  assert.deepEqual([none, empty], [null, null]);
});

Deno.test("WordVectors.embed() is finite and of the right size for any text", async () => {
  const vectors = space();
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
    const [vector] = await vectors.embed([`${text} one`]);
    assert.equal(vector!.length, 2);
    assert.ok(vector!.every(Number.isFinite));
  }));
});

Deno.test("parseWordFile() reads words, scales and numbers", async () => {
  const table = parseWordFile(wordFile(), "two.bin");
  assert.deepEqual(table.words, ["cat", "dog"]);
  assert.deepEqual([...table.scale], [0.5, 2]);
  assert.deepEqual([...table.values], [1, -2, 127, -127, 0, 3]);
  const [dog] = await new WordVectors(table, "two.bin").embed(["dog"]);
  assert.deepEqual([...dog!], [-254, 0, 6]);
});

Deno.test("parseWordFile() reads a view that does not start its buffer", () => {
  const bytes = wordFile();
  const shifted = new Uint8Array(bytes.length + 5);
  shifted.set(bytes, 3);
  const table = parseWordFile(shifted.subarray(3, 3 + bytes.length), "view");
  assert.deepEqual([...table.values], [1, -2, 127, -127, 0, 3]);
});

const BROKEN: [string, WordFileParts, RegExp][] = [
  ["another kind of file", { magic: "PK\x03\x04zip." }, /must start with "PRLWORDS": "PK/],
  ["another version", { version: 2 }, /version must be 1: 2;/],
  ["no words", { W: 0 }, /words and dimensions: 0 and 3/],
  ["no dimensions", { D: 0 }, /words and dimensions: 2 and 0/],
  ["a header that asks for more", { W: 0xffffffff, D: 0xffffffff }, /asks for \d+ bytes: 49;/],
  ["a header that asks for less", { D: 2 }, /asks for 47 bytes: 49;/],
  ["a wrong checksum", { checksum: 1 }, /CRC-32 must be 1,/],
  ["too few words listed", { words: "catsdog" }, /must list 2 words: 1;/],
  ["too many words listed", { words: "c\nt\ndog" }, /must list 2 words: 3;/],
  ["an upper-case word", { words: "Cat\ndog" }, /of a-z: word 0 is "Cat"/],
  ["an empty word", { words: "\ncatdog" }, /of a-z: word 0 is ""/],
  ["a word beyond ASCII", { words: "cat\nd\u00e9g" }, /of a-z: word 1 is "dég"/],
  ["unsorted words", { words: "dog\ncat" }, /sorted: "cat" follows "dog"/],
  ["a word twice", { words: "cat\ncat" }, /sorted: "cat" follows "cat"/],
  ["a scale that is not a number", { scale: [NaN, 1] }, /finite: "cat" has NaN/],
  ["an infinite scale", { scale: [1, Infinity] }, /finite: "dog" has Infinity/],
  ["a negative scale", { scale: [1, -1] }, /finite: "dog" has -1/],
];
for (const [what, parts, message] of BROKEN) {
  Deno.test(`parseWordFile() refuses ${what}`, () => {
    assert.throws(() => parseWordFile(wordFile(parts), "bad.bin"), (error: Error) => {
      assert.ok(error instanceof SyntaxError);
      assert.match(error.message, /^Cannot read word vectors from bad.bin as .*fresh clone/);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("parseWordFile() refuses every file cut short, made longer or with one byte changed", () => {
  const whole = wordFile();
  for (let n = 0; n < whole.length; n++) {
    assert.throws(() => parseWordFile(whole.subarray(0, n), "cut"), SyntaxError, `${n} bytes`);
    const changed = whole.slice();
    changed[n] ^= 1 << (n % 8);
    assert.throws(() => parseWordFile(changed, "changed"), SyntaxError, `byte ${n}`);
  }
  assert.throws(() => parseWordFile(new Uint8Array([...whole, 0]), "longer"), SyntaxError);
});

Deno.test("parseWordFile() answers random bytes behind a true start with a SyntaxError only", () => {
  const start = new TextEncoder().encode("PRLWORDS\x01\x00\x00\x00");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
    assert.throws(() => parseWordFile(new Uint8Array([...start, ...rest]), "x"), SyntaxError);
  }));
});

Deno.test("loadWordVectors() names a file that is not there", async () => {
  await assert.rejects(
    loadWordVectors("/no/such.bin"),
    new Error("Cannot read word vectors from /no/such.bin: there is no such file"),
  );
  await assert.rejects(loadWordVectors("no/such.bin"), {
    name: "TypeError",
    message: "Cannot read no/such.bin as it must be a full path or an address: " +
      'give new URL("no/such.bin", import.meta.url)',
  });
});

Deno.test("loadWordVectors() reads from a server, and says what it answered if not 200", async () => {
  const found = new Response(wordFile());
  const answers = [found, new Response("gone", { status: 404 })];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => answers.shift()!,
  );
  const file = new URL(`http://127.0.0.1:${server.addr.port}/a/b/two.bin`);
  assert.equal((await loadWordVectors(file)).size, 2);
  const message = "Cannot read word vectors from a/b/two.bin: the server answered 404";
  await assert.rejects(loadWordVectors(file), new Error(message));
});

Deno.test("the shipped vectors hold every required word in under 2 MB", async () => {
  const vectors = await loadWordVectors(GLOVE);
  assert.equal(vectors.name, "assets/words/glove-50d.bin");
  assert.equal(vectors.dimensions, 50);
  assert.equal(vectors.size, 30188);
  assert.ok((await Deno.stat(GLOVE)).size < 2e6);
  const list = await Deno.readTextFile(new URL("required.txt", GLOVE));
  const required = list.split("\n").filter((line) => !line.startsWith("#")).flatMap(wordsOf);
  assert.ok(required.length > 1000);
  assert.deepEqual(required.filter((word) => !vectors.has(word)), []);
});

Deno.test("the shipped vectors agree with GloVe's own numbers", async () => {
  const [purple, pink, tractor] = await (await loadWordVectors(GLOVE)).embed(
    ["purple", "pink", "tractor"],
  );
  const start = [-0.51244, 1.3755, -1.0203, -0.16129, 0.46391]; // of purple's row in GloVe 6B 50d
  const halfStep = 0.00686; // purple's largest component / 254
  assertClose(purple!.subarray(0, 5), start, "purple", halfStep);
  assertClose([cosine(purple!, pink!)], [0.91854], "purple and pink", 2e-3);
  assertClose([cosine(purple!, tractor!)], [0.15697], "purple and tractor", 2e-3);
});
