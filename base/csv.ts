/** CSV with a header row, read strictly: every complaint names the file and the line. @module */
import { CsvError, parse } from "npm:csv-parse@7.0.3/sync";

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

/**
 * The rows after the header, white space around fields removed.
 * @throws SyntaxError for broken quotes, a missing or repeated column, a row of another width, no rows.
 */
export function readCsv<Column extends string>(
  text: string,
  { file, columns }: CsvOptions<Column>,
): CsvRow<Column>[] {
  let records: { info: { lines: number }; record: string[] }[];
  try {
    records = parse(text, {
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
  const [{ info, record: header }, ...rows] = records;
  for (const column of columns) {
    const found = header.filter((name) => name === column).length;
    if (found !== 1) {
      const rule = `its header must have "${column}" once`;
      throw csvError(file, info.lines, `${rule}: it is ${header.join(",").slice(0, 200)}`);
    }
  }
  if (rows.length === 0) throw csvError(file, info.lines, "rows must follow the header: none does");
  return rows.map(({ info: { lines }, record }) => {
    if (record.length !== header.length) {
      const rule = `each row must have ${header.length} fields, like the header`;
      throw csvError(file, lines, `${rule}: it has ${record.length}`);
    }
    const values = columns.map((column) => [column, record[header.indexOf(column)]]);
    return { line: lines, values: Object.fromEntries(values) };
  });
}
