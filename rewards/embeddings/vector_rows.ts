/** The rows of a file of word vectors, line by line, kept as 16-bit floats. @module */
import { csvError } from "../../base/csv.ts";
import { shown } from "../../base/excerpt.ts";
import { readDecimal } from "./decimal.ts";

/** Rows of D numbers, in blocks. */
export interface VectorRows {
  /** Row by key, in the file's order; of a key that comes twice the first. */
  readonly rowOf: ReadonlyMap<string, number>;
  readonly dimensions: number;
  /** Adds `share` times row `row` to `sum` (D). */
  addTo(sum: Float32Array, row: number, share: number): void;
}

const BLOCK = 4096; // rows of one array: the file need not say how many there are
const MAX_NUMBERS = 4096;
const [RETURN, GAP] = [13, 32];

/** Takes lines, and keeps their rows. */
export class RowReader {
  #lines = 0;
  #dimensions = 0;
  #promised = 0; // rows, by the first line
  #rowOf = new Map<string, number>();
  #blocks: Float16Array[] = [];
  #text = new TextDecoder("utf-8", { fatal: true });

  constructor(readonly file: string, readonly most: number) {}

  get isFull(): boolean {
    return this.#rowOf.size >= this.most;
  }

  /** What is wrong with the last line. */
  fault(rule: string, now: string | number): SyntaxError {
    return csvError(this.file, Math.max(1, this.#lines), `${rule}: it has ${now}`);
  }

  line(bytes: Uint8Array): void {
    this.#lines++;
    let end = bytes.length;
    while (end > 0 && (bytes[end - 1] === RETURN || bytes[end - 1] === GAP)) end--;
    if (end === 0) return;
    const line = bytes.subarray(0, end), fields = countOf(line, GAP) + 1;
    const isHeader = this.#lines === 1 && fields === 2 && line.every(isDigitOrGap);
    if (isHeader) return this.#header(line);
    if (this.#dimensions === 0) this.#setDimensions(fields - 1);
    if (fields !== this.#dimensions + 1) {
      const like = this.#promised > 0 ? "the first line says" : "the first row has";
      throw this.fault(`a row has a key and ${this.#dimensions} numbers, as ${like}`, fields - 1);
    }
    this.#row(line);
  }

  end(): VectorRows {
    if (this.#rowOf.size === 0) throw this.fault("rows of word vectors must be there", "none");
    if (!this.isFull && this.#lines - 1 < this.#promised) {
      const rule = `there must be the ${this.#promised} rows that its first line says`;
      throw this.fault(rule, this.#lines - 1);
    }
    const D = this.#dimensions, blocks = this.#blocks;
    return {
      rowOf: this.#rowOf,
      dimensions: D,
      addTo(sum, row, share) {
        const block = blocks[Math.floor(row / BLOCK)], at = row % BLOCK * D;
        for (let d = 0; d < D; d++) sum[d] += share * block[at + d];
      },
    };
  }

  #header(line: Uint8Array): void {
    const [rows, dimensions] = this.#text.decode(line).split(" ").map(Number);
    this.#promised = rows;
    this.#setDimensions(dimensions);
  }

  #setDimensions(dimensions: number): void {
    if (!(dimensions >= 1 && dimensions <= MAX_NUMBERS)) {
      throw this.fault(`a row has 1 to ${MAX_NUMBERS} numbers`, dimensions);
    }
    this.#dimensions = dimensions;
  }

  #row(line: Uint8Array): void {
    let at = line.indexOf(GAP);
    const key = this.#key(line.subarray(0, at)), D = this.#dimensions;
    const row = this.#rowOf.size, place = row % BLOCK * D;
    if (place === 0 && this.#blocks.length * BLOCK <= row) {
      this.#blocks.push(new Float16Array(BLOCK * D));
    }
    const block = this.#blocks[Math.floor(row / BLOCK)];
    for (let d = 0; d < D; d++) {
      const next = line.indexOf(GAP, at + 1), end = next < 0 ? line.length : next;
      const number = readDecimal(line, at + 1, end);
      block[place + d] = number;
      if (!(Math.abs(number) <= 65504)) {
        const text = shown(new TextDecoder().decode(line.subarray(at + 1, end)), 40);
        throw this.fault("numbers must be finite, within ±65504", text);
      }
      at = end;
    }
    if (!this.#rowOf.has(key)) this.#rowOf.set(key, row);
  }

  /** A text of its own: a part of a longer one would keep all of that. */
  #key(bytes: Uint8Array): string {
    if (bytes.length === 0) throw this.fault("a row begins with its key", "a space");
    try {
      return this.#text.decode(bytes);
    } catch {
      throw this.fault("keys must be UTF-8 text", "other bytes");
    }
  }
}

const isDigitOrGap = (byte: number): boolean => byte === GAP || byte >= 48 && byte <= 57;

function countOf(bytes: Uint8Array, wanted: number): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) count++;
  return count;
}
