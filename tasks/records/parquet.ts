/**
 * Records of a parquet file, by hyparquet. What the file says about its own size is checked before anything
 * of that size is made: a few bytes can ask for any amount of memory.
 * @module
 */
import { decompress } from "npm:fzstd@0.1.1";
import { parquetReadObjects } from "npm:hyparquet@1.33.0";
import { compressors } from "npm:hyparquet-compressors@1.1.2";
import type { DataFile } from "../task.ts";
import {
  checkFooter,
  chunksOf,
  columnsOf,
  MAX_UNPACKED,
  MAX_VALUES,
  readFooter,
} from "./footer.ts";
import { checkPages } from "./pages.ts";
import { asRecord, type DataRecord, missingColumn, recordError, type Wanted } from "./record.ts";

/** fzstd asks whether the array is 1, for which JavaScript would spell out all of it. */
const target = (length: number): Uint8Array =>
  Object.defineProperty(new Uint8Array(length), Symbol.toPrimitive, { value: () => NaN });

/** As hyparquet wants them; Zstandard unpacks into what the page says, and no further. */
const COMPRESSORS: typeof compressors = {
  ...compressors,
  ZSTD: (input, length) => decompress(input, target(length)),
};

/**
 * Reads the wanted columns of every row.
 * @throws {SyntaxError} for a file that is cut off or damaged, a column that is absent, no rows
 * @throws {RangeError} for one that asks for more than the limits above
 */
export async function readParquet(file: DataFile, wanted: Wanted): Promise<DataRecord[]> {
  const { name, bytes } = file;
  const whole = { file: name, place: "" };
  let rows: Record<string, unknown>[];
  try {
    const metadata = readFooter(file);
    const names = columnsOf(metadata);
    for (const column of wanted.needs) {
      if (!names.includes(column)) throw missingColumn(whole, column, names);
    }
    const columns = [...wanted.needs, ...wanted.may ?? []].filter((one) => names.includes(one));
    checkFooter(name, metadata, columns);
    const limits = { compressors: COMPRESSORS, values: MAX_VALUES, bytes: MAX_UNPACKED };
    for (const chunk of chunksOf(metadata, columns)) {
      checkPages(bytes, chunk, metadata.schema, limits);
    }
    rows = await parquetReadObjects({
      file: asyncBuffer(bytes),
      metadata,
      columns,
      compressors: COMPRESSORS,
      geoparquet: false,
    });
    if (rows.length !== Number(metadata.num_rows)) {
      throw new Error(`it has ${rows.length} of ${metadata.num_rows} rows`);
    }
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(`Cannot read ${name}`)) throw error; // said above
    throw recordError(whole, `it must be a whole parquet file: ${message}; fetch it again`);
  }
  if (rows.length === 0) throw recordError(whole, "rows must be in it: none is");
  return rows.map((row, i) => {
    const at = { file: name, place: `, row ${i + 1}` };
    const values = Object.entries(row).map(([column, value]) => [column, plain(value)]);
    return asRecord(at, Object.fromEntries(values), wanted);
  });
}

const asyncBuffer = (bytes: Uint8Array) => ({
  byteLength: bytes.length,
  slice: (start: number, end?: number) => bytes.slice(start, end).buffer as ArrayBuffer,
});

/** The value as JSON would have it: whole numbers as numbers, an instant as its ISO text. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return [...value as Uint8Array].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
