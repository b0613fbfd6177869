/**
 * Word vectors in text, as Numberbatch, GloVe, word2vec and fastText publish them: a row is a key and its
 * numbers, parted by single spaces; the first line may say how many rows and numbers there are. Read in a
 * stream: what is held is one piece of the file and the rows that are kept, as 16-bit floats.
 * @module
 */
import { RowReader, type VectorRows } from "./vector_rows.ts";

const MAX_LINE = 2 ** 20;
const LINE_FEED = 10;

/**
 * Reads the rows of a file, at most `rows` of them, 0 for all; `file` is what errors call it.
 * @throws {SyntaxError} with file and line for a row of another length, what is no finite number within
 * ±65504, an empty key, bytes that are not UTF-8, fewer rows than the first line says, or no rows
 */
export async function readVectorText(
  pieces: AsyncIterable<Uint8Array>,
  { file, rows = 0 }: { file: string; rows?: number },
): Promise<VectorRows> {
  const reader = new RowReader(file, rows === 0 ? Infinity : rows);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : joined(rest, piece);
    let from = 0;
    for (;;) {
      const to = bytes.indexOf(LINE_FEED, from);
      if (to < 0) break;
      reader.line(bytes.subarray(from, to));
      from = to + 1;
      if (reader.isFull) return reader.end();
    }
    rest = bytes.slice(from); // a copy: the piece may be used again
    if (rest.length > MAX_LINE) throw reader.fault(`a line has at most ${MAX_LINE} bytes`, "more");
  }
  if (rest.length > 0) reader.line(rest);
  return reader.end();
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
