/**
 * The header of a safetensors file, read strictly, as a file may come from anywhere: nothing of it is used
 * before all of it has been checked.
 *
 * Layout of a file: 8 bytes header length N (little-endian), N bytes JSON, then the data, row-major and
 * little-endian, without holes.
 * @module
 */
import { excerpt } from "../../base/excerpt.ts";
import { type Json, JsonNumber, parseJson } from "../../base/json.ts";
import { BYTES, type FileDtype, SafetensorsError, type TensorEntry } from "./tensor_entries.ts";

/** Most bytes of a header, so that what is made of them stays small, whatever they say. */
export const MAX_HEADER = 4_000_000;
const MAX_TENSORS = 4096; // a GPT-2 of 48 layers has 580, its optimizer twice as many
const MAX_VALUES = 16 * MAX_TENSORS; // of JSON: a tensor has 4, and one for each of its sizes

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

/** @throws {SafetensorsError} with the fault */
export function fail(fault: string): never {
  throw new SafetensorsError(`Cannot read safetensors as ${excerpt(fault, 500)}`); // a name may be long
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
