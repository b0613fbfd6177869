/** `fetch`: downloads a model of the hub, with progress. @module */
import type { Parsed } from "../parse.ts";
import type { Programs } from "../programs.ts";
import { Bar } from "../progress.ts";
import { printable, type Terminal } from "../terminal.ts";

const MB = 1e6;

/** Runs the command; gives the exit code. */
export async function fetchCommand(
  { positional, flags }: Parsed,
  programs: Pick<Programs, "fetch">,
  terminal: Terminal,
): Promise<number> {
  const fetchModel = await programs.fetch();
  const bar = new Bar(terminal, "  {bar} {value}/{total} MB");
  let current = "";
  try {
    const { line, ...model } = await fetchModel(positional[0], ({ file, done, size }) => {
      if (flags.quiet) return;
      if (file !== current) {
        current = file;
        bar.close();
        bar.say(`${printable(file)}, ${(size / MB).toFixed(1)} MB`);
        if (size > MB) bar.open(Math.ceil(size / MB), Math.floor(done / MB));
      }
      bar.update(Math.floor(done / MB), "");
    });
    bar.close();
    terminal.out(flags.json ? JSON.stringify({ model: positional[0], ...model }) : printable(line));
    return 0;
  } finally {
    bar.close();
  }
}
