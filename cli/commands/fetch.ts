/** `fetch`: downloads a model or a data set of the hub, with progress. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { HubProgress } from "../../model/hub/settings.ts";
import { type Command, type Parsed, UsageError } from "../command.ts";
import { JSON_FLAG, QUIET } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { printable, type Terminal } from "../terminal.ts";

const MB = 1e6;

/** What is downloaded beside the name. */
export interface FetchWhat {
  dataset: boolean;
  /** Of a data set. */
  files?: string;
}

/** Where it is, one line for people, and what else `--json` says. */
export interface Fetched {
  folder: string;
  commit: string;
  endpoint: string;
  line: string;
  more?: Readonly<Record<string, unknown>>;
}

/** Downloads a model or data set of the hub. */
export type FetchHub = (
  name: string,
  report: (progress: HubProgress) => void,
  step: (line: string) => void,
  what: FetchWhat,
) => Promise<Fetched>;

const fromHub: FetchHub = async (name, onProgress, onStep, { dataset, files }) => {
  if (dataset) {
    const { datasetLine, fetchDataset } = await import("../../model/hub/dataset.ts");
    const fetched = await fetchDataset(name, { which: files, onProgress, onStep });
    const { folder, commit, endpoint, config, data, name: use } = fetched;
    const more = { data: use, ...(config !== undefined && { config }), files: data };
    return { folder, commit, endpoint, line: datasetLine(fetched), more };
  }
  const { fetchedLine, fetchModel } = await import("../../model/hub/hub.ts");
  const model = await fetchModel(name, { onProgress, onStep });
  const { folder, commit, endpoint } = model;
  return { folder, commit, endpoint, line: fetchedLine(model) };
};

// deno-fmt-ignore
const FLAGS = {
  dataset: { kind: "boolean", default: false, doc: "The name is that of a data set: its parquet, JSONL, JSON or CSV for training and test", group: "What to fetch" },
  files: { kind: "text", unit: "a config, a file, a folder, or a pattern such as 'data/train-*'", otherwise: "the config that its card has as default, else main, else all", doc: "Which files of a data set", group: "What to fetch" },
  json: JSON_FLAG,
  quiet: QUIET,
} as const satisfies OptionRows;

/** Runs the command; gives the exit code. Tests hand in another `fetchHub`. */
export async function fetchCommand(
  { positional: [name], flags }: Parsed<OptionValues<typeof FLAGS>>,
  terminal: Terminal,
  fetchHub: FetchHub = fromHub,
): Promise<number> {
  const { dataset, files } = flags;
  if (files !== undefined && !dataset) {
    throw new UsageError("--files is of a data set: add --dataset, or leave it out");
  }
  const { Bar } = await import("../progress.ts");
  const bar = new Bar(terminal, "  {bar} {value}/{total} MB");
  let current = "";
  try {
    const { line, more, ...where } = await fetchHub(name, ({ file, done, size }) => {
      if (flags.quiet) return;
      if (file !== current) {
        current = file;
        bar.close();
        bar.say(`${printable(file)}, ${(size / MB).toFixed(1)} MB`);
        if (size > MB) bar.open(Math.ceil(size / MB), Math.floor(done / MB));
      }
      bar.update(Math.floor(done / MB), "");
    }, (line) => {
      if (!flags.quiet) bar.say(printable(line));
    }, { dataset, files });
    bar.close();
    const facts = { [dataset ? "dataset" : "model"]: name, ...where, ...more };
    terminal.out(flags.json ? jsonLine(facts) : printable(line));
    return 0;
  } catch (error) {
    const isWrong = error instanceof Error && (error as { code?: unknown }).code === "name";
    throw isWrong ? new UsageError(error.message) : error; // what was typed, not what happened
  } finally {
    bar.close();
  }
}

/** `deno task fetch` */
export const command: Command = {
  spec: {
    name: "fetch",
    doc:
      "Download a model or data set of the Hugging Face hub into its cache, for train and generate",
    positional: [["<name>", "owner/name or owner/name@revision"]],
    flags: FLAGS,
    example: "deno task fetch openai-community/gpt2",
  },
  run: fetchCommand,
};
