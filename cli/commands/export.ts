/** `export`: writes a run's policy, or a model, as a folder for transformers. @module */
import about from "../../deno.json" with { type: "json" };
import type { ExportFacts, ExportRequest } from "../../experiment/export.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import { isHubId } from "../../model/hub/names.ts";
import { modelCard } from "../report/card.ts";
import { listFolder, placeFolder, writeError } from "../../experiment/folder/files.ts";
import type { Command, Flags, Parsed } from "../command.ts";
import { JSON_FLAG } from "../flags.ts";
import { readIfThere } from "../../model/files/deno_folder.ts";
import { checkpointSteps, readRun, type RunData } from "../../experiment/folder/run_data.ts";
import { columns, printable, type Terminal } from "../terminal.ts";
import { didYouMean, UsageError } from "../values.ts";

/** Only below this folder may the task write. */
const PLACE = "exports";
/** Says that export made a folder, and of which files. */
const MARK = "plainrl.json";

/** What is exported. */
interface Subject {
  /** For `exportModel`. */
  model: string;
  /** Name for a folder. */
  name: string;
  run?: { data: RunData; step: number };
}

/** Writes a model as a folder for transformers. */
export type ExportModel = (request: ExportRequest) => Promise<ExportFacts>;

const toFolder: ExportModel = async (request) =>
  (await import("../../experiment/export.ts")).exportModel(request);

/** Runs the command; gives the exit code. Tests hand in another `exportModel`. */
export async function exportCommand(
  { positional, flags }: Parsed,
  terminal: Terminal,
  exportModel: ExportModel = toFolder,
): Promise<number> {
  const { model, name, run } = await find(positional[0], flags.checkpoint as number | undefined);
  const out = (flags.out as string | undefined ?? `${PLACE}/${name}`).replace(/(?<=.)\/+$/, "");
  const isAbsolute = /^(?:\/|[A-Za-z]:)/.test(out);
  const folder = isAbsolute ? out.replace(/^.*[/\\]/, "") : out;
  let facts: ExportFacts | undefined;
  const write = async (to: string) => {
    facts = await exportModel({
      model,
      to,
      dtype: flags.dtype === "f16" ? "F16" : "F32",
      valueHead: flags["value-head"] === true,
      sampling: run && samplingOf(run.data),
      card: (written) => modelCard({ folder, run }, written),
    });
    const files = [...await listFolder(to), MARK];
    const from = run && {
      run: lastPart(run.data.folder),
      step: run.step,
      base: run.data.config.source && published(run.data.config.source),
    };
    const source = published(facts.source);
    const mark = { plainrl: about.version, ...from, ...facts, source, files };
    await Deno.writeTextFile(`${to}/${MARK}`, JSON.stringify(mark, null, 2) + "\n");
  };
  try {
    await mayWrite(out, flags.force === true);
    await placeFolder(out, write);
  } catch (error) {
    throw isOf(out, error) ? writeError(out, error, PLACE) : error;
  }
  const { source, ...more } = facts!;
  const from = run ? { run: run.data.folder, step: run.step } : { model, source };
  if (flags.json) terminal.out(JSON.stringify({ folder: out, ...from, ...more }));
  else {
    const size = (await Deno.stat(`${out}/model.safetensors`)).size / 1e6;
    const weights = `${more.parameters.toLocaleString("en-US")} in ${more.dtype}, ` +
      `${size.toFixed(1)} MB${more.tokenizer ? "" : "; the model has no tokenizer"}`;
    const rows = [
      ["from", run ? `${run.data.folder}, step ${run.step}` : model],
      ["weights", weights],
      ["folder", out],
      ["card", `${out}/README.md`],
    ];
    for (const line of columns(rows)) terminal.out(printable(line));
  }
  return 0;
}

/** A run, a checkpoint of one, or a model by name. */
async function find(asked: string, checkpoint: number | undefined): Promise<Subject> {
  const path = asked.replace(/(?<=.)\/+$/, "");
  const within = /^(.+)\/checkpoints\/step-(\d+)$/.exec(path);
  if (within && await isRun(within[1])) {
    const step = Number(within[2]);
    if (checkpoint === undefined || checkpoint === step) return await ofRun(within[1], step);
    throw new UsageError(`Cannot export step ${checkpoint} of ${path} as it is step ${step}`);
  }
  if (await isRun(path)) return await ofRun(path, checkpoint);
  const found = await Deno.stat(path).catch(() => undefined);
  // runs/NAME has the form of a model of the hub.
  if (!found && path !== "tiny" && (path.startsWith("runs/") || !isHubId(path))) {
    const runs = (await listFolder("runs")).map((name) => `runs/${name}`);
    throw new UsageError(
      `no run or model "${asked}".${didYouMean(path, runs)}  ` +
        "It takes a run folder, tiny, a model folder, or OWNER/NAME of the hub",
    );
  }
  if (checkpoint !== undefined) {
    throw new UsageError(`Cannot choose a checkpoint of ${asked} as it is a model and no run`);
  }
  const name = found ? lastPart(await Deno.realPath(path)) : path.replaceAll("/", "--");
  return { model: asked, name };
}

/** Whether the folder's config.json is that of a run: a model's names no task. */
async function isRun(folder: string): Promise<boolean> {
  const text = await readIfThere(`${folder}/config.json`);
  try {
    const config = JSON.parse(text ?? "");
    return typeof config?.task === "string" && typeof config.config === "object";
  } catch {
    return false;
  }
}

async function ofRun(folder: string, asked: number | undefined): Promise<Subject> {
  const data = await readRun(folder);
  const steps = await checkpointSteps(folder);
  const step = asked ?? steps.at(-1);
  if (step === undefined) {
    throw new UsageError(`Cannot export ${folder} as it has no checkpoint yet`);
  }
  if (!steps.includes(step)) {
    throw new UsageError(
      `no checkpoint of step ${step} in ${folder}.  Steps: ${steps.join(", ") || "none"}`,
    );
  }
  const name = lastPart(await Deno.realPath(folder)) + (asked === undefined ? "" : `-step-${step}`);
  return { model: `${folder}/checkpoints/step-${step}`, name, run: { data, step } };
}

/** How the run drew its completions. */
function samplingOf({ config: { config } }: RunData) {
  const { maxNewTokens, temperature } = config;
  const known = typeof maxNewTokens === "number" && typeof temperature === "number";
  return known ? { maxNewTokens, temperature } : undefined;
}

/** @throws {Error} when there is something at `out` that would be lost */
async function mayWrite(out: string, force: boolean): Promise<void> {
  const cannot = (reason: string): Error => new Error(`Cannot write ${out} as ${reason}`);
  const found = await Deno.stat(out).catch(() => undefined);
  if (found && !found.isDirectory) {
    throw cannot("there is a file of that name. Choose another folder with --out");
  }
  const names = await listFolder(out);
  if (names.length === 0) return;
  const files = filesOf(await readIfThere(`${out}/${MARK}`));
  if (!files) throw cannot("it is not empty. Choose another folder with --out");
  const strange = names.filter((name) => !files.includes(name));
  if (strange.length > 0) {
    throw cannot(
      `it has files that export did not write: ${strange.slice(0, 5).join(", ")}. ` +
        "Move them away, or choose another folder with --out",
    );
  }
  if (force) return;
  throw cannot("it holds an export already. Replace it with --force, or choose another with --out");
}

/** The files that an export's mark names; undefined where it is none. */
function filesOf(text: string | undefined): string[] | undefined {
  try {
    const { plainrl, files } = JSON.parse(text ?? "");
    return typeof plainrl === "string" && Array.isArray(files) ? files.map(String) : undefined;
  } catch {
    return undefined;
  }
}

const lastPart = (path: string): string => path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, "");

/** Without the folders of somebody's machine. */
const published = (source: ModelSource): ModelSource => ({
  ...source,
  ...(source.kind === "folder" && { path: lastPart(source.path) }),
  ...(source.base && { base: published(source.base) }),
});

/** Whether writing `out` failed; what reading a model says is about another path. */
function isOf(out: string, error: unknown): boolean {
  if (error instanceof Deno.errors.NotCapable) return /write access/.test(error.message);
  const { code, message } = error as { code?: string; message: string };
  return code !== undefined && (message.includes(out) || !message.includes("'"));
}

const FLAGS = {
  out: {
    kind: "text",
    otherwise: "exports/NAME",
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
} as const satisfies Flags;

/** `deno task export` */
export const command: Command = {
  spec: {
    name: "export",
    doc: "Write a run's policy, or a model, as a folder for transformers, with a model card",
    positional: [["<run|model>", "A run folder, tiny, a model folder, or a fetched OWNER/NAME"]],
    flags: FLAGS,
    example: "deno task export runs/colors-ppo-1-2026-11-22-021500 --dtype f16",
  },
  run: exportCommand,
};
