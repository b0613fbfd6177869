/** Writes parquet files that are as wrong as one likes: Thrift's compact form, by hand. @module */

/** A value of Thrift: a struct has its fields by number, a list its elements. */
export type Thrift =
  | { i32: number }
  | { i64: number }
  | { binary: string | Uint8Array }
  | { list: Thrift[] }
  | { struct: Record<number, Thrift> };

const TYPES = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 };
const typeOf = (value: Thrift) => TYPES[Object.keys(value)[0] as keyof typeof TYPES];

const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
};
const zigzag = (value: number): number[] =>
  varint(value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value));

/** Adds the bytes of a value to those that are there. */
function write(value: Thrift, out: number[]): void {
  const push = (bytes: Iterable<number>) => {
    for (const byte of bytes) out.push(byte); // spread, many bytes would overflow the stack
  };
  if ("i32" in value) push(zigzag(value.i32));
  else if ("i64" in value) push(zigzag(value.i64));
  else if ("binary" in value) {
    const bytes = typeof value.binary === "string"
      ? new TextEncoder().encode(value.binary)
      : value.binary;
    push(varint(BigInt(bytes.length)));
    push(bytes);
  } else if ("list" in value) {
    const { list } = value, type = list.length > 0 ? typeOf(list[0]) : 12;
    push(
      list.length < 15 ? [list.length << 4 | type] : [0xf0 | type, ...varint(BigInt(list.length))],
    );
    for (const one of list) write(one, out);
  } else {
    let last = 0;
    for (const [key, field] of Object.entries(value.struct)) { // ascending
      push([Number(key) - last << 4 | typeOf(field)]);
      write(field, out);
      last = Number(key);
    }
    push([0]);
  }
}

/** The bytes of a value. */
export function thrift(value: Thrift): number[] {
  const out: number[] = [];
  write(value, out);
  return out;
}

const i32 = (n: number): Thrift => ({ i32: n });
const i64 = (n: number): Thrift => ({ i64: n });
const binary = (text: string): Thrift => ({ binary: text });
const struct = (fields: Record<number, Thrift>): Thrift => ({ struct: fields });
const list = (all: Thrift[]): Thrift => ({ list: all });

/** What a file says; everything has a true value where it is not given. */
export interface Claims {
  names?: readonly string[];
  texts?: readonly string[];
  /** OPTIONAL columns have levels, which `levels` are the bytes of. */
  levels?: readonly number[];
  rows?: number;
  unpacked?: number;
  /** Of the page: values, packed and unpacked size, encoding. */
  values?: number;
  pagePacked?: number;
  pageUnpacked?: number;
  encoding?: number;
  /** Of the page, where it is not that of its column. */
  pageEncoding?: number;
  /** A page of the second version: nulls, and bytes of each kind of level. */
  version2?: { nulls: number; repetition: number; definition: number };
  /** Bytes of the page in place of the texts. */
  page?: readonly number[];
  offset?: number;
  /** Children of the root. */
  children?: number;
  codec?: number;
}

/** A file whose columns all have one page of texts, which they share. */
export function parquetFile(claims: Claims = {}): Uint8Array {
  const { names = ["text"], texts = ["a", "b"], levels, codec = 0, encoding = 0 } = claims;
  const encoder = new TextEncoder();
  const content = claims.page ?? [
    ...levels === undefined ? [] : [levels.length, 0, 0, 0, ...levels],
    ...texts.flatMap((text) => {
      const bytes = encoder.encode(text);
      return [...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes];
    }),
  ];
  const { values = texts.length, pagePacked = content.length, pageUnpacked = content.length } =
    claims;
  const { pageEncoding = encoding, version2: two } = claims;
  const form: Record<number, Thrift> = two
    ? {
      8: struct({
        ...{ 1: i32(values), 2: i32(two.nulls), 3: i32(values), 4: i32(pageEncoding) },
        ...{ 5: i32(two.definition), 6: i32(two.repetition) },
      }),
    }
    : { 5: struct({ 1: i32(values), 2: i32(pageEncoding), 3: i32(3), 4: i32(3) }) };
  const sizes = { 2: i32(pageUnpacked), 3: i32(pagePacked) };
  const page = [...thrift(struct({ 1: i32(two ? 3 : 0), ...sizes, ...form })), ...content];
  const { rows = texts.length, unpacked = page.length, offset = 4 } = claims;
  const column = (name: string) =>
    struct({ 1: i32(6), 3: i32(levels === undefined ? 0 : 1), 4: binary(name), 6: i32(0) });
  const chunk = (name: string) =>
    struct({
      2: i64(4),
      3: struct({
        ...{ 1: i32(6), 2: list([i32(encoding)]), 3: list([binary(name)]), 4: i32(codec) },
        ...{ 5: i64(values), 6: i64(unpacked), 7: i64(page.length), 9: i64(offset) },
      }),
    });
  const root = struct({ 4: binary("schema"), 5: i32(claims.children ?? names.length) });
  const footer = thrift(struct({
    1: i32(1),
    2: list([root, ...names.map(column)]),
    3: i64(rows),
    4: list([struct({ 1: list(names.map(chunk)), 2: i64(page.length), 3: i64(rows) })]),
  }));
  const magic = [...encoder.encode("PAR1")];
  const length = [...new Uint8Array(Uint32Array.of(footer.length).buffer)];
  const parts = [magic, page, footer, length, magic];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
