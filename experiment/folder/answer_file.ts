/**
 * A file of answers that servers gave: it only grows, by a whole line at a time. A kill in the middle of a
 * line costs that line; what several processes add stands one after the other.
 * @module
 */
import { dirname } from "node:path";
import { ifThere, kindOf } from "../../model/files/deno_folder.ts";
import { makeFolders } from "../../model/files/disk.ts";
import type { AnswerLines } from "../../rewards/servers/answer_lines.ts";
import { requireWritable, writeError } from "./files.ts";

const MAX_LINE = 2 ** 20; // characters; an embedding of 8192 numbers has 44,000

/**
 * Opens the file, which is made where there is none.
 * @throws {WriteError} where it cannot be read and written
 */
export async function openAnswerFile(path: string): Promise<AnswerLines> {
  const isCut = await makeWritable(path).catch((error) => {
    throw writeError(path, error);
  });
  let before = isCut ? "\n" : ""; // so that what follows a cut line is no part of it
  return {
    read: () => linesOf(path),
    async append(line) {
      const text = `${before}${line}\n`;
      before = "";
      try {
        await Deno.writeTextFile(path, text, { append: true });
      } catch (error) {
        before = "\n"; // a part of it may be there
        throw writeError(path, error);
      }
    },
  };
}

/**
 * Refuses a file that surely cannot be opened so, and makes none.
 * @throws {WriteError} as `openAnswerFile`
 */
export async function checkAnswerFile(path: string): Promise<void> {
  requireWritable(path);
  if (await kindOf(path) !== "folder") return;
  throw writeError(path, new Error("it is a folder: name a file"));
}

/** Makes the file where there is none. Whether its last line is without its end. */
async function makeWritable(path: string): Promise<boolean> {
  await makeFolders(dirname(path));
  using file = await Deno.open(path, { read: true, append: true, create: true });
  const { size } = await file.stat();
  if (size === 0) return false;
  const last = new Uint8Array(1);
  await file.seek(size - 1, Deno.SeekMode.Start);
  await file.read(last);
  return last[0] !== 10;
}

/** The lines of a file, without what ends them. One that is too long is given as far as it was read. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await ifThere(Deno.open(path));
  if (!file) return;
  let rest = "";
  for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > MAX_LINE) {
      yield rest;
      rest = "";
    }
  }
  yield rest;
}
