/**
 * Records of a data file: parquet, JSON, JSONL or CSV, told by what the bytes are and by the file's name.
 * What is asked for is checked, and every complaint names the file, the place in it and a cure.
 * @module
 */
import { described } from "../../base/excerpt.ts";
import type { DataFile } from "../task.ts";
import { type DataRecord, recordError, type Wanted } from "./record.ts";
import { decodeText, readText } from "./text.ts";

/** The bytes with which what is no data begins, and what to do about it. */
const OTHERS: readonly (readonly [string, string])[] = [
  ["\x1f\x8b", "it is packed with gzip: unpack it first"],
  ["PK\x03\x04", "it is a ZIP archive: unpack it first"],
  ["\x28\xb5\x2f\xfd", "it is packed with Zstandard: unpack it first"],
  ["version https://git-lfs", "it is a pointer of Git LFS: take the file that it points to"],
  ["<!DOCTYPE", "it is a web page: take the file itself, not the page about it"],
  ["<html", "it is a web page: take the file itself, not the page about it"],
  ["ARROW1", "it is an Arrow file: write it as parquet"],
];

const MAX_BYTES = 2 ** 29 - 1; // a text of more characters than that no engine holds

/**
 * Reads the records of a file, in order.
 * @throws {SyntaxError} for a format that is none of these, a file that is broken or has no records, a
 * record without a column that it needs
 * @throws {RangeError} for a file that is too large for what it claims to hold
 */
export async function readRecords(
  { name, bytes }: DataFile,
  wanted: Wanted,
): Promise<DataRecord[]> {
  const file = { file: name, place: "" };
  const formats = "it must be parquet, JSON, JSONL or CSV";
  if (bytes.length === 0) throw recordError(file, `${formats}: it is empty`);
  const start = String.fromCharCode(...bytes.subarray(0, 24));
  for (const [magic, what] of OTHERS) {
    if (start.startsWith(magic)) throw recordError(file, `${formats}: ${what}`);
  }
  if (start.startsWith("PAR1")) {
    const { readParquet } = await import("./parquet.ts"); // most runs do without its libraries
    return await readParquet({ name, bytes }, wanted);
  }
  if (/\.parquet$/i.test(name)) {
    const now = `it begins with ${described(start.slice(0, 4))}`;
    throw recordError(file, `a parquet file begins with PAR1: ${now}; fetch it again`);
  }
  if (bytes.length > MAX_BYTES) {
    const now = `it has ${bytes.length} bytes; write it as parquet, or take a part of it`;
    throw new RangeError(`Cannot read ${name} as a text holds at most ${MAX_BYTES} bytes: ${now}`);
  }
  return readText({ name, text: decodeText({ name, bytes }) }, wanted);
}
