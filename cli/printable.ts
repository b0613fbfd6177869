/**
 * Text from outside (a model's words, names of files and models, a run folder of somebody else's, what
 * was typed) on its way to a terminal or a page: no character of it may act, and none may hide. `main`
 * puts `harmless` before all that commands print; pages use `printable`, JSON `jsonLine`.
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "./terminal.ts";

// Controls of C0 and C1, separators of lines and paragraphs, marks of annotations, and what Unicode 17
// draws as nothing (Default_Ignorable_Code_Point): zero-width and direction controls, the byte-order
// mark, fillers, tags (U+E0000 to U+E007F) and variation selectors, but for the one that emoji have.
const UNSAFE = /[[\p{Cc}\p{Zl}\p{Zp}\p{DI}\ufff9-\ufffb]--[\ufe0f]]/gv;
const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * `text` with terminal escape sequences removed and every control, direction or invisible character
 * spelled out (`\n`, `\u{202e}`), so that it can neither move the cursor, reorder a line, nor hide.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text.toWellFormed()).replace(
    UNSAFE,
    (c) => SHORT[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
}

/** As `printable`, but lines stay lines. */
export const printableLines = (text: string): string => text.split("\n").map(printable).join("\n");

/** One line of JSON that a terminal may show: unsafe characters are written as JSON's own escapes. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(
    UNSAFE,
    (c) => c.split("").map((u) => `\\u${u.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );

// What `paint` writes: bold, dim, a colour, and their ends.
// deno-lint-ignore no-control-regex -- the escape character begins them
const PALETTE = /(\u001b\[(?:[12]|22|3[0-7]|39)m)/;

/** As `printableLines`, but colours stay where the terminal has them: the last thing before a stream. */
export const harmless = (text: string, { fancy }: Pick<Terminal, "fancy">): string =>
  fancy
    ? text.split(PALETTE).map((part, i) => i % 2 === 1 ? part : printableLines(part)).join("")
    : printableLines(text);

/** The terminal, shown nothing but what is harmless; `printed` says whether `out` was given a line. */
export function guarded(terminal: Terminal): Terminal & { printed: boolean } {
  const made = {
    printed: false,
    out: (line: string) => {
      made.printed = true;
      terminal.out(harmless(line, terminal));
    },
    write: (text: string) => terminal.write(harmless(text, terminal)),
    err: (line: string) => terminal.err(harmless(line, terminal)),
    fancy: terminal.fancy,
    get columns() {
      return terminal.columns; // a window may change
    },
  };
  return made;
}
