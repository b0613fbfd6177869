/** A parent that looks its answers up. @module */
import { csvError, readCsv } from "../../base/csv.ts";
import type { Example, Parent } from "../reward.ts";

/** Answers by `example.id`; null where the table has none. */
export function tableParent(answers: ReadonlyMap<string, string>, name = "table"): Parent {
  return {
    name,
    answer(examples: readonly Example[]): Promise<(string | null)[]> {
      return Promise.resolve(examples.map(({ id }) => answers.get(id) ?? null));
    },
  };
}

/**
 * Reads CSV with the columns `id` and `answer`. `file` is the name that errors use.
 * @throws SyntaxError, with file and line, for broken CSV, an id twice, an empty id or answer.
 */
export function parseAnswers(text: string, file: string): Map<string, string> {
  const answers = new Map<string, string>();
  for (const { line, values } of readCsv(text, { file, columns: ["id", "answer"] })) {
    const { id, answer } = values;
    if (id === "" || answer === "") {
      throw csvError(
        file,
        line,
        `id and answer must not be empty: they are "${id}" and "${answer}"`,
      );
    }
    if (answers.has(id)) throw csvError(file, line, `each id may occur once: "${id}" comes again`);
    answers.set(id, answer);
  }
  return answers;
}

/** A parent from a CSV file with the columns `id` and `answer`. */
export async function loadTableParent(file: string): Promise<Parent> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot read the parent's table from ${file}: there is no such file`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError(`Cannot read the parent's table from ${file} as it must be UTF-8 text`);
  }
  return tableParent(parseAnswers(text, file), file);
}
