/** The token stream of a corpus as batches of documents of like length, and their order. @module */
import { Random } from "./random.ts";

/** Widths of rows, tokens; multiples of 8, which passes are padded to. */
export const WIDTHS: readonly number[] = [16, 24, 32, 48, 64, 96, 128, 192];

/**
 * Splits a token stream into batches of documents of like length, so that no row looks into another
 * document and little is padding: a document joins the narrowest width that holds it, and a width
 * that has `batch * length` tokens is a batch. Longer documents are cut. Documents that do not fill a
 * batch are left out, or with `rest` make smaller ones at the end.
 */
export function documentBatches(
  stream: Uint32Array,
  { end, batch, length, rest = false }: {
    end: number;
    batch: number;
    length: number;
    rest?: boolean;
  },
): Uint32Array[][] {
  const widths = WIDTHS.filter((width) => width < length).concat(length);
  const waiting = new Map(widths.map((width) => [width, [] as Uint32Array[]]));
  const batches: Uint32Array[][] = [];
  for (let start = 0; start < stream.length;) {
    const stop = stream.indexOf(end, start);
    const past = Math.min(stop < 0 ? stream.length : stop + 1, start + length + 1);
    const document = stream.subarray(start, past);
    start = past;
    if (document.length < 2) continue; // nothing to predict
    const width = widths.find((width) => document.length - 1 <= width)!;
    const rows = waiting.get(width)!;
    rows.push(document);
    if (rows.length * width >= batch * length) {
      batches.push(rows);
      waiting.set(width, []);
    }
  }
  if (rest) batches.push(...[...waiting.values()].filter((rows) => rows.length > 0));
  return batches;
}

/** Batches in the order of training: each once an epoch, in the epoch's own order. */
export function orderOf(count: number, epoch: number, seed: number): number[] {
  const random = new Random(seed * 1000 + 500 + epoch); // apart from the corpus's generators
  return random.shuffle(Array.from({ length: count }, (_, i) => i));
}
