/** Text from outside as Markdown that shows it and does nothing else. @module */
import { clip, printable } from "../terminal.ts";

const NAMED: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
// Signs of CommonMark, GitHub's tables and autolinks, HTML and math. An underscore inside a word and a
// colon that no slash follows mean nothing.
const ACTIVE = /[&<>`|\\*~$#@^[\]{}!]|(?<!\w)_|_(?!\w)|:(?=\/)|(?<=www)\./gi;

/**
 * `text` inside a line: control and direction characters spelled out, and every sign that Markdown
 * could act on as a character reference, which never has a structural meaning (CommonMark 0.31,
 * section 2.5). Not for the beginning of a line.
 */
export const markdown = (text: string): string =>
  printable(text).replace(ACTIVE, (c) => NAMED[c] ?? `&#${c.codePointAt(0)};`).trim();

/** A cell of at most 120 characters; "(nothing)" for an empty text. */
export const cell = (text: string): string => markdown(clip(text, 120, true)) || "(nothing)";

/** A name or path as code where its letters are harmless, else as text. */
export const code = (text: string): string =>
  /^[\w./:@+,-]+$/.test(text) ? `\`${text}\`` : markdown(text);

/** A block of code: the fence is longer than any that the text has. */
export function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = "`".repeat(longest + 1);
  return `${marks}${language}\n${text.split("\n").map(printable).join("\n")}\n${marks}`;
}

/** A table; cells are Markdown already. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head, ...rest] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rest.map(line)].join("\n");
}

/** A YAML scalar: every JSON string is one (YAML 1.2, section 1.3). */
export const scalar = (text: string): string => JSON.stringify(printable(text));
