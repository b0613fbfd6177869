import assert from "node:assert/strict";
import fc from "fast-check";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { parseHeader } from "../../../model/files/safetensors_header.ts";
import { writeSafetensors } from "../../../model/files/safetensors_write.ts";
import { SafetensorsError } from "../../../model/files/tensor_entries.ts";
import type { TensorSpec } from "../../../model/tensor_source.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A file's bytes: header length, header, data. */
function bytes(header: string | Uint8Array, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const json = typeof header === "string" ? utf8(header) : header;
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}

/** Runs `body` with the path of a file that holds `content`. */
async function withFile(content: Uint8Array, body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  try {
    await Deno.writeFile(path, content);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

async function write(
  path: string,
  tensors: (TensorSpec & { data: number[] })[],
  dtype?: "F32" | "F16",
): Promise<void> {
  await writeSafetensors(path, {
    tensors,
    dtype,
    metadata: { format: "pt" },
    data: async function* () {
      for (const { data } of tensors) yield await Promise.resolve(Float32Array.from(data));
    },
  });
}

const tensors = [
  { name: "b", shape: [2, 3], data: [1, 2, 3, 4, 5, -6.5] },
  { name: "a.weight", shape: [1], data: [0.1] },
  { name: "empty", shape: [0, 4], data: [] },
];

Deno.test("writeSafetensors() and openSafetensors() round-trip in F32", async () => {
  await withFile(new Uint8Array(), async (path) => {
    await write(path, tensors);
    using file = await openSafetensors(path);
    assert.equal(file.metadata.format, "pt");
    assert.deepEqual([...file.entries.keys()], ["b", "a.weight", "empty"]);
    for (const { name, shape, data } of tensors) {
      assert.deepEqual(file.entries.get(name)!.shape, shape);
      assert.deepEqual([...await file.read(name)], data.map(Math.fround));
    }
  });
});

Deno.test("F16 is written rounded, and a number that does not fit it is refused", async () => {
  await withFile(new Uint8Array(), async (path) => {
    await write(path, tensors, "F16");
    {
      using file = await openSafetensors(path);
      assert.deepEqual([...await file.read("a.weight")], [Math.f16round(0.1)]);
    }
    const before = await Deno.readFile(path);
    await assert.rejects(
      () => write(path, [{ name: "x", shape: [2], data: [1, 70000] }], "F16"),
      new RangeError("Cannot write x as its numbers must be finite in F16: element 1 is 70000"),
    );
    await assert.rejects(() => write(path, [{ name: "x", shape: [1], data: [NaN] }]), RangeError);
    await assert.rejects(() => write(path, [{ name: "x", shape: [3], data: [1] }]), RangeError);
    assert.deepEqual(await Deno.readFile(path), before, "a failed write must leave the old file");
  });
});

Deno.test("a failed write leaves no temporary file behind", async () => {
  const folder = await Deno.makeTempDir();
  await assert.rejects(() => write(`${folder}/x`, [{ name: "x", shape: [1], data: [NaN] }]));
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("BF16 is read as the upper half of an F32", async () => {
  const data = new Uint8Array(new Uint16Array([0x3f80, 0xc0a0]).buffer);
  const header = '{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}';
  await withFile(bytes(header, data), async (path) => {
    using file = await openSafetensors(path);
    assert.deepEqual([...await file.read("x")], [1, -5]);
  });
});

Deno.test("read() refuses integers, numbers that are not finite, and unknown names", async () => {
  const header = '{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
    '"n":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}';
  const data = new Uint8Array(16);
  new DataView(data.buffer).setFloat32(12, -Infinity, true);
  await withFile(bytes(header, data), async (path) => {
    using file = await openSafetensors(path);
    await assert.rejects(() => file.read("i"), /numbers must be F32, F16 or BF16: it is I64/);
    await assert.rejects(() => file.read("n"), /must be finite: element 1 is -Infinity/);
    await assert.rejects(() => file.read("x"), /has no such tensor/);
  });
});

Deno.test("read() says so when the file became shorter after its header was checked", async () => {
  await withFile(new Uint8Array(), async (path) => {
    await write(path, tensors);
    using file = await openSafetensors(path);
    await Deno.truncate(path, (await Deno.stat(path)).size - 1);
    await assert.rejects(() => file.read("a.weight"), /became shorter meanwhile/);
  });
});

Deno.test("expect() lists all that is missing, extra or of another shape in one error", async () => {
  await withFile(new Uint8Array(), async (path) => {
    await write(path, tensors);
    using file = await openSafetensors(path);
    const wanted = [{ name: "b", shape: [3, 2] }, { name: "c", shape: [1] }];
    assert.throws(
      () => file.expect(wanted, (name) => name === "empty" ? undefined : name),
      new SafetensorsError(
        `Cannot use ${path} as its tensors must be those of the config: ` +
          "b is (2,3), not (3,2); a.weight is not known; c (1) is missing",
      ),
    );
    const alias = (name: string) => name === "empty" ? undefined : "b";
    assert.throws(
      () => file.expect([{ name: "b", shape: [2, 3] }], alias),
      /a.weight is there twice, also as b/,
    );
  });
});

const entry = (begin: unknown, end: unknown, shape = "[1]", dtype = '"F32"') =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":[${begin},${end}]}`;
const four = new Uint8Array(4);
const many = (n: number, entry: string) =>
  bytes(`{${Array.from({ length: n }, (_, i) => `"${i}":${entry}`)}}`);
const malformed: [string, Uint8Array, RegExp][] = [
  ["is empty", new Uint8Array(0), /needs 8 bytes of header length: it has 0/],
  ["ends in the length", new Uint8Array(7), /needs 8 bytes of header length: it has 7/],
  [
    "has a header of 2^63 bytes",
    bytes("{}", four, 2n ** 63n),
    /bytes 0 to 7 say 9223372036854775808/,
  ],
  ["has a header of 2^53+1 bytes", bytes("{}", four, 2n ** 53n + 1n), /say 9007199254740993/],
  ["has a header over the limit", bytes("{}", four, 4_000_001n), /may have 4000000 bytes/],
  ["has a header past its end", bytes("{}", four, 7n), /header ends at byte 15: the file has 14/],
  ["has an empty header", bytes(""), /byte 8 must be "{": it is missing/],
  ["has a list for header", bytes("[]"), /byte 8 must be "{": it is 91/],
  ["has null for header", bytes("null"), /byte 8 must be "{"/],
  ["starts with a space", bytes(" {}"), /byte 8 must be "{": it is 32/],
  [
    "is not UTF-8",
    bytes(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)),
    /header must be UTF-8: byte 10 is not/,
  ],
  ["is not JSON", bytes("{'x': 1}"), /its header has no JSON at character 1/],
  ["has text after the header", bytes("{} {}"), /more text after the end/],
  ["nests deeply", bytes(`{"x":${"[".repeat(50_000)}`), /more than 3 levels/],
  [
    "repeats a name",
    bytes(`{"x":${entry(0, 4)},"x":${entry(0, 4)}}`, four),
    /the key "x" a second time/,
  ],
  [
    "repeats a field",
    bytes('{"x":{"dtype":"F32","dtype":"F32"}}'),
    /the key "dtype" a second time/,
  ],
  ["has a tensor that is no object", bytes('{"x":[1]}'), /x must be an object/],
  ["has an unknown field", bytes('{"x":{"dtype":"F32","y":1}}'), /x has an unknown key "y"/],
  [
    "uses __proto__ as a field",
    bytes('{"x":{"__proto__":{"dtype":"F32"}}}'),
    /unknown key "__proto__"/,
  ],
  [
    "has __proto__ for dtype",
    bytes(`{"x":${entry(0, 4, "[1]", '"__proto__"')}}`, four),
    /x.dtype must be one of/,
  ],
  [
    "lacks a dtype",
    bytes('{"x":{"shape":[1],"data_offsets":[0,4]}}', four),
    /x.dtype must be one of .*: it is undefined/,
  ],
  [
    "lacks a shape",
    bytes('{"x":{"dtype":"F32","data_offsets":[0,4]}}', four),
    /x.shape must be a list/,
  ],
  [
    "has three offsets",
    bytes('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}'),
    /must have 2 numbers: it has 3/,
  ],
  [
    "has a negative size",
    bytes(`{"x":${entry(0, 4, "[-1]")}}`, four),
    /x.shape\[0\] must be a whole number .*: it is -1/,
  ],
  [
    "has a fractional size",
    bytes(`{"x":${entry(0, 4, "[1.5]")}}`, four),
    /x.shape\[0\] .* it is 1.5/,
  ],
  [
    "has text for a size",
    bytes(`{"x":${entry(0, 4, '["1"]')}}`, four),
    /x.shape\[0\] .* it is string/,
  ],
  [
    "has a huge offset",
    bytes(`{"x":${entry(0, "1e400")}}`, four),
    /data_offsets\[1\] .* it is 1e400/,
  ],
  [
    "has an inexact offset",
    bytes(`{"x":${entry(0, "9007199254740993")}}`, four),
    /data_offsets\[1\]/,
  ],
  ["has NaN for an offset", bytes(`{"x":${entry(0, "NaN")}}`, four), /no JSON/],
  [
    "overflows in its shape",
    bytes(`{"x":${entry(0, 4, "[4194305,4194305,211106198978564]")}}`, four),
    /x.shape has more elements than 2\^53/,
  ],
  [
    "has offsets of another size",
    bytes(`{"x":${entry(0, 4, "[2]")}}`, four),
    /x of F32 \(2\) needs 8 bytes: data_offsets give 4/,
  ],
  [
    "has offsets of another type",
    bytes(`{"x":${entry(0, 4, "[1]", '"F16"')}}`, four),
    /needs 2 bytes/,
  ],
  [
    "has offsets backwards",
    bytes(`{"x":${entry(4, 0)}}`, four),
    /needs 4 bytes: data_offsets give -4/,
  ],
  [
    "overlaps",
    bytes(`{"x":${entry(0, 4)},"y":${entry(0, 4)}}`, four),
    /y must start at data byte 4, where the one before it ends: it starts at 0/,
  ],
  ["has a hole", bytes(`{"x":${entry(4, 8)}}`, new Uint8Array(8)), /x must start at data byte 0/],
  [
    "is cut short",
    bytes(`{"x":${entry(0, 4)}}`, new Uint8Array(3)),
    /end at data byte 4: the file ends at 3/,
  ],
  [
    "has trailing bytes",
    bytes(`{"x":${entry(0, 4)}}`, new Uint8Array(9)),
    /5 bytes follow the last tensor, from data byte 4/,
  ],
  ["has a list of metadata", bytes('{"__metadata__":[]}'), /__metadata__ must be an object/],
  [
    "has a number in its metadata",
    bytes('{"__metadata__":{"a":1}}'),
    /__metadata__.a must be text/,
  ],
  ["has a million tensors", many(1e6, "{}"), /header may have 4000000 bytes: bytes 0 to 7 say/],
  ["has 100,000 tensors", many(1e5, "{}"), /more than 65536 values at character \d+/],
  [
    "has one tensor too many",
    many(4097, entry(0, 0, "[0]")),
    /may have 4096 tensors: 4096 is one more/,
  ],
  [
    "has a shape of a million sizes",
    bytes(`{"x":${entry(0, 4, `[${"1,".repeat(1e6)}1]`)}}`, four),
    /more than 65536 values/,
  ],
  [
    "ends in half a character",
    bytes(Uint8Array.of(0x7b, 0x22, 0xe2, 0x82)),
    /header must be UTF-8: byte 11 is not/,
  ],
  ["starts with a byte order mark", bytes("\ufeff{}"), /byte 8 must be "{": it is 239/],
  [
    "repeats a name in another spelling",
    bytes(`{"x":${entry(0, 4)},"\\u0078":${entry(0, 4)}}`, four),
    /the key "\\u0078" a second time/,
  ],
  [
    "repeats its metadata",
    bytes('{"__metadata__":{},"__metadata__":{}}'),
    /the key "__metadata__" a second time/,
  ],
  [
    "has a size of 2^53",
    bytes(`{"x":${entry(0, 4, "[9007199254740992]")}}`, four),
    /x.shape\[0\] must be a whole number from 0 to 2\^53: it is 9007199254740992/,
  ],
  [
    "has a size with an exponent",
    bytes(`{"x":${entry(0, 4, "[1e0]")}}`, four),
    /x.shape\[0\] .* it is 1e0/,
  ],
  [
    "has no offsets",
    bytes('{"x":{"dtype":"F32","shape":[1],"data_offsets":[]}}', four),
    /x.data_offsets must have 2 numbers: it has 0/,
  ],
  [
    "has an empty tensor inside another",
    bytes(`{"x":${entry(0, 4)},"e":${entry(2, 2, "[0]")}}`, four),
    /e must start at data byte 4/,
  ],
  [
    "has a name of a million characters",
    bytes(`{"${"n".repeat(1e6)}":1}`),
    /Cannot read safetensors as n{500}… \(/,
  ],
  ["has a control character in a name", bytes('{"a\nb":{}}'), /no JSON at character 1/],
  ["ends in the middle of an escape", bytes('{"a\\u00"'), /no JSON at character 1/],
];
for (const [fault, content, message] of malformed) {
  Deno.test(`openSafetensors() refuses a file that ${fault}`, async () => {
    await withFile(content, async (path) => {
      await assert.rejects(() => openSafetensors(path), (error: Error) => {
        assert.equal(error.name, "SafetensorsError");
        assert.match(error.message, message);
        assert.ok(error.message.includes(path), "the error must name the file");
        return true;
      });
    });
  });
}

Deno.test("__proto__ as a tensor's name or a metadata key is just a name", () => {
  const json = utf8(`{"__metadata__":{"__proto__":"m"},"__proto__":${entry(0, 4)}}`);
  const { entries, metadata } = parseHeader(json, 4);
  assert.deepEqual([...entries.keys()], ["__proto__"]);
  assert.equal(metadata["__proto__"], "m");
});

Deno.test("openSafetensors() refuses a good file cut at any byte", async () => {
  let whole = new Uint8Array();
  await withFile(whole, async (path) => {
    await write(path, tensors);
    whole = await Deno.readFile(path);
  });
  await withFile(whole, async (path) => {
    for (let length = whole.length - 1; length >= 0; length--) {
      await Deno.truncate(path, length);
      await assert.rejects(() => openSafetensors(path), SafetensorsError, `cut at byte ${length}`);
    }
  });
});

Deno.test("parseHeader() answers any change of one byte with a header or a SafetensorsError", () => {
  const good = utf8(`{"__metadata__":{"t":"1"},"x":${entry(0, 4)},"y":${entry(4, 12, "[2]")}}`);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      try {
        parseHeader(good.with(at, byte), 12);
      } catch (error) {
        assert.ok(error instanceof SafetensorsError, `${error}`);
      }
    }),
    { numRuns: 5000 },
  );
});

/** A list of tensors, and the header that lays them out one after another. */
const layouts = fc.uniqueArray(
  fc.record({
    name: fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => name !== "__metadata__"),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, maxLength: 6 },
).map((specs) => {
  let at = 0;
  return specs.map(({ name, shape }) => {
    const begin = at;
    at += shape.reduce((product, n) => product * n, 4);
    return { name, dtype: "F32", shape, begin, end: at };
  });
});
const textOf = (
  tensors: { name: string; dtype: string; shape: number[]; begin: number; end: number }[],
) =>
  utf8(
    `{${
      tensors.map(({ name, dtype, shape, begin, end }) =>
        `${JSON.stringify(name)}:${entry(begin, end, JSON.stringify(shape), `"${dtype}"`)}`
      )
    }}`,
  );

Deno.test("parseHeader() reads every header that lays tensors end to end, in any order", () => {
  fc.assert(fc.property(layouts, fc.nat(), (tensors, turn) => {
    const turned = tensors.map((_, i) => tensors[(i + turn) % tensors.length]);
    const { entries } = parseHeader(textOf(turned), tensors.at(-1)?.end ?? 0);
    assert.deepEqual([...entries.values()], turned);
  }));
});

Deno.test("parseHeader() refuses one offset, size or total that does not fit, and names the tensor", () => {
  const wrong = fc.constantFrom("begin", "end", "size", "total");
  const shift = fc.integer({ min: -9, max: 9 }).filter((n) => n !== 0);
  fc.assert(fc.property(layouts, fc.nat(), wrong, shift, (tensors, pick, what, by) => {
    fc.pre(tensors.length > 0);
    const changed = tensors[pick % tensors.length];
    const total = tensors.at(-1)!.end + (what === "total" ? by : 0);
    const broken = tensors.map((tensor) =>
      tensor !== changed
        ? tensor
        : what === "size"
        ? { ...tensor, shape: [...tensor.shape, Math.abs(by) + 1] }
        : what === "total"
        ? tensor
        : { ...tensor, [what]: tensor[what as "begin" | "end"] + by }
    );
    // An empty tensor stays empty, whatever size is added to it.
    fc.pre(what !== "size" || changed.end > changed.begin);
    fc.pre(total >= 0);
    assert.throws(() => parseHeader(textOf(broken), total), (error: Error) => {
      assert.equal(error.name, "SafetensorsError");
      assert.ok(error.message.includes(changed.name) || /data byte \d+/.test(error.message));
      return true;
    });
  }));
});
