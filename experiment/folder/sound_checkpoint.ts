/** Whether a checkpoint is the one that its run saved: asked before a run goes on from it, and before its weights are used. @module */
import { join } from "node:path";
import { kindOf, readIfThere } from "../../model/files/deno_folder.ts";
import { openSafetensors } from "../../model/files/safetensors.ts";
import { CheckpointError, loadTrainingState } from "./checkpoint.ts";
import { listFolder } from "./files.ts";
import { type RunEvent, settingsAt } from "./history.ts";
import { differences } from "./identity.ts";
import { faultOfFiles, MANIFEST, type Manifest, readManifest } from "./manifest.ts";
import { checkpointFolder, checkpointSteps, type RunConfig } from "./run_data.ts";

/** A run, and which of its checkpoints. */
export interface CheckpointOfRun {
  step: number;
  /** As `config.json` has it. */
  config: RunConfig;
  history: readonly RunEvent[];
}

/** Which files of a checkpoint are read: what a model is, or all that a run goes on from. */
export type Use = "model" | "run";

/** Files that only a run which goes on reads. Who uses the weights alone may have removed them. */
const OF_RUN = /^(optimizer\.safetensors|trainer\.json|reference\/.*)$/;

/** Which files of a checkpoint are compared with its manifest. */
const isRead = (use: Use) => (name: string): boolean => use === "run" || !OF_RUN.test(name);

/**
 * Why the run's checkpoint is not what the run saved, in words that follow "as", with its manifest, which
 * those of earlier versions do not have.
 */
export async function examine(
  folder: string,
  { step, config, history }: CheckpointOfRun,
  use: Use,
): Promise<{ why?: string; manifest?: Manifest }> {
  const place = checkpointFolder(folder, step);
  try {
    const manifest = await readManifest(place);
    if (manifest) {
      const why = differs(manifest, { step, config, history }) ??
        await faultOfFiles(place, manifest, isRead(use));
      return { manifest, why };
    }
    return {
      why: config.id === undefined ? await faultOfOlder(place, step) : "it has no manifest",
    };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

/** Why the checkpoint is none of this run, as that is now. */
function differs(
  manifest: Manifest,
  { step, config, history }: CheckpointOfRun,
): string | undefined {
  if (manifest.step !== step) return `it is the checkpoint of step ${manifest.step}, renamed`;
  const { id = null, source, weights, task, algorithm, seed } = config;
  const settings = settingsAt(config.config, history, step);
  const now = { run: id, settings, source, weights, task, algorithm, seed };
  const [different] = differences(manifest, now);
  if (different === undefined) return undefined;
  const files = history.length > 0 ? "config.json and history.json are" : "config.json is";
  return `the run's ${files} not of it: ${different}`;
}

/** As far as it can be told without a manifest. @throws {Error} where a file cannot be read */
async function faultOfOlder(place: string, step: number): Promise<string | undefined> {
  const { trainer } = await loadTrainingState(place);
  if (trainer.step !== step) return `its trainer.json is of step ${trainer.step}`;
  for (const name of await listFolder(place)) {
    if (name.endsWith(".safetensors")) (await openSafetensors(join(place, name)))[Symbol.dispose]();
  }
}

/**
 * Refuses a checkpoint of the run in `folder` whose weights are not those that it saved. Gives what people
 * should know of it.
 * @param action what cannot be done with it then: "evaluate"
 * @throws {CheckpointError} naming the file, and what to take in its place
 */
export async function requireSound(
  folder: string,
  checkpoint: CheckpointOfRun,
  action: string,
): Promise<string[]> {
  const place = checkpointFolder(folder, checkpoint.step);
  const { why, manifest } = await examine(folder, checkpoint, "model");
  if (why !== undefined) {
    throw new CheckpointError(place, why, { action, cure: await cureOf(place) });
  }
  return manifest ? [] : [`${place} is of an earlier version: it cannot be checked`];
}

/**
 * Refuses the model in `folder` where it is a checkpoint, of whatever run, whose weights are not those that
 * were saved. What has no manifest of ours passes.
 * @throws {CheckpointError} as `requireSound`
 */
export async function requireWhole(folder: string, action: string): Promise<void> {
  if (await kindOf(join(folder, MANIFEST)).catch(() => undefined) !== "file") return;
  const isOurs = isCheckpoint(folder) ||
    (await readIfThere(join(folder, MANIFEST)))?.includes('"plainrl":');
  if (!isOurs) return;
  const why = await readManifest(folder).then(
    (manifest) => manifest && faultOfFiles(folder, manifest, isRead("model")),
    (error: Error) => error.message,
  );
  if (why !== undefined) {
    throw new CheckpointError(folder, why, { action, cure: await cureOf(folder) });
  }
}

const CHECKPOINT = /^(.+)[/\\]checkpoints[/\\]step-\d+[/\\]?$/;

const isCheckpoint = (folder: string): boolean => CHECKPOINT.test(folder);

/** The others of its run, which may be whole. */
async function cureOf(place: string): Promise<string> {
  const [, run] = CHECKPOINT.exec(place) ?? [];
  const all = run === undefined ? [] : await checkpointSteps(run);
  const others = all.map((step) => checkpointFolder(run, step))
    .filter((other) => other !== join(place, "."));
  const back = "Put the file back as it was";
  return others.length === 0
    ? back
    : `${back}, or name another checkpoint of the run: ${others.join(", ")}`;
}
