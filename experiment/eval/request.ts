/** What is evaluated, and every choice of it filled in. @module */
import type { OptionValue } from "../../base/options.ts";
import { asUsage, markUsage } from "../../base/usage.ts";
import type { DeviceChoice } from "../../kernels/devices/open.ts";
import { findModel, type FoundModel } from "../../model/hub/find_model.ts";
import type { MatrixDtype } from "../../model/layout.ts";
import { PARENT_OPTIONS, type ParentSettings } from "../../rewards/parents/settings.ts";
import type { Example } from "../../rewards/reward.ts";
import { SERVER_OPTIONS, type ServerLimits } from "../../rewards/servers/limits.ts";
import type { OpenedTask, TaskRequest } from "../../tasks/open.ts";
import type { Task } from "../../tasks/task.ts";
import { hashOfExamples } from "../folder/identity.ts";
import { type NamedCheckpoint, namedCheckpoint } from "../folder/named_checkpoint.ts";
import { requireWhole } from "../folder/sound_checkpoint.ts";
import type { Split } from "../observer.ts";
import { openFrom } from "../opening.ts";
import { spread } from "../players.ts";
import { rewardsOf, withMeasure } from "../request.ts";
import {
  chooseRewards,
  type ChosenReward,
  loadRewards,
  ownDefinitions,
  type RewardRequest,
} from "../rewards.ts";
import { known } from "../settings.ts";
import {
  baseOfRun,
  endingOf,
  type EvaluatedRun,
  matrixDtypeOf,
  refuseRunCode,
  type RunTerms,
  termsOfRun,
} from "./run_terms.ts";
import { EVAL_FIELDS, EVAL_OPTIONS, evalTable } from "./settings.ts";

/** What is evaluated; what is left out comes from the run. */
export interface EvalRequest {
  /** A run (its last checkpoint), RUN@best, a checkpoint of one, or a model by name or folder. */
  model: string;
  /** Checkpoint of the run to take. */
  step?: number;
  /** Model to compare with. Default: what the run began with; a model needs one. */
  base?: string;
  /** Default: the run's; a model needs one. */
  task?: TaskRequest;
  /** Default: the run's on its own task, else the task's. */
  reward?: RewardRequest;
  /** Which prompts. Default "heldout". */
  split?: Split;
  /** At most so many prompts, evenly spaced. Default: all. */
  prompts?: number;
  /** Sampled answers to each prompt beside the greedy one; 0: none. Default 4. */
  samples?: number;
  /** Divides the logits before a token is drawn, > 0. Default: the run's, else 1. */
  temperature?: number;
  /** Key of the random numbers of samples and intervals, 0 to 2^32 - 1. Default 1. */
  seed?: number;
  /** Default "auto". */
  device?: DeviceChoice;
  /** Device memory that it may take, GiB. Default: what the machine has free, where that is known. */
  memory?: number;
  /** As in `evalTable`: settings of rewards, parent, servers and task, maxNewTokens and batchSize. */
  settings?: Readonly<Record<string, OptionValue>>;
}

/** One of the two models, and the run that it is of. */
export type Subject = FoundModel & { run?: EvaluatedRun };

/** A request with everything filled in, and no model opened. */
export interface ResolvedEval {
  tuned: Subject;
  base: Subject;
  task: Task;
  examples: readonly Example[];
  split: Split;
  /** How many prompts the split has. */
  of: number;
  rewards: ChosenReward[];
  parent: Readonly<ParentSettings>;
  servers: Readonly<ServerLimits>;
  samples: number;
  temperature: number;
  seed: number;
  maxNewTokens: number;
  batchSize: number;
  /** How networks of rewards are stored. */
  matrixDtype: MatrixDtype;
  /** For people: which models, and what is not as it was in the run. */
  notices: string[];
}

/**
 * Fills in what the request leaves to run and task, and reads what they name.
 * @throws {Error} marked as usage, for what there is not, or cannot be asked for
 * @throws {Error} where a model, a task's data or a run's file is not what it must be
 */
export async function resolveEval(request: EvalRequest): Promise<ResolvedEval> {
  const { split, samples, seed, prompts, temperature } = markUsage(() =>
    EVAL_FIELDS.resolve(pick(request, EVAL_FIELDS.names))
  );
  const { step } = request;
  const named = await namedCheckpoint(request.model, { step, action: "evaluate" });
  const run = named.run && await termsOfRun(named.run);
  const { opened, own, notices } = await openTaskOf(request, run);
  const { task } = opened;
  const scored = await rewardsFor(request, { opened, own });
  const examples = promptsOf(task, split, prompts);
  const { maxNewTokens = task.maxNewTokens, batchSize = task.settings.batchSize } = scored.values;
  const ofRun = run?.settings.temperature;
  const tuned = await subjectOf(named);
  if (!run) await requireWhole(tuned.folder, "evaluate"); // of a run its terms asked that
  return {
    ...{ tuned, base: await baseFor(request, run), task, examples, split, samples, seed },
    ...{ maxNewTokens, batchSize, of: task.examples[split].length },
    ...{ rewards: scored.rewards, parent: scored.parent, servers: scored.servers },
    temperature: temperature ?? (typeof ofRun === "number" ? ofRun : 1),
    matrixDtype: run ? matrixDtypeOf(run) : "f32",
    notices: [...run?.notices ?? [], ...notices, ...scored.notices],
  };
}

/** Those of an object's fields. */
const pick = <T, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> =>
  Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;

/** The task, and the run where that is the run's own. */
async function openTaskOf(
  { task: asked, settings }: EvalRequest,
  run: RunTerms | undefined,
): Promise<{ opened: OpenedTask; own?: RunTerms; notices: string[] }> {
  const task = asked ?? run?.task;
  if (task === undefined) {
    throw asUsage(
      new TypeError(
        "Cannot evaluate a model without a task as it belongs to no run: name one. See: deno task train --list",
      ),
    );
  }
  const isNamed = typeof task === "string" && run !== undefined &&
    [run.task, run.name].includes(task);
  if (isNamed) await refuseRunCode(run, [run.task]);
  const all = { ...(isNamed && run.settings), ...settings };
  const opened = await openFrom(isNamed ? run.task : task, all).catch((error) => {
    throw isNamed && asked === undefined ? ofAnotherProgram(error, run) : error;
  });
  const isOwn = typeof task === "string" ? isNamed : opened.task.name === run?.name;
  const own = isOwn ? run : undefined;
  const notices = own?.data === undefined || own.data === hashOfExamples(opened.task) ? [] : [
    `the examples of ${opened.task.name} are not those of the run, which may have been trained on some of ` +
    "what is held out now",
  ];
  return { opened, own, notices };
}

/** A program may train on a task that no command can open. */
const ofAnotherProgram = (error: unknown, { folder, name }: RunTerms): unknown => {
  if (!(error instanceof Error)) return error;
  const told = new Error(
    `Cannot open ${name}, the task of ${folder}: ${error.message}`,
    { cause: error },
  );
  return asUsage(told);
};

/** What answers are scored by. */
async function rewardsFor(
  { reward: asked, settings = {} }: EvalRequest,
  { opened: { task, options }, own }: { opened: OpenedTask; own?: RunTerms },
) {
  if (own && asked === undefined) await refuseRunCode(own, own.rewards.map(({ name }) => name));
  const ofRun = own?.rewards.map(({ name, weight }) => `${name}:${weight}`).join();
  const ofTask = () => markUsage(() => rewardsOf(task, "evaluate"));
  const reward = await loadRewards(asked ?? ofRun ?? ofTask());
  return markUsage(() => {
    const table = evalTable(ownDefinitions(reward), options);
    table.resolve(settings); // names and ranges as they were given
    const values = { ...known(table, own?.settings ?? {}), ...settings };
    const rewards = withMeasure(chooseRewards(reward, values), task, values);
    return {
      rewards,
      parent: PARENT_OPTIONS.resolve(known(PARENT_OPTIONS, values)),
      servers: SERVER_OPTIONS.resolve(known(SERVER_OPTIONS, values)),
      values: EVAL_OPTIONS.resolve(known(EVAL_OPTIONS, values)),
      notices: asked === undefined ? changedFiles(rewards, own) : [],
    };
  });
}

/** A note for each reward in a file that is not as the run had it. */
function changedFiles(rewards: readonly ChosenReward[], own: RunTerms | undefined): string[] {
  const kept = own?.config.ownFiles?.rewards ?? [];
  return rewards.flatMap(({ file }) => {
    const was = kept.find(({ path }) => path === file?.path);
    return was && file && was.sha256 !== file.sha256
      ? [`the reward ${file.path} has changed since the run`]
      : [];
  });
}

/** @throws {RangeError} marked as usage, where there are none */
function promptsOf(
  { name, examples }: Task,
  split: Split,
  most: number | undefined,
): readonly Example[] {
  const all = examples[split];
  if (all.length > 0) return most === undefined ? all : spread(all, most);
  throw asUsage(
    new RangeError(
      `Cannot evaluate on held-out prompts as ${name} has none: ask about those of training ` +
        "(--split train)",
    ),
  );
}

const subjectOf = async ({ model, run }: NamedCheckpoint): Promise<Subject> => ({
  ...await findModel(model),
  ...(run && { run: await endingOf(run) }),
});

/** @throws {CheckpointError} where it is a checkpoint, and not what was saved */
async function baseFor({ model, base: asked }: EvalRequest, run?: RunTerms): Promise<Subject> {
  if (asked !== undefined) {
    const base = await subjectOf(await namedCheckpoint(asked, { action: "compare with" }));
    await requireWhole(base.folder, "compare with");
    return base;
  }
  if (run) return await baseOfRun(run);
  throw asUsage(
    new TypeError(
      `Cannot evaluate the model ${model} alone as nothing says what it began as: name what to compare ` +
        "with (--base)",
    ),
  );
}
