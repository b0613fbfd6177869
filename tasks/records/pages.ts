/**
 * Checks the pages of a parquet file before hyparquet reads them: it believes what a page says of its own
 * length, and a run of five bytes may say two billion.
 * @module
 */
import type { FileMetaData, PageHeader } from "npm:hyparquet@1.33.0";
import { parquetHeader } from "npm:hyparquet@1.33.0/src/column.js";
import { decompressPage } from "npm:hyparquet@1.33.0/src/datapage.js";
import {
  getMaxDefinitionLevel,
  getMaxRepetitionLevel,
  getSchemaPath,
} from "npm:hyparquet@1.33.0/src/schema.js";
import { readVarInt } from "npm:hyparquet@1.33.0/src/thrift.js";
import type { compressors } from "npm:hyparquet-compressors@1.1.2";
import { BOUNDED, type ColumnChunk } from "./footer.ts";

/** How pages are unpacked, and how much may still come: what a chunk has is taken off. */
export interface PageLimits {
  compressors: typeof compressors;
  values: number;
  /** After unpacking. */
  bytes: number;
}

interface Reader {
  view: DataView;
  offset: number;
}

const readerOf = (bytes: Uint8Array): Reader => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
  offset: 0,
});

/**
 * Walks the pages of a chunk.
 * @throws {Error} for a page that reaches beyond the chunk, more values or bytes than the limits, a run
 * that is longer than what it is a part of, or an encoding without a bound
 */
export function checkPages(
  bytes: Uint8Array,
  { meta, rows }: ColumnChunk,
  schema: FileMetaData["schema"],
  limits: PageLimits,
): void {
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const end = start + Number(meta.total_compressed_size);
  if (!(start >= 4 && end >= start && end <= bytes.length)) {
    throw new Error(`a column lies at bytes ${start} to ${end} of ${bytes.length}`);
  }
  const path = getSchemaPath(schema, meta.path_in_schema);
  const levels = { rep: getMaxRepetitionLevel(path), def: getMaxDefinitionLevel(path) };
  const reader = readerOf(bytes.subarray(start, end));
  let values = 0;
  while (reader.offset < reader.view.byteLength - 1) {
    const header = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    const left = reader.view.byteLength - reader.offset;
    limits.bytes -= unpacked;
    if (!(size >= 0 && size <= left && unpacked >= 0 && limits.bytes >= 0)) {
      throw new Error(`a page of ${size} bytes, ${unpacked} unpacked, has ${left} left`);
    }
    const { num_values: own } = header.data_page_header ?? header.data_page_header_v2 ??
      header.dictionary_page_header ?? { num_values: 0 };
    if (header.type !== "DICTIONARY_PAGE") values += own;
    limits.values -= own;
    if (!(own >= 0 && limits.values >= 0)) throw new Error(`a page has ${own} values`);
    const at = reader.view.byteOffset + reader.offset;
    checkPage(new Uint8Array(reader.view.buffer, at, size), header, {
      codec: meta.codec,
      levels,
      limits,
    });
    reader.offset += size;
  }
  if (levels.rep === 0 && values !== rows) {
    throw new Error(`a column has ${values} values for ${rows} rows`);
  }
}

interface PageContext {
  codec: ColumnChunk["meta"]["codec"];
  levels: { rep: number; def: number };
  limits: PageLimits;
}

/** Checks the runs of one page: its levels, then what stands for values. */
function checkPage(packed: Uint8Array, header: PageHeader, context: PageContext): void {
  const { codec, levels: { rep, def }, limits: { compressors } } = context;
  const { data_page_header: one, data_page_header_v2: two, uncompressed_page_size } = header;
  const { encoding, num_values: values } = one ?? two ?? { encoding: "PLAIN", num_values: 0 };
  if (!BOUNDED.includes(encoding)) {
    throw new Error(`a page is ${encoding}, which its column is not`);
  }
  let page: Uint8Array;
  if (one) {
    page = decompressPage(packed, uncompressed_page_size, codec, compressors);
    for (const level of [rep, def].filter((most) => most > 0)) {
      const reader = readerOf(page), length = reader.view.getUint32(0, true);
      const runs = page.subarray(4, 4 + length);
      checkRuns(runs, { width: bitWidth(level), values });
      page = page.subarray(4 + length);
    }
  } else if (two) {
    const repBytes = two.repetition_levels_byte_length,
      defBytes = two.definition_levels_byte_length;
    const bytes = repBytes + defBytes;
    const fits = repBytes >= 0 && defBytes >= 0 &&
      bytes <= Math.min(packed.length, uncompressed_page_size);
    if (!fits || !(two.num_nulls >= 0 && two.num_nulls <= values)) {
      throw new Error(
        `a page has ${two.num_nulls} nulls of ${values}, and ${bytes} bytes of levels`,
      );
    }
    if (rep > 0) checkRuns(packed.subarray(0, repBytes), { width: bitWidth(rep), values });
    if (def > 0) checkRuns(packed.subarray(repBytes, bytes), { width: bitWidth(def), values });
    page = packed.subarray(bytes);
    const left = uncompressed_page_size - bytes;
    if (two.is_compressed !== false && left > 0) {
      page = decompressPage(page, left, codec, compressors);
    }
  } else return;
  if (/DICTIONARY$/.test(encoding) && page.length > 0) {
    checkRuns(page.subarray(1), { width: page[0], values });
  } else if (encoding === "RLE") {
    checkRuns(page.subarray(4), { width: 1, values });
  }
}

const bitWidth = (most: number): number => 32 - Math.clz32(most);

/** Checks runs of `width` bits each: none may have more than what is left of `values`. */
function checkRuns(bytes: Uint8Array, { width, values }: { width: number; values: number }): void {
  const reader = readerOf(bytes);
  for (let seen = 0; seen < values && reader.offset < bytes.length;) {
    const head = readVarInt(reader);
    const isPacked = (head & 1) === 1, groups = head >>> 1;
    const count = isPacked ? 8 * groups : groups;
    const most = values - seen + (isPacked ? 7 : 0); // packed ones come in eights
    if (count > most) throw new Error(`a run has ${count} values of ${most}`);
    reader.offset += isPacked ? groups * width : (width + 7) >> 3;
    seen += count;
  }
}
