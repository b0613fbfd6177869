/** `export`: writes a run's policy, or a model, as a folder for transformers. @module */
import { basename, isAbsolute, join } from "node:path";
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { ExportFacts, ExportRequest } from "../../experiment/export.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import type { Command, Parsed } from "../command.ts";
import type { Subject } from "../export/subject.ts";
import { JSON_FLAG, ownFolder } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { columns, type Terminal } from "../terminal.ts";

/** Only below this folder may the task write. */
const PLACE = "exports";

/** Writes a model as a folder for transformers. */
export type ExportModel = (request: ExportRequest) => Promise<ExportFacts>;

const toFolder: ExportModel = async (request) =>
  (await import("../../experiment/export.ts")).exportModel(request);

const FLAGS = {
  out: {
    kind: "text",
    otherwise: "exports/NAME",
    ...ownFolder("exports"),
    unit: "folder",
    doc: "Folder to create",
    group: "Output",
  },
  dtype: {
    kind: "choice",
    choices: ["f32", "f16"],
    default: "f32",
    doc: "Element type of the weights; f16 halves the file and rounds to 11 bits",
    group: "What to export",
  },
  checkpoint: {
    kind: "integer",
    otherwise: "the run's last",
    unit: "step",
    min: 0,
    max: 1_000_000,
    doc: "Checkpoint of the run to take",
    group: "What to export",
  },
  "value-head": {
    kind: "boolean",
    default: false,
    doc: "Keep the value head, under TRL's names; transformers alone says that it does not use it",
    group: "What to export",
  },
  force: {
    kind: "boolean",
    default: false,
    doc: "Replace a folder that export wrote before",
    group: "Output",
  },
  json: JSON_FLAG,
} as const satisfies OptionRows;

type ExportFlags = OptionValues<typeof FLAGS>;

/** Runs the command; gives the exit code. Tests hand in another `exportModel`. */
export async function exportCommand(
  { positional: [asked], flags }: Parsed<ExportFlags>,
  terminal: Terminal,
  exportModel: ExportModel = toFolder,
): Promise<number> {
  const { findSubject } = await import("../export/subject.ts");
  const subject = await findSubject(asked, flags.checkpoint);
  const out = join(flags.out ?? join(PLACE, subject.name), "."); // without a slash at its end
  await (await import("../../experiment/folder/links.ts")).refuseLinks(out, PLACE);
  const facts = await write(out, subject, flags, exportModel);
  const { source, ...more } = facts;
  const { model, run } = subject;
  const from = run ? { run: run.data.folder, step: run.step } : { model, source };
  if (flags.json) terminal.out(jsonLine({ folder: out, weights: out, ...from, ...more }));
  else {
    const size = (await Deno.stat(join(out, "model.safetensors"))).size / 1e6;
    const weights = `${more.parameters.toLocaleString("en-US")} in ${more.dtype}, ` +
      `${size.toFixed(1)} MB${more.tokenizer ? "" : "; the model has no tokenizer"}`;
    const rows = [
      ["from", run ? `${run.data.folder}, step ${run.step}` : model],
      ["weights", weights],
      ["folder", out],
      ["card", join(out, "README.md")],
    ];
    for (const line of columns(rows)) terminal.out(line);
  }
  return 0;
}

/** Writes the folder whole, with card and mark, or not at all. */
async function write(
  out: string,
  { model, run }: Subject,
  flags: ExportFlags,
  exportModel: ExportModel,
): Promise<ExportFacts> {
  const { placeFolder, writeError } = await import("../../experiment/folder/files.ts");
  const { mayWrite, writeMark } = await import("../export/mark.ts");
  const { modelCard } = await import("../report/card.ts");
  const folder = isAbsolute(out) ? basename(out) : out;
  let facts: ExportFacts | undefined;
  try {
    await mayWrite(out, flags.force);
    await placeFolder(out, async (to) => {
      facts = await exportModel({
        model,
        to,
        dtype: flags.dtype === "f16" ? "F16" : "F32",
        valueHead: flags["value-head"],
        sampling: run && samplingOf(run.data),
        card: (written) => modelCard({ folder, run }, written),
      });
      await writeMark(to, facts, run);
    });
  } catch (error) {
    throw isOf(out, error) ? writeError(out, error, PLACE) : error;
  }
  return facts!;
}

/** How the run drew its completions. */
function samplingOf({ config: { config } }: RunData) {
  const { maxNewTokens, temperature } = config;
  const known = typeof maxNewTokens === "number" && typeof temperature === "number";
  return known ? { maxNewTokens, temperature } : undefined;
}

/** Whether writing `out` failed; what reading a model says is about another path. */
function isOf(out: string, error: unknown): boolean {
  if (error instanceof Deno.errors.NotCapable) return /write access/.test(error.message);
  const { code, message } = error as { code?: string; message: string };
  const ofDisk = code !== undefined && /^E[A-Z0-9]+$/.test(code);
  return ofDisk && (message.includes(out) || !message.includes("'"));
}

/** `deno task export` */
export const command: Command = {
  spec: {
    name: "export",
    doc: "Write a run's policy, or a model, as a folder for transformers, with a model card",
    positional: [[
      "<run|model>",
      "A run folder, tiny, small, a model folder, or a fetched OWNER/NAME",
    ]],
    flags: FLAGS,
    example: "deno task export runs/RUN --dtype f16",
  },
  run: exportCommand,
};
