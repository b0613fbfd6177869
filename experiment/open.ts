/** Opens all that a run works with: model, reference, rewards, policy and trainer, within its memory. @module */
import { formatBytes } from "../base/units.ts";
import type { Device } from "../kernels/device.ts";
import { endsOf } from "../model/ends.ts";
import { findModel, type FoundModel, sameModel } from "../model/hub/find_model.ts";
import { importOptimizer } from "../model/files/optimizer_file.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { Servers } from "../rewards/servers/servers.ts";
import { Trainer } from "../rl/trainer.ts";
import { type Trained, withFault } from "./faults/apply.ts";
import { namedModel } from "./folder/named_model.ts";
import { requireWhole } from "./folder/sound_checkpoint.ts";
import { modelDims } from "../model/config.ts";
import { loadCheckpoint, type TrainingState } from "./folder/checkpoint.ts";
import { hashOfExamples, requireSame } from "./folder/identity.ts";
import { measureRun } from "./measure.ts";
import { memoryBudget, runShape, type RunSizes } from "./memory_plan.ts";
import { modelOptions, openModels } from "./models.ts";
import type { RunInfo } from "./observer.ts";
import { LanguagePolicy } from "./policy.ts";
import type { ResolvedRequest, TrainRequest } from "./request.ts";
import { settingsOfRewards } from "./rewards.ts";
import { rewardSources } from "./reward_sources.ts";
import { RunScorers } from "./run_scorer.ts";
import { openScoring } from "./scoring.ts";
import { asksServers } from "./servers.ts";
import { explainMemory, planFitting } from "./suggestions.ts";

/** A run that is ready for its first step. Disposing of it frees the models, not the device. */
export interface OpenRun extends Disposable, Pick<Trained, "rewards" | "drawn"> {
  plan: ResolvedRequest;
  device: Device;
  /** What the model's name stood for. */
  found: FoundModel;
  tokenizer: Tokenizer;
  /** Token ids by the id of the example. */
  prompts: ReadonlyMap<string, Int32Array>;
  /** The right one, also where the run trains another by its fault. */
  policy: LanguagePolicy;
  /** Whether the reference, where there is one, may be another than the start of the run. */
  referenceMoves: boolean;
  /** What rewards and parent ask. */
  servers: Servers;
  trainer: Trainer;
  /** State of the checkpoint that the run continues from, already restored. */
  saved?: TrainingState;
  /** Everything resolved, for observers. */
  info: RunInfo;
  /** For people: what memory the run takes, and what there is; what is not as it was when it resumes. */
  notices: string[];
}

/**
 * Opens a run, from a checkpoint folder where `resume` names one. `signal` ends requests to servers.
 * @throws {Error} when the model, the checkpoint or a reward cannot be used
 * @throws {DoesNotFitError} when the run needs more memory than there is
 */
export async function openRun(
  plan: ResolvedRequest,
  device: Device,
  { resume, memory, changed, signal }:
    & Pick<TrainRequest, "resume" | "memory" | "changed">
    & { signal?: AbortSignal } = {},
): Promise<OpenRun> {
  using owned = new DisposableStack();
  const loaded = resume === undefined
    ? undefined
    : await loadCheckpoint(resume, plan.config.totalSteps);
  const saved = loaded?.state;
  const found = saved?.source ? await sameModel(saved.source) : await findNamed(plan.model);
  const { folder } = found, { config } = plan;
  const { sizes, tokenizer, prompts } = await measureRun(plan, folder, device);
  const budget = memoryBudget(device, memory);
  const planned = planFitting(device, sizes, budget);
  const scorers = new RunScorers({ device, folder, tokenizer, sizes, disposables: owned });
  const { servers, rewards } = await openScoring(plan, {
    device,
    scorers,
    disposables: owned,
    signal,
  });
  const sources = await rewardSources(plan.rewards);
  const info = { ...infoOf({ plan, device, found, sizes, rewards }), ...sourcesOf(sources) };
  const notices = loaded ? await requireSame(resume!, loaded.manifest, info, changed) : [];
  const explain = (error: unknown): never => {
    throw explainMemory(error, device, sizes);
  };
  const options = modelOptions(plan.settings, plan.needs);
  const models = owned.use(
    await openModels(device, {
      ...{ folder, resume, reference: loaded?.reference, seed: config.seed, options },
    }).catch(explain),
  );
  scorers.bind(models);
  const policy = new LanguagePolicy(models, undefined, plan.settings);
  const referenceMoves = plan.needs.sync !== undefined || loaded?.reference !== undefined;
  await reserve(policy, sizes).catch(explain);
  const trained = withFault(plan.settings.fault, { policy, rewards }, {
    ...{ ends: endsOf(policy.eos), microbatchRows: config.microbatchRows },
    prompts: [...prompts.values()],
  });
  const trainer = new Trainer(trained.policy, config, plan.algorithm);
  if (saved) {
    trainer.restore(saved.trainer);
    await importOptimizer(models.model, `${resume}/optimizer.safetensors`);
  }
  const free = budget.bytes === undefined ? "" : `, ${formatBytes(budget.bytes)} free`;
  notices.unshift(`device memory ${formatBytes(planned.total)}${free}`);
  const all = owned.move();
  return {
    ...{ plan, device, found, tokenizer, prompts, policy, servers, trainer },
    ...{ saved, info, notices, referenceMoves, rewards: trained.rewards, drawn: trained.drawn },
    [Symbol.dispose]: () => all.dispose(),
  };
}

/** As `findModel`; a run stands for its last checkpoint. */
async function findNamed(name: string): Promise<FoundModel> {
  const { model, line } = await namedModel(name);
  const found = await findModel(model);
  await requireWhole(found.folder, "start from");
  return { ...found, line: found.line ?? line };
}

/** Everything resolved about a run. */
function infoOf(
  { plan, device, found, sizes, rewards: { weights } }:
    & Pick<OpenRun, "plan" | "device" | "found" | "rewards">
    & { sizes: RunSizes },
): RunInfo {
  const { task, opened, algorithm, model, config, settings } = plan;
  const { kind, name, software, tuning } = device;
  const { V, P, C, L, H } = modelDims(sizes.config);
  return {
    task: task.name,
    algorithm: algorithm.name,
    rewards: Object.keys(weights),
    model,
    seed: config.seed,
    steps: config.totalSteps,
    weights,
    source: found.source,
    shape: { vocabulary: V, positions: P, channels: C, layers: L, heads: H },
    data: hashOfExamples(task),
    device: { kind, name, software, ...(tuning && { tuning }) },
    config: {
      ...{ ...config, ...settings, ...settingsOfRewards(plan.rewards), ...opened.settings },
      ...(plan.parent.parent !== "table" && plan.parent),
      ...(asksServers(plan) && plan.servers),
    },
    ...filesOf(plan),
  };
}

/** What rewards read, where they read anything. */
const sourcesOf = (rewardSources: Record<string, string>): Pick<RunInfo, "rewardSources"> =>
  Object.keys(rewardSources).length === 0 ? {} : { rewardSources };

/** The files of a user's own that the run is made of, and those that its task read; nothing where there is none. */
function filesOf(
  { opened: { file, data }, rewards }: ResolvedRequest,
): Pick<RunInfo, "files" | "dataFiles"> {
  const all = rewards.flatMap(({ file }) => file ?? []);
  const own = { ...(file && { task: file }), ...(all.length > 0 && { rewards: all }) };
  return { ...((file || all.length > 0) && { files: own }), ...(data && { dataFiles: data }) };
}

/** Preallocates a run's memory; one host sync brings what the driver says to it. */
async function reserve(policy: LanguagePolicy, sizes: RunSizes): Promise<void> {
  policy.reserve(runShape(sizes));
  await policy.model.device.read();
}
