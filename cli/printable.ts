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

// What `paint` writes: bold, dim or a colour, text, and their end. One without its end would colour all that
// follows.
// deno-lint-ignore no-control-regex -- the escape character begins them
const PAINTED = /(\u001b\[(?:[12]|3[0-7])m)([^\u001b]*)(\u001b\[(?:22|39)m)/;

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
  partsOf(text, fancy, printableMessage);

const partsOf = (text: string, fancy: boolean, spelled: (part: string) => string): string =>
  text.split(PAINTED) // text, then begin, text, end and text for each
    .map((part, i) => i % 2 === 0 ? spelled(part) : fancy ? part : "")
    .join("");

/** As `harmless`, but it stays one line, whatever stands in it: a name with a line feed forges none. */
export const harmlessLine = (text: string, { fancy }: Pick<Terminal, "fancy">): string =>
  partsOf(text, fancy, (part) => printable(part.replace(COLOUR, "")));

/** A message in which each name is one word: its own lines stay lines, those in a name are none. */
export const withNames = (message: string, names: readonly string[]): string =>
  names.flatMap((name) => name.split("/")) // paths come back without a slash at their end
    .filter((part) => part.includes("\n"))
    .reduce((text, part) => text.replaceAll(part, printable(part)), message);

/** What is wrong with the folder `name`, on one line. */
export const firstLine = (error: unknown, name: string): string =>
  withNames((error as Error).message, [name]).split("\n")[0];

/** The terminal, shown nothing but what is harmless; `printed` says whether `out` was given a line. */
export function guarded(terminal: Terminal): Terminal & { printed: boolean } {
  const made = {
    printed: false,
    out: (line: string) => {
      made.printed = true;
      terminal.out(harmlessLine(line, terminal));
    },
    write: (text: string) => terminal.write(harmless(text, terminal)),
    err: (line: string) => terminal.err(harmlessLine(line, terminal)),
    fancy: terminal.fancy,
    get columns() {
      return terminal.columns; // a window may change
    },
  };
  return made;
}
