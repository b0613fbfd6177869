/** The command line in this process, and a terminal that remembers. @module */
import { main } from "../../cli/main.ts";
import type { Terminal } from "../../cli/terminal.ts";

/** What was printed. */
export interface Printed {
  code: number;
  /** Standard output and standard error, one text each. */
  out: string;
  err: string;
}

/** Runs a command line, given as one text without quotes. */
export const run = (line: string, columns = 100): Promise<Printed> =>
  runWords(line.split(" "), columns);

/** Runs a command line, given word by word. */
export async function runWords(words: readonly string[], columns = 100): Promise<Printed> {
  const said: Record<"out" | "err", string> = { out: "", err: "" };
  const terminal: Terminal = {
    out: (line) => said.out += `${line}\n`,
    write: (text) => said.out += text,
    err: (line) => said.err += `${line}\n`,
    fancy: false,
    columns,
  };
  return { code: await main(words, { terminal }), ...said };
}
