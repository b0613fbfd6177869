/** `fetch`: downloads a model of the hub, with progress. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { HubProgress } from "../../model/hub/settings.ts";
import type { Command, Parsed } from "../command.ts";
import { JSON_FLAG, QUIET } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { printable, type Terminal } from "../terminal.ts";

const MB = 1e6;

/** Downloads a model of the hub; gives where it is, and one line for people. */
export type FetchModel = (
  model: string,
  report: (progress: HubProgress) => void,
) => Promise<{ folder: string; commit: string; endpoint: string; line: string }>;

const fromHub: FetchModel = async (name, onProgress) => {
  const { fetchedLine, fetchModel } = await import("../../model/hub/hub.ts");
  const model = await fetchModel(name, { onProgress });
  const { folder, commit, endpoint } = model;
  return { folder, commit, endpoint, line: fetchedLine(model) };
};

const FLAGS = { json: JSON_FLAG, quiet: QUIET } as const satisfies OptionRows;

/** Runs the command; gives the exit code. Tests hand in another `fetchModel`. */
export async function fetchCommand(
  { positional: [name], flags }: Parsed<OptionValues<typeof FLAGS>>,
  terminal: Terminal,
  fetchModel: FetchModel = fromHub,
): Promise<number> {
  const { Bar } = await import("../progress.ts");
  const bar = new Bar(terminal, "  {bar} {value}/{total} MB");
  let current = "";
  try {
    const { line, ...model } = await fetchModel(name, ({ file, done, size }) => {
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
    terminal.out(flags.json ? jsonLine({ model: name, ...model }) : printable(line));
    return 0;
  } finally {
    bar.close();
  }
}

/** `deno task fetch` */
export const command: Command = {
  spec: {
    name: "fetch",
    doc: "Download a model of the Hugging Face hub into its cache, for train and generate",
    positional: [["<model>", "owner/name or owner/name@revision"]],
    flags: FLAGS,
    example: "deno task fetch openai-community/gpt2",
  },
  run: fetchCommand,
};
