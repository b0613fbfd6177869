/** The end of a parquet file, which lists its columns, and how much it may ask for. @module */
import { type FileMetaData, parquetMetadata } from "npm:hyparquet@1.33.0";
import { described } from "../../base/excerpt.ts";
import type { DataFile } from "../task.ts";
import { recordError } from "./record.ts";

/** What the footer says about one column in one group of rows, and how many rows there are. */
export interface ColumnChunk {
  meta: NonNullable<FileMetaData["row_groups"][number]["columns"][number]["meta_data"]>;
  rows: number;
}

/** Most bytes of the part that lists columns; pyarrow needs 17 MB for 100,000. */
const MAX_FOOTER = 3 * 2 ** 23;
/** Most values of a column, entries of nested lists counted one by one. */
export const MAX_VALUES = 2 ** 24;
/** Most bytes that the columns which are read may unpack to. */
export const MAX_UNPACKED = 2 ** 30;

/** Encodings whose size is bounded by that of their page; delta strings are not. */
export const BOUNDED: readonly string[] = [
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "RLE",
  "BIT_PACKED", // of levels, in files of older programs
  "DELTA_BINARY_PACKED",
  "DELTA_LENGTH_BYTE_ARRAY",
  "BYTE_STREAM_SPLIT",
];

/**
 * What stands at the file's end.
 * @throws {Error} where that is cut off; {RangeError} where it is too long
 */
export function readFooter({ name, bytes }: DataFile): FileMetaData {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 12 || new TextDecoder("latin1").decode(bytes.subarray(-4)) !== "PAR1") {
    throw new Error("it does not end with PAR1");
  }
  const length = view.getUint32(bytes.length - 8, true);
  if (length > bytes.length - 12) throw new Error(`its end speaks of ${length} bytes before it`);
  if (length > MAX_FOOTER) {
    throw new RangeError(
      `Cannot read ${name} as its list of columns may have ${MAX_FOOTER} bytes: it has ${length}; ` +
        "write fewer columns",
    );
  }
  return parquetMetadata(bytes.subarray(-8 - length), { geoparquet: false });
}

/** Names of the columns, where those of a nested one count as one. */
export function columnsOf({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  for (let at = 1; at < schema.length;) {
    names.push(schema[at].name);
    for (let open = 1; open > 0 && at < schema.length; at++) {
      open += (schema[at].num_children ?? 0) - 1;
    }
  }
  return names;
}

/** The chunks of the columns, of every row group. */
export const chunksOf = (metadata: FileMetaData, columns: readonly string[]): ColumnChunk[] =>
  metadata.row_groups.flatMap((group) =>
    group.columns.flatMap(({ meta_data: meta }) =>
      meta && columns.includes(meta.path_in_schema[0])
        ? [{ meta, rows: Number(group.num_rows) }]
        : []
    )
  );

/**
 * Checks what the file says about the columns that are read.
 * @throws {SyntaxError} for an encoding that lets few bytes unpack to any number of them
 * @throws {RangeError} for more rows or bytes than the limits
 */
export function checkFooter(
  name: string,
  metadata: FileMetaData,
  columns: readonly string[],
): void {
  const chunks = chunksOf(metadata, columns);
  for (const { meta: { encodings, path_in_schema: [column] } } of chunks) {
    const other = encodings.find((one) => !BOUNDED.includes(one));
    if (other === undefined) continue;
    const now = `${described(column)} is ${other}; write it with pyarrow's own settings`;
    const rule = `its columns must be written as ${BOUNDED.join(", ")}`;
    throw recordError({ file: name, place: "" }, `${rule}: ${now}`);
  }
  const groups = metadata.row_groups.map(({ num_rows }) => Number(num_rows));
  const rows = Math.max(Number(metadata.num_rows), groups.reduce((sum, n) => sum + n, 0));
  const bytes = chunks.reduce((sum, { meta }) => sum + Number(meta.total_uncompressed_size), 0);
  for (
    const [what, now, most] of [
      ["rows", rows, MAX_VALUES],
      ["bytes when unpacked", bytes, MAX_UNPACKED],
    ] as const
  ) {
    if (now <= most) continue;
    throw new RangeError(
      `Cannot read ${name} as ${columns.join(", ")} may have ${most} ${what}: it has ${now}; ` +
        "take a part of it",
    );
  }
}
