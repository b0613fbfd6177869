/** How a run answered: its task, rewards, settings and start, from its folder. @module */
import type { OptionValue } from "../../base/options.ts";
import type { MatrixDtype } from "../../model/layout.ts";
import { findModel, type FoundModel, sameModel } from "../../model/hub/find_model.ts";
import { endOf, readHistory, settingsAt } from "../folder/history.ts";
import { readManifest } from "../folder/manifest.ts";
import type { NamedCheckpoint, WhichCheckpoint } from "../folder/named_checkpoint.ts";
import { namedModel } from "../folder/named_model.ts";
import { refuseOwnCode } from "../folder/own_code.ts";
import {
  checkpointFolder,
  readRunConfig,
  readSummary,
  type RunConfig,
  valuesAtEnd,
} from "../folder/run_data.ts";
import { type RunState, stateOf } from "../folder/run_state.ts";
import { faultOf, requestSchema } from "../folder/schemas.ts";
import { requireSound } from "../folder/sound_checkpoint.ts";
import type { RewardTerm } from "../../rewards/parse.ts";

/** The file of the run's answers from servers lies where an evaluation may not write. */
const NOT_TAKEN = "serverCache";

/** What of a run an evaluation goes by. */
export interface RunTerms {
  folder: string;
  /** As it may be asked for again: a name, or the path of a file. */
  task: string;
  /** What the task is called. */
  name: string;
  /** Names, or paths of files. */
  rewards: RewardTerm[];
  /** All of its settings as they held at the checkpoint. */
  settings: Record<string, OptionValue>;
  /** SHA-256 of its task's examples; absent in runs of earlier versions. */
  data?: string;
  config: RunConfig;
  /** What people should know of its checkpoint. */
  notices: string[];
}

/**
 * What the run's folder says of how it answered.
 * @throws {RunFolderError} where a file of it is not what a run writes
 * @throws {CheckpointError} where the checkpoint is not what the run saved
 */
export async function termsOfRun(
  { folder, step }: { folder: string; step: number },
): Promise<RunTerms> {
  const config = await readRunConfig(folder), history = await readHistory(folder);
  const asked = askedFor(config);
  const isValue = (one: [string, unknown]): one is [string, OptionValue] =>
    ["number", "string", "boolean"].includes(typeof one[1]) && one[0] !== NOT_TAKEN;
  const settings = Object.entries(settingsAt(config.config, history, step)).filter(isValue);
  const notices = await requireSound(folder, { step, config, history }, "evaluate");
  const { data } = await readManifest(checkpointFolder(folder, step)) ?? {};
  return {
    folder,
    name: config.task,
    ...asked,
    settings: Object.fromEntries(settings),
    data,
    config,
    notices,
  };
}

/** A run that the command line began says which files it was asked for; of another the names are known. */
function askedFor(
  { request, task, rewards, weights = {} }: RunConfig,
): Pick<RunTerms, "task" | "rewards"> {
  const isWhole = faultOf(requestSchema, request) === undefined;
  const { task: path = task, rewards: terms }: Partial<RunTerms> = isWhole ? request : {};
  const named = rewards.map((name) => ({ name, weight: weights[name] ?? 1 }));
  return { task: path, rewards: terms ?? named };
}

/** A checkpoint of a run, and how that ended: an evaluation tells it with its figures. */
export interface EvaluatedRun {
  folder: string;
  step: number;
  /** Steps that the run was asked for. */
  of: number;
  which: WhichCheckpoint;
  state: RunState;
  /** Why it was cut short, one sentence. */
  cause?: string;
  /** Of a run that diverged: checkpoints up to this step are good. */
  good?: number;
}

/** The checkpoint with how its run ended. @throws {RunFolderError} where a file of it is not what a run writes */
export async function endingOf(
  { folder, step, which }: NonNullable<NamedCheckpoint["run"]>,
): Promise<EvaluatedRun> {
  const config = await readRunConfig(folder), history = await readHistory(folder);
  const { state, cause } = await stateOf(folder, { summary: await readSummary(folder), history });
  const good = state === "diverged" ? endOf(history)?.from : undefined;
  return {
    ...{ folder, step, which, state },
    of: valuesAtEnd(config, history).steps ?? config.steps,
    ...(cause !== undefined && { cause }),
    ...(good !== undefined && { good }),
  };
}

/** @throws {Error} marked as usage, where one of these paths of the run is a module in its own folder */
export const refuseRunCode = (
  { folder }: Pick<RunTerms, "folder">,
  paths: readonly string[],
): Promise<void> =>
  refuseOwnCode(folder, paths, { action: "evaluate", cure: "name it where it is then" });

/**
 * The model that the run began with, as it was then; of a run of an earlier version what its name means now.
 * @throws {Error} where it is gone or has changed
 */
export async function baseOfRun({ config: { source, model } }: RunTerms): Promise<FoundModel> {
  if (!source) return await findModel((await namedModel(model)).model);
  try {
    return await sameModel(source);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`${why}. To compare with another model, name it: --base MODEL`, {
      cause: error,
    });
  }
}

/** How the run kept the matrices of its rewards' networks. */
export const matrixDtypeOf = ({ settings: { frozenDtype } }: RunTerms): MatrixDtype =>
  frozenDtype === "f16" ? "f16" : "f32";
