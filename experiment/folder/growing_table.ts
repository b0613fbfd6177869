/**
 * A CSV file that only grows. Rows are added at its end, so that a run costs what its length is; how far
 * it is good is known as a number of bytes and their hash, which a checkpoint keeps.
 * @module
 */
import type { Disk } from "../../model/files/disk.ts";
import { csvLines } from "./csv.ts";
import { GrowingFile } from "./growing_file.ts";

/** A table on disk, and rows that are on their way there. */
export class GrowingTable extends GrowingFile {
  /** Takes rows of cells; they reach the disk with the next `save`. */
  add(rows: readonly (readonly string[])[]): void {
    if (rows.length > 0) this.put(bytesOf(rows));
  }

  /** Replaces the file in `folder` by rows, whole. */
  async replace(folder: string, rows: readonly (readonly string[])[], io: Disk): Promise<void> {
    await this.replaceBytes(folder, bytesOf(rows), io);
  }
}

const bytesOf = (rows: readonly (readonly string[])[]): Uint8Array =>
  new TextEncoder().encode(csvLines(rows));
