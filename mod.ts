/**
 * PlainRL: reinforcement learning for GPT-2 on WebGPU kernels of its own.
 *
 * A whole training run: the policy learns to answer with words that have the letter e.
 *
 * ```ts
 * import {
 *   LanguagePolicy,
 *   loadModel,
 *   loadTokenizer,
 *   modelFolder,
 *   openDevice,
 *   Trainer,
 * } from "./mod.ts";
 *
 * const folder = await modelFolder("tiny");
 * using device = await openDevice();
 * using model = await loadModel(device, folder, { valueHead: true });
 * using reference = await loadModel(device, folder, { frozen: true });
 * const tokenizer = await loadTokenizer(folder);
 * const policy = new LanguagePolicy({ model, reference });
 * const settings = { totalSteps: 12, maxNewTokens: 4, epochs: 2, learningRate: 1e-3 };
 * const trainer = new Trainer(policy, settings);
 * const prompts = Array.from({ length: 32 }, () => tokenizer.encode("The color of the sea is"));
 * const scores: number[] = [];
 * while (scores.length < settings.totalSteps) {
 *   const { metrics } = await trainer.step(prompts, ({ responses }) =>
 *     Promise.resolve(responses.map((ids) => tokenizer.decode(ids).includes("e") ? 1 : 0)));
 *   scores.push(metrics["score/mean"]);
 * }
 * console.log(`share with an e: ${scores[0]}, then ${scores.at(-1)}`); // => share with an e: 0.…, then …
 * ```
 * @module
 */
export { type DeviceChoice, openDevice } from "./kernels/devices/open.ts";
export type { Device } from "./kernels/device.ts";
export { type AdapterTuning, type Tuning, useTuning } from "./kernels/tuning.ts";
export { generate } from "./model/generation/generate.ts";
export type { EncoderOptions } from "./model/encoder/encoder.ts";
export { SentenceEmbedder } from "./model/encoder/sentence.ts";
export { SentimentModel } from "./model/encoder/sentiment.ts";
export { loadSentenceEmbedder, loadSentimentModel } from "./model/files/encoder_folder.ts";
export type { FolderSource } from "./model/files/folder_source.ts";
export { urlFolder, type UrlFolderOptions } from "./model/files/url_folder.ts";
export type { LoadOptions } from "./model/files/gpt2_folder.ts";
export { saveGpt2, type SaveOptions } from "./model/files/gpt2_save.ts";
export { type AdapterSaveOptions, saveAdapter } from "./model/files/lora_save.ts";
export { exportOptimizer, importOptimizer } from "./model/files/optimizer_file.ts";
export { hubFolder, loadModel, loadTokenizer } from "./model/hub/load.ts";
export { ModelScorer, type ScoringOptions, type TokenNll } from "./model/text_scorer.ts";
export { generateText, type NewText, type TextOptions } from "./model/generation/text.ts";
export { type EvaluateOptions, Gpt2, type Gpt2Options, type PassOptions } from "./model/gpt2.ts";
export type { LoraOptions } from "./model/lora/lora.ts";
export type { MatrixDtype } from "./model/layout.ts";
export type { HubModel } from "./model/hub/cache.ts";
export { HubError, type HubErrorCode } from "./model/hub/errors.ts";
export { fetchedLine, type FetchedModel, fetchModel } from "./model/hub/hub.ts";
export {
  cachedDataset,
  datasetLine,
  type DatasetOptions,
  fetchDataset,
  type FetchedDataset,
  type HubDataset,
} from "./model/hub/dataset.ts";
export type { HubOptions, HubProgress } from "./model/hub/settings.ts";
export { Tokenizer } from "./model/tokenizer/tokenizer.ts";
export { exact } from "./rewards/exact.ts";
export { functionReward, type RewardFunction } from "./rewards/own.ts";
export { combine, type CombinedReward, type RewardBreakdown } from "./rewards/combine.ts";
export { tableParent } from "./rewards/parents/table.ts";
export { ruleParent } from "./rewards/parents/rule.ts";
export { type ParentTask, serverParent } from "./rewards/parents/server.ts";
export { openServerEmbedder } from "./rewards/embeddings/server.ts";
export type { ServerAccess, ServerRole } from "./rewards/servers/access.ts";
export { AnswerError, OutageError } from "./rewards/servers/errors.ts";
export { Secret } from "./rewards/servers/secret.ts";
export { Servers } from "./rewards/servers/servers.ts";
export { semantic } from "./rewards/semantic.ts";
export { loadWordVectors } from "./rewards/embeddings/word_vectors.ts";
export { openWordVectors } from "./experiment/folder/word_vectors.ts";
export { Vader } from "./rewards/vader/vader.ts";
export type {
  Example,
  Parent,
  Reward,
  RewardBatch,
  RewardContext,
  RewardCount,
  RewardDefinition,
  SentimentClassifier,
  TextEmbedder,
  TextScore,
  TextScorer,
} from "./rewards/reward.ts";
export type {
  Advantages,
  Algorithm,
  AlgorithmState,
  Experience,
  LossInputs,
  LossResult,
  Needs,
  OptimiserBatch,
  RewardColumn,
  ScoredRollout,
  StepContext,
  StepFacts,
  UpdatePhase,
} from "./rl/algorithm.ts";
export type { ReferenceNeeds, ValueHeadNeeds } from "./rl/needs.ts";
export { CRITIC_ROWS, type CriticConfig, criticPhases, valueHeadNeeds } from "./rl/critic.ts";
export {
  type CriticFree,
  criticFree,
  onTokens,
  type Rewarded,
} from "./rl/algorithms/critic_free.ts";
export { DEFAULT_ALGORITHM, findAlgorithm, listAlgorithms } from "./rl/algorithms/registry.ts";
export { findPreset, listPresets } from "./experiment/presets/registry.ts";
export type { Preset } from "./experiment/presets/preset.ts";
export { GROUP_ROWS, type GroupConfig } from "./rl/group.ts";
export { CLIP_ROWS, clippedLoss, type ClipRange } from "./rl/loss/clipped_ratio.ts";
export { policyGradientLoss } from "./rl/loss/policy_gradient.ts";
export { perToken, type PolicyLoss, type ResponseTokens } from "./rl/loss/response.ts";
export {
  type BatchLoss,
  batchLoss,
  forwardBackward,
  type LossBatch,
  optimStep,
  type PassResult,
  sample,
  type StepResult,
} from "./rl/loop.ts";
export { addSums, emptySums, type LossSums, meansOf } from "./rl/loss/sums.ts";
export { type MetricInfo, metricTable } from "./rl/metrics.ts";
export { TRAINER_OPTIONS, type TrainerConfig, trainerOptions } from "./rl/trainer_options.ts";
export type {
  Evaluation,
  EvaluationGradient,
  Policy,
  Rollout,
  SamplingOptions,
  StepRates,
  TokenBatch,
} from "./rl/policy.ts";
export type { ScoreMoments } from "./rl/score_scaling.ts";
export type { ScoreBreakdown, ScoreFunction, Scores } from "./rl/scores.ts";
export type { PromptSource } from "./rl/prompts.ts";
export type { GivenCompletions } from "./rl/given.ts";
export {
  type StepTimings,
  Trainer,
  type TrainerSettings,
  type TrainerState,
  type TrainerStep,
} from "./rl/trainer.ts";
export type {
  CompletionRow,
  OwnFile,
  Phase,
  Players,
  RunFiles,
  RunInfo,
  RunObserver,
  Split,
  SplitResult,
  StepReport,
  Summary,
} from "./experiment/observer.ts";
export { type ExportFacts, exportModel, type ExportRequest } from "./experiment/export.ts";
export {
  findModel,
  type FoundModel,
  modelFolder,
  type ModelSource,
} from "./model/hub/find_model.ts";
export { type PlannedRun, planTask } from "./experiment/plan.ts";
export {
  LanguagePolicy,
  type PolicyModels,
  type PolicyOptions,
  type RunShape,
} from "./experiment/policy.ts";
export {
  evaluatePolicy,
  type EvaluationRequest,
  type EvaluationResult,
} from "./experiment/evaluate.ts";
export {
  type EvalOptions,
  type EvalRequest,
  type EvalResult,
  type EvalSummary,
  evaluateAgainstBase,
  type EvaluatedModel,
} from "./experiment/eval/eval.ts";
export {
  type Figure,
  type Figures,
  figuresOf,
  type ModelAnswer,
  type PromptAnswers,
} from "./experiment/eval/figures.ts";
export { evalTableText } from "./experiment/eval/table.ts";
export { writeEval } from "./experiment/folder/eval_folder.ts";
export type { BootstrapOptions } from "./base/statistics/bootstrap.ts";
export {
  differenceInterval,
  type Interval,
  type IntervalMethod,
  jackknifeInterval,
  meanInterval,
  seedInterval,
  statisticInterval,
} from "./base/statistics/intervals.ts";
export { clusterMeans, standardError } from "./base/statistics/moments.ts";
export { pairedT, type SignedRanks, signedRanks } from "./base/statistics/paired.ts";
export { type Wins, winsOf } from "./base/statistics/wins.ts";
export { lastWord, type PlayerBounds, trivialPlayers } from "./experiment/players.ts";
export {
  openRewards,
  type OwnReward,
  type RequestedReward,
  type RewardOptions,
  type RewardRequest,
} from "./experiment/rewards.ts";
export type { DataFile, Task, TaskContext, TaskDefinition } from "./tasks/task.ts";
export type { OpenedTask, TaskRequest } from "./tasks/open.ts";
export { openFrom as openTask } from "./experiment/opening.ts";
export { csvDefinition, csvTask, type CsvTaskOptions } from "./tasks/csv.ts";
export { findTask, listTasks } from "./tasks/registry.ts";
export type { TrainRequest } from "./experiment/request.ts";
export { type TrainOptions, trainTask } from "./experiment/train.ts";
export { loadState, saveState } from "./experiment/folder/policy_state.ts";
export { readRun, type RunData } from "./experiment/folder/run_data.ts";
export { EventLog, type EventLogOptions } from "./experiment/folder/event_log.ts";
export { RunFolder, type RunFolderOptions } from "./experiment/folder/run_folder.ts";
export { drawRun } from "./cli/report/draw.ts";
export {
  defineOptions,
  type Option,
  type OptionRows,
  type OptionTable,
  type OptionValue,
  type OptionValues,
} from "./base/options.ts";
