/** A CSV file that only grows, held in memory and replaced whole. @module */
import { join } from "node:path";
import type { Disk } from "../../model/files/disk.ts";
import { csvLines } from "./csv.ts";
import { replaceFile } from "./files.ts";

/** A table that only grows: encoded rows, written whole each time. */
export class GrowingTable {
  #chunks: Uint8Array[] = [];
  #dirty = false;
  constructor(readonly name: string) {}

  get empty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Takes rows of cells; they reach the disk with the next `save`. */
  add(rows: readonly (readonly string[])[]): void {
    if (rows.length === 0) return;
    this.#chunks.push(new TextEncoder().encode(csvLines(rows)));
    this.#dirty = true;
  }

  /** Replaces the file in `folder` where rows were added. */
  async save(folder: string, io: Disk): Promise<void> {
    if (!this.#dirty) return;
    await replaceFile(join(folder, this.name), this.#chunks, io);
    this.#dirty = false;
  }
}
