import assert from "node:assert/strict";
import { readRecords } from "../../../tasks/records/read.ts";
import { type Claims, parquetFile } from "./_parquet.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url);
const { files, rows } = JSON.parse(await Deno.readTextFile(new URL("parquet.json", FIXTURES))) as {
  files: Record<string, string>;
  rows: Record<string, Record<string, unknown>[]>;
};
const fixture = (name: string) => Deno.readFile(new URL(`parquet/${name}.parquet`, FIXTURES));
const read = (bytes: Uint8Array, needs: readonly string[] = ["text"]) =>
  readRecords({ name: "x.parquet", bytes }, { needs });

for (const [name, table] of Object.entries(files)) {
  if (name === "delta_strings") continue; // below
  Deno.test(`a parquet file of pyarrow reads as the JSON of its values: ${name}`, async () => {
    const want = rows[table], columns = Object.keys(want[0]);
    const got = await read(await fixture(name), columns);
    assert.deepEqual(got.map(({ values }) => values), want);
    assert.deepEqual([got[0].place, got.at(-1)!.place], [", row 1", `, row ${want.length}`]);
    // One column alone, out of order with the file.
    const last = columns.at(-1)!;
    const alone = await read(await fixture(name), [last]);
    assert.deepEqual(alone.map(({ values }) => values), want.map((row) => ({ [last]: row[last] })));
  });
}

Deno.test("a parquet file that was written here by hand reads as it was meant", async () => {
  const texts = ["Grüße 🙂", "", "two\r\nlines"];
  const got = await read(parquetFile({ texts }));
  assert.deepEqual(got.map(({ values }) => values.text), texts);
  const levels = [3 << 1, 1]; // a run of three ones: all there
  const version2 = { nulls: 0, repetition: 0, definition: 0 };
  const second = await read(parquetFile({ texts, version2 }));
  assert.deepEqual(second.map(({ values }) => values.text), texts);
  const optional = await read(parquetFile({ texts, levels }));
  assert.deepEqual(optional.map(({ values }) => values.text), texts);
});

Deno.test("a parquet file without a column is refused with the nearest, and one that may be absent is not", async () => {
  const bytes = await fixture("plain");
  await assert.rejects(read(bytes, ["instructions"]), {
    name: "SyntaxError",
    message: 'Cannot read x.parquet as it must have "instructions": ' +
      'it has instruction, input, output; rename "instruction"',
  });
  await assert.rejects(read(await fixture("nested"), ["text"]), {
    message: 'Cannot read x.parquet as it must have "text": it has question, metadata, parts, grid',
  });
  const [record] = await readRecords({ name: "x", bytes }, { needs: ["input"], may: ["label"] });
  assert.deepEqual(record.values, { input: "" });
});

Deno.test("strings by their differences are refused, as few bytes unpack to any number of them", async () => {
  await assert.rejects(
    read(await fixture("delta_strings"), ["instruction"]),
    /^SyntaxError: Cannot read x\.parquet as its columns must be written as PLAIN, .*: "instruction" is DELTA_BYTE_ARRAY; write it with pyarrow's own settings$/,
  );
});

Deno.test("a parquet file that is cut off anywhere is refused", async () => {
  const bytes = await fixture("snappy");
  for (let length = 4; length < bytes.length; length += 37) {
    await assert.rejects(read(bytes.slice(0, length), ["question"]), {
      name: "SyntaxError",
      message: /^Cannot read x\.parquet as it must be a whole parquet file: .*; fetch it again$/s,
    }, `${length} bytes`);
  }
  await assert.rejects(
    read(bytes.slice(0, 100), ["question"]),
    /: it does not end with PAR1; fetch it again$/,
  );
});

/** 40,000 blocks of 128 KiB, each a byte that is repeated. */
const ZSTANDARD_BOMB = [
  ...[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38],
  ...Array.from({ length: 40_000 }, (_, i) => {
    const head = Number(i === 39_999) | 1 << 1 | 2 ** 17 << 3;
    return [head & 255, head >> 8 & 255, head >> 16, 7];
  }).flat(),
];

const CLAIMS: [string, Claims, RegExp][] = [
  [
    "a billion rows",
    { rows: 1e9 },
    /^RangeError: Cannot read x\.parquet as text may have 16777216 rows: it has 1000000000; take a part of it$/,
  ],
  [
    "a terabyte",
    { unpacked: 2 ** 40 },
    /^RangeError: .* as text may have 1073741824 bytes when unpacked: it has 1099511627776; /,
  ],
  ["rows that are not there", { rows: 3 }, /: a column has 2 values for 3 rows; fetch it again$/],
  [
    "a page of a billion values",
    { values: 1e9 },
    /: a page has 1000000000 values; fetch it again$/,
  ],
  ["a page of less than no values", { values: -1 }, /: a page has -1 values; /],
  [
    "a page that unpacks to 2 GB",
    { pageUnpacked: 2 ** 31 - 1 },
    /: a page of 10 bytes, 2147483647 unpacked, has 10 left; /,
  ],
  [
    "a page beyond its column",
    { pagePacked: 1000 },
    /: a page of 1000 bytes, 10 unpacked, has 10 left; /,
  ],
  ["a page of negative size", { pagePacked: -5 }, /: a page of -5 bytes, /],
  ["a column before the file", { offset: -400 }, /: a column lies at bytes -400 to -?\d+ of \d+; /],
  [
    "a column behind the file",
    { offset: 10_000 },
    /: a column lies at bytes 10000 to \d+ of \d+; /,
  ],
  [
    "a run of two billion levels",
    { levels: [0xfe, 0xff, 0xff, 0xff, 0x0f, 1] },
    /: a run has 2147483647 values of 2; fetch it again$/,
  ],
  [
    "a packed run of two billion levels",
    { levels: [0xff, 0xff, 0xff, 0xff, 0x0f, 1] },
    /: a run has 17179869176 values of 9; /,
  ],
  [
    "a run of two billion indices",
    { encoding: 8, page: [1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1] },
    /: a run has 2147483647 values of 2; /,
  ],
  ["a tree that says it has more children", { children: 7 }, /must be a whole parquet file: /],
  [
    "an unknown compression",
    { codec: 9 },
    /must be a whole parquet file: parquet unsupported compression codec/,
  ],
  [
    "LZ4 bytes that are none",
    { codec: 7, page: [9, 9, 9], pageUnpacked: 8 },
    /must be a whole parquet file: /,
  ],
  [
    "more nulls than values",
    { version2: { nulls: 3, repetition: 0, definition: 0 } },
    /: a page has 3 nulls of 2, and 0 bytes of levels; /,
  ],
  [
    "levels longer than their page",
    { version2: { nulls: 0, repetition: 0, definition: 11 } },
    /: a page has 0 nulls of 2, and 11 bytes of levels; /,
  ],
  [
    "levels of negative length",
    { version2: { nulls: 0, repetition: -2, definition: 2 } },
    /: a page has 0 nulls of 2, and 0 bytes of levels; /,
  ],
  [
    "an encoding of its page alone",
    { pageEncoding: 7 },
    /: a page is DELTA_BYTE_ARRAY, which its column is not; /,
  ],
  ["ten bytes that Zstandard unpacks to five billion", {
    codec: 6,
    page: ZSTANDARD_BOMB,
    pageUnpacked: 10,
  }, /must be a whole parquet file: /],
];
for (const [what, claims, message] of CLAIMS) {
  Deno.test(`a parquet file that claims ${what} is refused before that costs anything`, async () => {
    const started = performance.now();
    await assert.rejects(read(parquetFile(claims)), message);
    assert.ok(performance.now() - started < 2000);
  });
}

Deno.test("100,000 columns are listed once, and one of them is read", async () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `column_${i}`);
  const bytes = parquetFile({ names });
  const got = await read(bytes, ["column_99999"]);
  assert.deepEqual(got.map(({ values }) => values.column_99999), ["a", "b"]);
  await assert.rejects(read(bytes, ["question"]), {
    message:
      'Cannot read x.parquet as it must have "question": it has column_0, column_1, column_2, ' +
      "column_3, column_4, column_5, column_6, column_7, and 99992 more",
  });
});

Deno.test("more columns than a file may list are refused", async () => {
  const names = [`${"x".repeat(3 * 2 ** 22)}1`, "text"]; // each name stands twice
  await assert.rejects(read(parquetFile({ names })), {
    name: "RangeError",
    message:
      /^Cannot read x\.parquet as its list of columns may have 25165824 bytes: it has 25165\d+; write fewer columns$/,
  });
});

Deno.test("a parquet file with flipped bits is read, or refused in words; it never hangs", async () => {
  const times = Number(Deno.env.get("PLAINRL_FLIPS") ?? 150);
  let state = 7;
  const draw = (n: number) => (state = (state * 48271) % 0x7fffffff) % n;
  const names = [
    "snappy",
    "zstd",
    "dictionary",
    "version2",
    "nested",
    "plain",
    "gzip",
    "brotli",
    "lz4",
  ];
  let refused = 0;
  for (const name of names) {
    const whole = await fixture(name), columns = Object.keys(rows[files[name]][0]);
    for (let i = 0; i < times; i++) {
      const bytes = whole.slice();
      for (let flips = 1 + draw(3); flips > 0; flips--) bytes[draw(bytes.length)] ^= 1 << draw(8);
      const started = performance.now();
      try {
        await read(bytes, columns);
      } catch (error) {
        refused++;
        assert.match(
          (error as Error).message,
          /^Cannot read x\.parquet(, row \d+)? as /,
          `${name} ${i}: ${error}`,
        );
      }
      assert.ok(performance.now() - started < 5000, `${name} ${i}`);
    }
  }
  assert.ok(refused > times, `${refused}`);
});
