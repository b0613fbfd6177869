/**
 * Text from outside (a model's words, names of files and models, a run folder of somebody else's, what
 * was typed) on its way to a terminal or a page: no character of it may act, and none may hide. `main`
 * puts `harmless` before all that commands print; pages use `printable`, JSON `jsonLine`.
 * @module
 */
import { spelledOut, withoutUnseen } from "../web/view/unseen.ts";
import type { Terminal } from "./terminal.ts";

/** `text` as a terminal may show it: see `spelledOut`. */
export const printable = (text: string): string => spelledOut(text);

/** As `printable`, but lines stay lines. */
export const printableLines = (text: string): string => text.split("\n").map(printable).join("\n");

/** One line of JSON that a terminal may show: unsafe characters are written as JSON's own escapes. */
export const jsonLine = (value: unknown): string =>
  withoutUnseen(
    JSON.stringify(value),
    (c) => c.split("").map((u) => `\\u${u.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );

// What `paint` writes: bold, dim, a colour, and their ends.
// deno-lint-ignore no-control-regex -- the escape character begins them
const PALETTE = /(\u001b\[(?:[12]|22|3[0-7]|39)m)/;

// Any colour, as messages of Deno's own have them: no text is lost with it.
// deno-lint-ignore no-control-regex -- the escape character begins them
const COLOUR = /\u001b\[[\d;:]*m/g;

/** A message of Deno's own in no colour, the rest as `printableLines` has it. */
export const printableMessage = (text: string): string => printableLines(text.replace(COLOUR, ""));

/**
 * As `printableMessage`, but the colours of `paint` stay where the terminal has them: the last thing before
 * a stream.
 */
export const harmless = (text: string, { fancy }: Pick<Terminal, "fancy">): string =>
  text.split(PALETTE)
    .map((part, i) => i % 2 === 0 ? printableMessage(part) : fancy ? part : "")
    .join("");

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
