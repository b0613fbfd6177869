/** Records of a text file: a JSON list, JSONL (one object a line) or CSV. @module */
import { readCsvTable } from "../../base/csv.ts";
import { described, excerpt } from "../../base/excerpt.ts";
import { parseJson, parseShallowJson } from "../../base/json.ts";
import type { DataFile } from "../task.ts";
import { asRecord, type DataRecord, recordError, type Wanted } from "./record.ts";

/**
 * Reads the records of a text; CRLF is fine.
 * @throws {SyntaxError} for what breaks its format, with the line
 */
export function readText(
  { name, text }: { name: string; text: string },
  wanted: Wanted,
): DataRecord[] {
  const first = /\S/.exec(text)?.[0];
  if (first === undefined) {
    throw recordError({ file: name, place: "" }, "records must be in it: it is white space alone");
  }
  if (!/\.csv$/i.test(name)) {
    if (first === "[") return readList(name, text, wanted);
    if (first === "{") return readLines(name, text, wanted);
    if (/\.(json|jsonl|ndjson)$/i.test(name)) {
      const now = `it begins with ${described(excerpt(text.trimStart(), 20))}`;
      const rule = "JSON must be a list of records, or one record a line";
      throw recordError({ file: name, place: ":1" }, `${rule}: ${now}`);
    }
  }
  return readTable(name, text, wanted);
}

/** Decodes UTF-8, without a byte order mark. @throws {SyntaxError} with the first line that is not */
export function decodeText({ name: file, bytes }: DataFile): string {
  const decoder = new TextDecoder("utf-8", { fatal: true }); // drops a byte order mark
  try {
    return decoder.decode(bytes);
  } catch { // found below
  }
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, from);
    const end = found < 0 ? bytes.length : found + 1;
    try {
      decoder.decode(bytes.subarray(from, end));
    } catch {
      break;
    }
    from = end;
  }
  throw recordError({ file, place: `:${line}` }, "it must be UTF-8 text: save it as UTF-8");
}

function readTable(file: string, text: string, wanted: Wanted): DataRecord[] {
  const { needs: columns, may: optional } = wanted;
  return readCsvTable(text, { file, columns, optional }).rows
    .map(({ line, values }) => asRecord({ file, place: `:${line}` }, values, wanted));
}

function readList(file: string, text: string, wanted: Wanted): DataRecord[] {
  let all: unknown;
  try {
    all = parseShallowJson(text);
  } catch (error) {
    throw jsonError(file, text, error as Error);
  }
  const list = all as unknown[]; // it begins with [
  if (list.length === 0) {
    throw recordError({ file, place: "" }, "records must be in it: its list is empty");
  }
  return list.map((one, i) => asObject({ file, place: `, record ${i + 1}` }, one, wanted));
}

function readLines(file: string, text: string, wanted: Wanted): DataRecord[] {
  const records: DataRecord[] = [];
  let line = 0;
  for (const part of text.split("\n")) { // JSON has U+2028 inside a line, so no other mark ends one
    line++;
    if (part.trim() === "") continue;
    let one: unknown;
    try {
      one = parseShallowJson(part);
    } catch (error) {
      if (isWhole(text)) {
        const rule = "JSON must be a list of records, or one record a line";
        throw recordError(
          { file, place: ":1" },
          `${rule}: it is one object; take the list out of it`,
        );
      }
      throw jsonError(file, part, error as Error, line);
    }
    records.push(asObject({ file, place: `:${line}` }, one, wanted));
  }
  return records;
}

/** True for a text that is one JSON value over several lines. */
function isWhole(text: string): boolean {
  try {
    return parseShallowJson(text) !== undefined;
  } catch {
    return false;
  }
}

/** The error of broken JSON with its line and column; `from` is the line that `text` begins on. */
function jsonError(file: string, text: string, { message }: Error, from = 1): SyntaxError {
  let reason = message;
  try {
    parseJson(text); // says where, which engines do not agree on
  } catch (error) {
    reason = (error as Error).message;
  }
  const { why, at } = /^(?<why>[^]*) at character (?<at>\d+)$/.exec(reason)?.groups ??
    { why: reason, at: "0" };
  const before = text.slice(0, Number(at)).split("\n");
  const place = `:${from + before.length - 1}`;
  const column = before[before.length - 1].length + 1;
  return recordError({ file, place }, `it must be JSON: ${why} at column ${column}`);
}

function asObject(at: Pick<DataRecord, "file" | "place">, value: unknown, wanted: Wanted) {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return asRecord(at, value as Record<string, unknown>, wanted);
  }
  throw recordError(at, `a record is an object of names and values: it is ${described(value)}`);
}
