/** CSV with a header row, read strictly: every complaint names the file and the line. @module */
import { CsvError, parse } from "npm:csv-parse@7.0.3/sync";
import { nearest } from "./names.ts";

/** One row; `line` counts from 1 and is where the row ends. */
export interface CsvRow<Column extends string> {
  line: number;
  values: Record<Column, string>;
}

/** What is read: `file` is the name that errors use; further columns are ignored. */
export interface CsvOptions<Column extends string> {
  file: string;
  columns: readonly Column[];
}

/** An error in row or table form: `Cannot read colors.csv:7 as <rule>: <what it is now>`. */
export function csvError(file: string, line: number, why: string): SyntaxError {
  return new SyntaxError(`Cannot read ${file}:${line} as ${why}`);
}

/** A table whose columns are its own: `values` has each of them by its name in the header. */
export interface CsvTable {
  header: readonly string[];
  rows: CsvRow<string>[];
}

/**
 * The rows after the header, white space around fields removed; in quotes it stays. Every line end is read
 * as a line feed, also in quotes: a file is the same table whichever system wrote it.
 * @throws SyntaxError for broken quotes, a missing or repeated column, a row of another width, no rows.
 */
export function readCsv<Column extends string>(
  text: string,
  { file, columns }: CsvOptions<Column>,
): CsvRow<Column>[] {
  const { header, records } = recordsOf(text, { file, columns });
  const at = columns.map((column) => [column, header.indexOf(column)] as const);
  return records.map(({ line, cells }) => ({
    line,
    values: Object.fromEntries(at.map(([column, i]) => [column, cells[i]])) as Record<
      Column,
      string
    >,
  }));
}

/**
 * As `readCsv`, with every column of the table.
 * @param options.optional columns that may be absent, but not under a name that is nearly theirs
 * @throws SyntaxError as `readCsv`, and for two columns of one name
 */
export function readCsvTable(
  text: string,
  { file, columns, optional = [] }: CsvOptions<string> & { optional?: readonly string[] },
): CsvTable {
  const { header, line, records } = recordsOf(text, { file, columns });
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) {
    throw csvError(file, line, `its columns must have names of their own: "${twice}" comes twice`);
  }
  for (const column of optional.filter((name) => !header.includes(name))) {
    const near = nearest(column, header.filter((name) => !columns.includes(name)));
    if (near === undefined) continue;
    throw csvError(
      file,
      line,
      `a column named nearly "${column}" would be passed over: rename "${near}"`,
    );
  }
  return {
    header,
    rows: records.map(({ line, cells }) => ({
      line,
      values: Object.fromEntries(header.map((name, i) => [name, cells[i]])),
    })),
  };
}

/** Header and cells, every row as wide as the header; `line` of the table is the header's. */
function recordsOf(
  text: string,
  { file, columns }: CsvOptions<string>,
): { header: string[]; line: number; records: { line: number; cells: string[] }[] } {
  let records: { info: { lines: number }; record: string[] }[];
  try {
    records = parse(text.replaceAll(/\r\n?/g, "\n"), {
      info: true,
      relax_column_count: true, // checked below, with the line
      skip_empty_lines: true,
      trim: true, // a byte order mark counts as white space
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw csvError(file, Number(error.lines ?? 1), `it must be CSV: ${error.message}`);
  }
  if (records.length === 0) {
    throw csvError(file, 1, `it must start with the columns ${columns.join(",")}: it is empty`);
  }
  const [{ info: { lines: line }, record: header }, ...rows] = records;
  for (const column of columns) {
    if (header.filter((name) => name === column).length === 1) continue;
    const rule = `its header must have "${column}" once: it is ${header.join(",").slice(0, 200)}`;
    throw csvError(file, line, rule + headerCure(column, header));
  }
  if (rows.length === 0) throw csvError(file, line, "rows must follow the header: none does");
  const wrong = rows.find(({ record }) => record.length !== header.length);
  if (wrong) {
    const rule = `each row must have ${header.length} fields, like the header`;
    const { length } = wrong.record;
    const cure = length > header.length ? "; put a text with a comma in quotes" : "";
    throw csvError(file, wrong.info.lines, `${rule}: it has ${length}${cure}`);
  }
  return {
    header,
    line,
    records: rows.map(({ info: { lines }, record }) => ({ line: lines, cells: record })),
  };
}

/** What mends a header that lacks a column, where that can be told. */
function headerCure(column: string, header: readonly string[]): string {
  if (header.includes(column)) return "";
  const other = header.length === 1 && /[;\t]/.exec(header[0])?.[0];
  if (other) {
    const name = other === "\t" ? "a tab" : `"${other}"`;
    return `; save it with a comma between fields, and not ${name}`;
  }
  const near = nearest(column, header);
  return near === undefined ? "" : `; rename "${near}"`;
}
