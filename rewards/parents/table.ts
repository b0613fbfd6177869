/** A parent that looks its answers up. @module */
import { csvError, readCsv } from "../../base/csv.ts";
import { readBytes } from "../../base/bytes.ts";
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

/**
 * A parent from a CSV file with the columns `id` and `answer`, by path or address.
 * @throws Error where it cannot be had, SyntaxError where it is not such a table.
 */
export async function loadTableParent(file: string | URL): Promise<Parent> {
  const name = String(file);
  const bytes = await readBytes(file, `the parent's table from ${name}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError(`Cannot read the parent's table from ${name} as it must be UTF-8 text`);
  }
  return tableParent(parseAnswers(text, name), name);
}
