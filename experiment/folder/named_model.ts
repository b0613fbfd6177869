/** What people name where a model is asked for: a run stands for its last checkpoint, RUN@best for its best. @module */
import { join } from "node:path";
import { oneLine } from "../../base/excerpt.ts";
import { didYouMean } from "../../base/names.ts";
import { asUsage } from "../../base/usage.ts";
import { kindOf, readIfThere } from "../../model/files/deno_folder.ts";
import { isHubId } from "../../model/hub/names.ts";
import { isShipped, SHIPPED } from "../../model/hub/shipped.ts";
import { listFolder } from "./files.ts";
import { loadTrainingState } from "./checkpoint.ts";
import { checkpointFolder, checkpointSteps, readSummary } from "./run_data.ts";

/** What a name stands for. */
export interface NamedModel {
  /** A name for `modelFolder`. */
  model: string;
  /** For people: which checkpoint of which run; absent where the name is that of a model. */
  line?: string;
}

/** A run, and which of its checkpoints. */
export interface NamedRun {
  folder: string;
  /** Absent: its last. */
  which?: "best";
}

/** The run that a name means, `@best` behind it or not; undefined where it means none. */
export async function namedRun(name: string): Promise<NamedRun | undefined> {
  const path = join(name, "."); // without a slash at its end
  if (await isRun(path)) return { folder: path };
  const folder = /^(.+)@best$/.exec(path)?.[1];
  return folder !== undefined && await isRun(folder) ? { folder, which: "best" } : undefined;
}

/**
 * The step of the best checkpoint of the run in `folder`.
 * @throws {Error} marked as usage: it evaluated nothing during training, or that checkpoint is gone
 */
export async function bestStep(folder: string): Promise<number> {
  const steps = await checkpointSteps(folder), last = steps.at(-1);
  const best = (await readSummary(folder))?.best ??
    (last === undefined
      ? undefined
      : (await loadTrainingState(checkpointFolder(folder, last))).evaluated?.best);
  const refuse = (why: string) =>
    asUsage(new Error(`Cannot take the best checkpoint of ${folder} as ${why}`));
  if (!best) {
    throw refuse(
      "a run knows it that evaluates during training: this one did not. " +
        `Train with --evaluate-every, or name the run alone for its last: ${folder}`,
    );
  }
  if (steps.includes(best.step)) return best.step;
  throw refuse(
    `it must be there: that of step ${best.step} is not. ` +
      `Steps: ${steps.join(", ") || "none"}`,
  );
}

/**
 * What `name` stands for: of a run folder its last checkpoint, of RUN@best its best; the name itself where it is "tiny" or "small", a
 * model's folder, or has the form of a model of the hub.
 * @throws {Error} marked as usage: nothing is there, or a file, or a folder that is neither
 */
export async function namedModel(name: string): Promise<NamedModel> {
  if (isShipped(name)) return { model: name };
  const path = join(name, "."); // without a slash at its end
  if (path.endsWith("@best")) {
    const run = await namedRun(name).catch(() => undefined); // the hub's cache alone may be read
    if (run?.which === "best") {
      const model = checkpointFolder(run.folder, await bestStep(run.folder));
      return { model, line: `${model}, the best checkpoint of ${run.folder}` };
    }
  }
  const kind = await kindOf(path).catch((error) => {
    if (isHubId(name)) return undefined; // the hub's cache alone may be read
    throw error;
  });
  if (kind === undefined) {
    if (!isRunPath(path) && isHubId(name)) return { model: name };
    throw await noSuchModel(name);
  }
  if (kind === "file") throw cannotUse(name, "it is a file");
  if (!await isRun(path)) {
    const names = await listFolder(path);
    if (names.includes("config.json") || names.includes("adapter_config.json")) {
      return { model: name };
    }
    throw cannotUse(name, await whatItIs(path, names));
  }
  const last = (await checkpointSteps(path)).at(-1);
  if (last === undefined) {
    throw cannotUse(
      name,
      `it is a run without a checkpoint yet. Continue it: deno task train --resume ${path}`,
    );
  }
  const model = checkpointFolder(path, last);
  return { model, line: `${model}, the last checkpoint of ${path}` };
}

/** Whether a path means runs of this project: runs/NAME has the form of a model of the hub. */
const isRunPath = (path: string): boolean => /^runs[/\\]/.test(path);

/** Whether the folder's config.json is that of a run: a model's names no task. */
export async function isRun(folder: string): Promise<boolean> {
  const text = await readIfThere(join(folder, "config.json"));
  try {
    const config = JSON.parse(text ?? "");
    return typeof config?.task === "string" && typeof config.config === "object";
  } catch {
    return false;
  }
}

/** The error for a name that nothing has. */
async function noSuchModel(name: string): Promise<Error> {
  const runs = (await listFolder("runs")).map((run) => join("runs", run));
  const near = didYouMean(join(name, "."), [...Object.keys(SHIPPED), ...runs]);
  return asUsage(
    new Error(
      `no run or model "${name}"${lookedIn(name)}.${near}  ` +
        "It takes a run folder, tiny, small, a model folder, or OWNER/NAME of the hub",
    ),
  );
}

/** Where a path that is not from the root was looked for: `deno task` runs in the project's folder. */
export const lookedIn = (path: string): string =>
  /^([/\\]|[A-Za-z]:)/.test(path) ? "" : ` in ${Deno.cwd()}`;

const cannotUse = (name: string, what: string): Error =>
  asUsage(
    new Error(
      `Cannot use "${name}" as a model as it must be a run, tiny, small, a folder with config.json, ` +
        `model.safetensors and tokenizer.json, or OWNER/NAME of the hub: ${what}`,
    ),
  );

/** What a folder is that is no model, with what to name in its place. */
async function whatItIs(path: string, names: readonly string[]): Promise<string> {
  if (names.length === 0) return "it is an empty folder";
  const steps = names.filter((name) => /^step-\d+$/.test(name));
  if (steps.length > 0) {
    return `it is the folder of a run's checkpoints. Name the run, or one of ${shown(steps)}`;
  }
  if (names.some((name) => /^checkpoint-\d+$/.test(name))) {
    return "it is a model whose pretraining has not ended. " +
      `Continue: deno task pretrain --resume --out ${path}`;
  }
  const runs: string[] = [];
  for (const name of names) {
    const folder = join(path, name); // a device, or what nobody may look at, is no run
    if (await isRun(folder).catch(() => false)) runs.push(folder);
  }
  if (runs.length > 0) return `it is a folder of runs. Name one: ${shown(runs)}`;
  const without = "it is a folder without config.json";
  return `${without}, which has ${shown(names)}`;
}

/** A few names. */
const shown = (names: readonly string[]): string =>
  names.slice(0, 5).map(oneLine).join(", ") + (names.length > 5 ? `, … (${names.length})` : "");
