/**
 * Writes docs/details.md, the details of an implementation that decide its results, each with the line that
 * has it and the test that holds it: `deno task docs`. A line is named by its text, so that the
 * page's links are right as long as the line is there.
 * @module
 */
import { type Detail, DETAILS } from "./details/list.ts";

/** Reads a file of the repository by its path from the root. */
export type ReadText = (path: string) => Promise<string>;

const ROOT = new URL("../", import.meta.url);
const read: ReadText = (path) => Deno.readTextFile(new URL(path, ROOT));

/** The number of the one line of `text` that has `part`. @throws {Error} where none has, or several */
export function lineOf(text: string, part: string, path: string): number {
  const found = text.split("\n").flatMap((line, i) => line.includes(part) ? [i + 1] : []);
  if (found.length === 1) return found[0];
  throw new Error(
    `Cannot link to ${path} as one line has ${JSON.stringify(part)}: there are ${found.length}`,
  );
}

/** @throws {Error} where the file has no test of that name */
async function checkTest({ test: [path, name] }: Detail, read: ReadText): Promise<void> {
  if ((await read(path)).includes(JSON.stringify(name))) return;
  throw new Error(`Cannot name the test "${name}" as ${path} has none of that name`);
}

/** The page's text. */
export async function detailsPage(
  details: readonly Detail[] = DETAILS,
  text: ReadText = read,
): Promise<string> {
  const parts = [
    "# Details that decide results",
    "What a paper leaves out, or says in half a sentence, and two programs of one name do differently. Each " +
    "has the line that decides it here and the test that fails without it. Made by `deno task docs`; a test " +
    "compares them.",
  ];
  let heading = "";
  for (const [i, detail] of details.entries()) {
    const { about, title, why, code: [path, line], test: [file, name] } = detail;
    if (about !== heading) parts.push(`## ${heading = about}`);
    await checkTest(detail, text);
    const at = lineOf(await text(path), line, path);
    parts.push(
      `${
        i + 1
      }. **${title}.** ${why}\n   [\`${path}:${at}\`](../${path}#L${at}); "${name}" in \`${file}\`.`,
    );
  }
  return parts.join("\n\n") + "\n";
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("docs/details.md", ROOT), await detailsPage());
}
