/** What the terminal can show, and the forms that lines take there. @module */
import { styleText } from "node:util";
import { printable } from "./printable.ts";
import { shownWidth, wrap } from "./wrap.ts";

export { quoted } from "../base/shell.ts";
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
  /** Width to write for; a window may change. */
  readonly columns: number;
}

/** Why the console took something no more, the first time that it did not; absent while it takes all. */
export const consoleLosses: { out?: string; err?: string } = {};

const WAITS = 100; // of 5 ms, for a reader that is slow

/** Writes all of `text`, or notes why it cannot: a console that is gone ends no run. */
function put(name: keyof typeof consoleLosses, text: string): void {
  const stream = name === "out" ? Deno.stdout : Deno.stderr;
  const bytes = new TextEncoder().encode(text);
  let waits = 0;
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) continue;
      // Another process may have made the pipe that both have one that does not wait.
      if (error instanceof Deno.errors.WouldBlock && waits++ < WAITS) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        continue;
      }
      consoleLosses[name] ??= (error as Error).message;
      return;
    }
  }
}

/** Standard error as `cli-progress` takes a stream. */
export const barStream: { isTTY: boolean; readonly columns: number; write(text: string): boolean } =
  {
    isTTY: true,
    get columns() {
      return consoleColumns();
    },
    write(text) {
      put("err", text);
      return true;
    },
  };

/** Width of the terminal; 100 where there is none, or it is gone. */
function consoleColumns(): number {
  try {
    return Deno.consoleSize().columns || 100; // some terminals say 0
  } catch {
    return 100;
  }
}

/** The process's own terminal. What cannot be written is lost, and noted in `consoleLosses`. */
export function systemTerminal(): Terminal {
  const [out, err] = [Deno.stdout, Deno.stderr].map((stream) => stream.isTerminal());
  return {
    out: (line) => put("out", `${line}\n`),
    write: (text) => put("out", text),
    err: (line) => put("err", `${line}\n`),
    fancy: out && err && !Deno.noColor,
    get columns() {
      return out || err ? consoleColumns() : 100;
    },
  };
}

/** A colour of `node:util`'s palette. */
export type Style = Parameters<typeof styleText>[0];

/** `text` in a colour where the terminal is fancy; unchanged elsewhere. */
export function paint(terminal: Terminal, style: Style, text: string): string {
  return terminal.fancy ? styleText(style, text, { validateStream: false }) : text;
}

/** At most `width` characters, the last one a mark that something was cut; never half a character. */
export function clip(text: string, width: number, fancy = false): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return characters.slice(0, Math.max(0, width - 1)).join("") + cutMark(fancy);
}

/** What stands where a text was cut. */
export const cutMark = (fancy: boolean): string => fancy ? "…" : "~";

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

/** A device by name, with its kind, and whether it is the processor that plays it. */
export const deviceWords = (
  { name, kind, software, tuning }: {
    name: string;
    kind: string;
    software: boolean;
    tuning?: unknown;
  },
): string => `${name} (${kind}${software ? ", software" : ""}${tuning ? ", tuned" : ""})`;

/** A number for people: four significant digits, never "-0", "-" where not finite. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/**
 * Parts joined into lines of at most `columns` characters, each as full as it goes. A part stays whole, but
 * for one that is longer than a line: it is broken between words. A word is never broken, so that a path
 * can be copied.
 */
export function joinedLines(parts: readonly string[], between: string, columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const whole = last === undefined ? part : `${last}${between}${part}`;
    if (shownWidth(whole) <= columns && last !== undefined) lines[lines.length - 1] = whole;
    else lines.push(...(shownWidth(part) <= columns ? [part] : wrap(part, columns)));
  }
  return lines;
}

/**
 * Columns padded to their widest cell, two spaces between; the first is flush left, numbers right. A cell may
 * hold a name from outside: it is shown as `printable` has it, and as wide.
 */
export function columns(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(printable));
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...row[i]].length)));
  const numeric = widths.map((_, i) => rows.slice(1).every((row) => /^[-+\d.,e:%]*$/.test(row[i])));
  return rows.map((row) =>
    row.map((cell, i) => {
      const gap = " ".repeat(widths[i] - [...cell].length);
      return numeric[i] ? gap + cell : cell + gap;
    }).join("  ").trimEnd()
  );
}
