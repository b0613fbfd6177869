/**
 * Safetensors: a header of names, types and shapes, then the numbers. Read strictly, as a file may
 * come from anywhere: nothing of it is used before all of its header has been checked.
 *
 * Layout: 8 bytes header length N (little-endian), N bytes JSON, then the data, row-major and
 * little-endian, without holes.
 * @module
 */
import type { FloatArray } from "../../kernels/device.ts";
import { type Json, JsonNumber, parseJson } from "../../base/json.ts";
import { replaceFile } from "./disk.ts";
import {
  BYTES,
  expectTensors,
  type FileDtype,
  SafetensorsError,
  type TensorEntry,
  type TensorSource,
  type TensorSpec,
} from "./tensor_source.ts";

export { SafetensorsError, type TensorEntry, type TensorSpec } from "./tensor_source.ts";

const MAX_HEADER = 4_000_000; // bytes, so that what is made of them stays small, whatever they say
const MAX_TENSORS = 4096; // a GPT-2 of 48 layers has 580, its optimizer twice as many
const MAX_VALUES = 16 * MAX_TENSORS; // of JSON: a tensor has 4, and one for each of its sizes
const BLOCK = 2 ** 20; // bytes read at a time: beside its numbers, a tensor needs no second copy
/** A checked header. */
export interface Header {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Checks the JSON of a header against `dataBytes`, the bytes that follow it.
 * @throws {SafetensorsError} for the first thing that is wrong
 */
export function parseHeader(json: Uint8Array, dataBytes: number): Header {
  if (json[0] !== 0x7b) fail(`byte 8 must be "{": it is ${json[0] ?? "missing"}`);
  let root: Json;
  try {
    root = parseJson(textOf(json), { depth: 3, values: MAX_VALUES });
  } catch (error) {
    if (error instanceof SafetensorsError) throw error;
    return fail(`its header has ${(error as Error).message}`);
  }
  const metadata: Record<string, string> = Object.create(null); // no key of it can be special
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of root as Map<string, Json>) {
    if (name !== "__metadata__") entries.set(name, entryOf(name, value));
    else {
      const texts = value instanceof Map ? value : fail("__metadata__ must be an object");
      for (const [key, text] of texts) {
        metadata[key] = typeof text === "string" ? text : fail(`__metadata__.${key} must be text`);
      }
    }
  }
  if (entries.size > MAX_TENSORS) {
    const [extra] = entries.keys().drop(MAX_TENSORS);
    fail(`it may have ${MAX_TENSORS} tensors: ${extra} is one more`);
  }
  let at = 0;
  for (const { name, begin, end } of [...entries.values()].sort(byPlace)) {
    if (begin !== at) {
      fail(
        `${name} must start at data byte ${at}, where the one before it ends: it starts at ${begin}`,
      );
    }
    at = end;
  }
  if (at > dataBytes) fail(`its tensors end at data byte ${at}: the file ends at ${dataBytes}`);
  if (at < dataBytes) fail(`${dataBytes - at} bytes follow the last tensor, from data byte ${at}`);
  return { entries, metadata };
}

/** The header as text; names the first byte of the file that is no UTF-8. */
function textOf(json: Uint8Array): string {
  const decode = (end: number): string =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(json.subarray(0, end), { stream: end < json.length });
  try {
    return decode(json.length);
  } catch {
    let [good, bad] = [0, json.length]; // lengths that can and cannot be decoded
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      try {
        decode(middle);
        good = middle;
      } catch {
        bad = middle;
      }
    }
    return fail(`its header must be UTF-8: byte ${8 + good} is not`);
  }
}

const byPlace = (a: TensorEntry, b: TensorEntry): number => a.begin - b.begin || a.end - b.end;

function fail(fault: string): never {
  const short = fault.length > 500 ? `${fault.slice(0, 500)}…` : fault; // a name may be long
  throw new SafetensorsError(`Cannot read safetensors as ${short}`);
}

function entryOf(name: string, value: Json): TensorEntry {
  const fields = value instanceof Map ? value : fail(`${name} must be an object`);
  for (const key of fields.keys()) {
    if (!["dtype", "shape", "data_offsets"].includes(key)) {
      fail(`${name} has an unknown key "${key}"`);
    }
  }
  const sizes = (key: string): number[] => {
    const list = fields.get(key);
    if (!Array.isArray(list)) return fail(`${name}.${key} must be a list`);
    return list.map((item, i) => {
      const size = item instanceof JsonNumber ? item.size : undefined;
      return size ?? fail(
        `${name}.${key}[${i}] must be a whole number from 0 to 2^53: it is ${
          item instanceof JsonNumber ? item.text : typeof item
        }`,
      );
    });
  };
  const dtype = fields.get("dtype");
  if (typeof dtype !== "string" || !Object.hasOwn(BYTES, dtype)) {
    return fail(
      `${name}.dtype must be one of ${Object.keys(BYTES)}: it is ${JSON.stringify(dtype)}`,
    );
  }
  const shape = sizes("shape");
  const offsets = sizes("data_offsets");
  if (offsets.length !== 2) {
    fail(`${name}.data_offsets must have 2 numbers: it has ${offsets.length}`);
  }
  const [begin, end] = offsets;
  const bytes = shape.reduce((product, n) => {
    const next = product * n;
    return Number.isSafeInteger(next)
      ? next
      : fail(`${name}.shape has more elements than 2^53: ${shape}`);
  }, BYTES[dtype as FileDtype]);
  if (end - begin !== bytes) {
    fail(`${name} of ${dtype} (${shape}) needs ${bytes} bytes: data_offsets give ${end - begin}`);
  }
  return { name, dtype: dtype as FileDtype, shape, begin, end };
}

/** An open file. Numbers are read one tensor at a time. */
export class SafetensorsFile implements Header, TensorSource {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;

  /** Use `openSafetensors`. */
  constructor(
    readonly path: string,
    readonly file: Deno.FsFile,
    { entries, metadata }: Header,
    readonly dataStart: number,
  ) {
    this.entries = entries;
    this.metadata = metadata;
  }

  /**
   * Numbers of one tensor, as f32.
   * @throws {SafetensorsError} for another type, or a number that is not finite
   */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const entry = this.entries.get(name);
    if (!entry) {
      throw new SafetensorsError(`Cannot read ${name} as ${this.path} has no such tensor`);
    }
    const convert = converters[entry.dtype];
    if (!convert) {
      throw new SafetensorsError(
        `Cannot read ${name} as numbers must be F32, F16 or BF16: it is ${entry.dtype}`,
      );
    }
    const size = BYTES[entry.dtype];
    const numbers = new Float32Array((entry.end - entry.begin) / size);
    const block = new ArrayBuffer(Math.min(entry.end - entry.begin, BLOCK));
    await this.file.seek(this.dataStart + entry.begin, Deno.SeekMode.Start);
    for (let at = 0; at < numbers.length; at += BLOCK / size) {
      const n = Math.min(BLOCK / size, numbers.length - at);
      if (await readFully(this.file, new Uint8Array(block, 0, n * size)) < n * size) {
        throw new SafetensorsError(`Cannot read ${name} as ${this.path} became shorter meanwhile`);
      }
      convert(block, numbers.subarray(at, at + n));
    }
    const bad = numbers.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new SafetensorsError(
        `Cannot use ${name} of ${this.path} as its numbers must be finite: element ${bad} is ${
          numbers[bad]
        }`,
      );
    }
    return numbers;
  }

  /** See `expectTensors`. */
  expect(
    wanted: readonly TensorSpec[],
    alias?: (name: string) => string | undefined,
  ): Map<string, string> {
    return expectTensors(this, wanted, alias);
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

/**
 * Opens a file and checks its whole header; no number is read yet.
 * @throws {SafetensorsError} naming the byte or key that is wrong
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    const start = new Uint8Array(8);
    const got = await readFully(file, start);
    if (got < 8) fail(`it needs 8 bytes of header length: it has ${got}`);
    const length = new DataView(start.buffer).getBigUint64(0, true);
    if (length > MAX_HEADER) {
      fail(`its header may have ${MAX_HEADER} bytes: bytes 0 to 7 say ${length}`);
    }
    if (8 + Number(length) > size) {
      fail(`its header ends at byte ${8 + Number(length)}: the file has ${size} bytes`);
    }
    const json = new Uint8Array(Number(length));
    await readFully(file, json);
    const dataStart = 8 + json.length;
    return new SafetensorsFile(path, file, parseHeader(json, size - dataStart), dataStart);
  } catch (error) {
    file.close();
    if (error instanceof SafetensorsError) error.message += ` (${path})`;
    throw error;
  }
}

/** What `writeSafetensors` writes. */
export interface SafetensorsContent {
  /** Names and shapes, in the order in which `data` gives the numbers. */
  tensors: readonly TensorSpec[];
  data: () => AsyncIterable<FloatArray>;
  /** Default F32. */
  dtype?: "F32" | "F16";
  metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a file, all or nothing: a temporary file takes its place only when it is whole.
 * @throws {RangeError} for a number that is not finite, or too large for F16
 */
export async function writeSafetensors(path: string, content: SafetensorsContent): Promise<void> {
  const { tensors, data, dtype = "F32", metadata } = content;
  let at = 0;
  const header: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  for (const { name, shape } of tensors) {
    const end = at + shape.reduce((product, n) => product * n, BYTES[dtype]);
    header.push([name, { dtype, shape, data_offsets: [at, end] }]);
    at = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const head = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20); // padded with spaces
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(text, 8);
  await replaceFile(path, async (write) => {
    await write(head);
    let i = 0;
    for await (const numbers of data()) await write(toBytes(numbers, tensors[i++], dtype));
    if (i !== tensors.length) {
      throw new RangeError(`Cannot write ${path} as it needs ${tensors.length} tensors: got ${i}`);
    }
  });
}

function toBytes(
  numbers: FloatArray,
  { name, shape }: TensorSpec,
  dtype: "F32" | "F16",
): Uint8Array {
  const length = shape.reduce((product, n) => product * n, 1);
  if (numbers.length !== length) {
    throw new RangeError(
      `Cannot write ${name} as (${shape}) has ${length} elements: got ${numbers.length}`,
    );
  }
  const typed = dtype === "F16" ? new Float16Array(numbers) : new Float32Array(numbers);
  const bad = typed.findIndex((x: number) => !Number.isFinite(x));
  if (bad >= 0) {
    throw new RangeError(
      `Cannot write ${name} as its numbers must be finite in ${dtype}: element ${bad} is ${
        numbers[bad]
      }`,
    );
  }
  return new Uint8Array(typed.buffer);
}

/** Fills `out` from the first elements of a block; by type. */
const converters: {
  readonly [dtype in FileDtype]?: (block: ArrayBuffer, out: Float32Array<ArrayBuffer>) => void;
} = {
  F32: (block, out) => out.set(new Float32Array(block, 0, out.length)),
  F16: (block, out) => out.set(new Float16Array(block, 0, out.length)),
  BF16: (block, out) => { // the upper half of an f32
    const halves = new Uint16Array(block, 0, out.length);
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  },
};

/** Fills `bytes` as far as the file goes; returns how many there were. */
async function readFully(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  let at = 0;
  while (at < bytes.length) {
    const got = await file.read(bytes.subarray(at));
    if (got === null) break;
    at += got;
  }
  return at;
}
