/** One record of a data file, and the errors that name its place. @module */
import { described, firstOf } from "../../base/excerpt.ts";
import { nearest } from "../../base/names.ts";

/** One record: the columns that were asked for and that it has. */
export interface DataRecord {
  /** Name of its file. */
  readonly file: string;
  /** Where in the file, as it follows the file's name: `:7` a line, `, row 7` or `, record 7`. */
  readonly place: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The columns that are wanted; others are not read where the format allows that. */
export interface Wanted {
  /** Each record must have them. */
  readonly needs: readonly string[];
  /** Those that may be absent. */
  readonly may?: readonly string[];
}

/** `Cannot read FILE:7 as <rule>: <what it is now>`. */
export const recordError = (
  { file, place }: Pick<DataRecord, "file" | "place">,
  why: string,
): SyntaxError => new SyntaxError(`Cannot read ${file}${place} as ${why}`);

/**
 * A record of what was read at a place.
 * @throws {SyntaxError} where a column that it needs is absent
 */
export function asRecord(
  at: Pick<DataRecord, "file" | "place">,
  given: Readonly<Record<string, unknown>>,
  { needs, may = [] }: Wanted,
): DataRecord {
  for (const column of needs) {
    if (!Object.hasOwn(given, column)) throw missingColumn(at, column, Object.keys(given));
  }
  const kept = [...needs, ...may].filter((column) => Object.hasOwn(given, column));
  return { ...at, values: Object.fromEntries(kept.map((column) => [column, given[column]])) };
}

/** The error for a column that is not there: names the nearest, and the first that are. */
export function missingColumn(
  at: Pick<DataRecord, "file" | "place">,
  column: string,
  names: readonly string[],
): SyntaxError {
  const near = nearest(column, names.slice(0, 1000)); // each costs a comparison
  const cure = near === undefined ? "" : `; rename ${described(near)}`;
  const has = firstOf(names.map((name) => name.slice(0, 80)), { apart: ", " }) || "none";
  return recordError(at, `it must have "${column}": it has ${has}${cure}`);
}

/**
 * The text in a column of a record.
 * @throws {SyntaxError} for what is not a text, or one without anything but white space
 */
export function textIn(record: DataRecord, column: string): string {
  const value = record.values[column];
  if (typeof value === "string" && value.trim() !== "") return value;
  throw recordError(record, `"${column}" must be a text: it is ${described(value)}`);
}
