/** What the terminal can show, and the forms that lines take there. @module */
import { styleText } from "node:util";

export { printable, printableLines } from "./printable.ts";

/** Where a command prints. Tests hand in their own. */
export interface Terminal {
  /** Results: standard output, one line. */
  out(line: string): void;
  /** Results that come in pieces: standard output, as they are. */
  write(text: string): void;
  /** Everything said meanwhile, and errors: standard error, one line. */
  err(line: string): void;
  /** Colours, bars and signs beyond ASCII; false when NO_COLOR is set or nobody watches. */
  readonly fancy: boolean;
  readonly columns: number;
}

/** The process's own terminal. */
export function systemTerminal(): Terminal {
  const fancy = Deno.stderr.isTerminal() && Deno.stdout.isTerminal() && !Deno.noColor;
  return {
    out: (line) => console.log(line),
    write: (text) => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    },
    err: (line) => console.error(line),
    fancy,
    columns: fancy ? Deno.consoleSize().columns : 100,
  };
}

/** A colour of `node:util`'s palette. */
export type Style = Parameters<typeof styleText>[0];

/** `text` in a colour where the terminal is fancy; unchanged elsewhere. */
export function paint(terminal: Terminal, style: Style, text: string): string {
  return terminal.fancy ? styleText(style, text, { validateStream: false }) : text;
}

/** A word as a shell takes it. */
export const quoted = (word: string): string =>
  /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** At most `width` characters, the last one a mark that something was cut; never half a character. */
export function clip(text: string, width: number, fancy = false): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  const mark = fancy ? "…" : "~";
  return characters.slice(0, Math.max(0, width - 1)).join("") + mark;
}

/** As `clip`, but cuts the beginning: prompts of a task begin alike and differ at their end. */
export function clipStart(text: string, width: number, fancy = false): string {
  const reversed = (whole: string) => [...whole].reverse().join("");
  return reversed(clip(reversed(text), width, fancy));
}

/** Seconds as "3:05" or "1:02:03"; "-" where not finite. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  return minutes < 60
    ? `${minutes}:${two(s % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

/** A number for people: four significant digits, never "-0", "-" where not finite. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** Columns padded to their widest cell, two spaces between; the first is flush left, numbers right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...row[i]].length)));
  const numeric = widths.map((_, i) => rows.slice(1).every((row) => /^[-+\d.,e:%]*$/.test(row[i])));
  return rows.map((row) =>
    row.map((cell, i) => {
      const gap = " ".repeat(widths[i] - [...cell].length);
      return numeric[i] ? gap + cell : cell + gap;
    }).join("  ").trimEnd()
  );
}
