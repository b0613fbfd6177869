/**
 * The text of a `tokenizer.json`, or one made of the older pair `vocab.json` and `merges.txt`, which
 * DialoGPT and other early GPT-2 folders hold in its place.
 * @module
 */
import { z } from "zod";
import { byteLevelJson } from "../tokenizer/bpe.ts";
import { baseOfAdapter } from "./lora_config.ts";

const ids = z.record(z.string(), z.int().nonnegative());

/**
 * Text of the `tokenizer.json` at `path`; where it is missing, of one with the same ids made of
 * `vocab.json`, `merges.txt` and (if there) `added_tokens.json` beside it; in an adapter's folder that
 * has neither, the one of its base.
 * @throws {Deno.errors.NotFound} when none is there
 * @throws {TypeError} when one of the three is not what its name says
 */
export async function tokenizerText(path: string): Promise<string> {
  const text = await read(path);
  if (text !== undefined) return text;
  const folder = path.replace(/[^/\\]*$/, "");
  const [vocab, merges] = [await read(`${folder}vocab.json`), await read(`${folder}merges.txt`)];
  if (vocab === undefined || merges === undefined) {
    const base = await baseOfAdapter(folder === "" ? "." : folder.replace(/[/\\]$/, ""));
    if (base !== undefined) return tokenizerText(`${base}/tokenizer.json`);
    throw new Deno.errors.NotFound(
      `Cannot load a tokenizer as there is no ${path}, nor vocab.json and merges.txt beside it; ` +
        `in Python, AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes one`,
    );
  }
  const added = await read(`${folder}added_tokens.json`);
  return JSON.stringify(byteLevelJson({
    vocab: idsOf(vocab, `${folder}vocab.json`),
    merges: mergesOf(merges, `${folder}merges.txt`),
    added: added === undefined ? {} : idsOf(added, `${folder}added_tokens.json`),
  }));
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function idsOf(text: string, from: string): Record<string, number> {
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot use ${from} as it must be JSON of tokens and their ids: ${reason}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail((error as Error).message);
  }
  const parsed = ids.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  return fail(`${path.map((key) => JSON.stringify(key)).join(".") || "the file"}: ${message}`);
}

/** One merge a line, its halves apart by one space; the first line may state a version. */
function mergesOf(text: string, from: string): [string, string][] {
  const merges: [string, string][] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === "" || (i === 0 && line.startsWith("#version"))) continue;
    const [left, right, more] = line.split(" ");
    if (!left || !right || more !== undefined) {
      throw new TypeError(
        `Cannot use ${from} as each line must hold two tokens: line ${i + 1} is ${
          JSON.stringify(line)
        }`,
      );
    }
    merges.push([left, right]);
  }
  return merges;
}
