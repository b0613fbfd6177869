/** Files of word vectors on this machine. @module */
import { asUsage } from "../../base/usage.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { TextVectors } from "../../rewards/embeddings/text_vectors.ts";
import { readVectorText } from "../../rewards/embeddings/vector_text.ts";

/** @throws {Error} marked as usage where there is no such file */
export async function checkWordVectors(file: string): Promise<void> {
  const kind = await kindOf(file);
  if (kind === "file") return;
  throw asUsage(
    new Error(
      `Cannot read word vectors from ${file} as it must be a file: ` +
        (kind === undefined ? "there is none" : "it is a folder"),
    ),
  );
}

/**
 * Reads a file of word vectors in text, packed where its name ends in `.gz`, as it comes from the disk: of
 * the file no more than a piece is held at a time.
 * @param rows how many rows are kept, from the first on; 0 for all
 * @throws {Error} marked as usage where there is no such file
 * @throws {SyntaxError} as `readVectorText`, and for what is no gzip file
 */
export async function openWordVectors(file: string, rows: number): Promise<TextVectors> {
  await checkWordVectors(file);
  using opened = await Deno.open(file);
  if (!(await opened.stat()).isFile) {
    throw asUsage(
      new Error(`Cannot read word vectors from ${file} as it must be a regular file: it is not`),
    );
  }
  return new TextVectors(await readVectorText(piecesOf(opened, file), { file, rows }), file);
}

/** The file piece by piece, unpacked. It is closed by whoever opened it. */
async function* piecesOf(opened: Deno.FsFile, file: string): AsyncGenerator<Uint8Array> {
  const plain = opened.readable;
  const pieces = /\.gz$/i.test(file) ? plain.pipeThrough(new DecompressionStream("gzip")) : plain;
  try {
    yield* pieces;
  } catch (error) {
    throw new SyntaxError(
      `Cannot read word vectors from ${file} as it must be ${
        /\.gz$/i.test(file) ? "a whole gzip file" : "readable"
      }: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
