/** What a run is asked to do, and every setting of it filled in. @module */
import type { Device } from "../kernels/device.ts";
import type { DeviceChoice } from "../kernels/devices/open.ts";
import type { CombinedReward } from "../rewards/combine.ts";
import { type PpoConfig, resolvePpoConfig } from "../rl/config.ts";
import { NO_LORA } from "./lora.ts";
import { findPreset } from "./presets.ts";
import { findTask } from "../tasks/registry.ts";
import { openRewards } from "./rewards.ts";
import type { Task, TaskSettings } from "../tasks/task.ts";

/** What a run is asked to do; what is left out comes from the task. */
export interface TrainRequest {
  /** Name in the registry, or a task of your own. */
  task: string | Task;
  /** `NAME[:weight],…`. */
  reward?: string;
  /** "tiny", or a folder in Hugging Face form. Default "tiny". */
  model?: string;
  /** Name in `presets.ts`; its settings take the place of the task's. */
  preset?: string;
  /** Rollouts. */
  steps?: number;
  /** Key of every random number. Default 1. */
  seed?: number;
  /** Default "auto". */
  device?: DeviceChoice;
  /** Steps between checkpoints; one is always written at the end. 0: only then. Default 0. */
  saveEvery?: number;
  /** Settings that differ from the task's or the preset's. */
  settings?: Partial<TaskSettings>;
  /** Device memory that the run may take, GiB. Default: what the machine has free, where that is known. */
  memory?: number;
  /** Checkpoint folder to go on from; everything else must be as in the run that wrote it. */
  resume?: string;
}

/** Settings that are the run's own, and not the algorithm's. */
type OwnSettings = Omit<TaskSettings, keyof PpoConfig>;

/** A request with everything filled in, and nothing opened. */
export interface Asked {
  task: Task;
  /** As in the request. */
  reward?: string;
  model: string;
  config: Readonly<PpoConfig>;
  settings: OwnSettings;
  saveEvery: number;
}

/** What the semantic reward is where neither task nor request says. */
export const SEMANTIC = {
  semanticEmbedder: "words",
  semanticMapping: "affine",
  semanticPower: 4,
  semanticOov: "zero",
} as const;

const DEFAULTS: Omit<OwnSettings, "batchSize" | "maxGradNorm"> = {
  ...SEMANTIC,
  ...NO_LORA,
  recompute: false,
  frozenDtype: "f32",
};

/**
 * Fills in what the request leaves to task and preset.
 * @throws {TypeError|RangeError} for a request that names what there is not, or out of range
 */
export function resolveRequest(request: TrainRequest): Asked {
  const task = typeof request.task === "string" ? findTask(request.task) : request.task;
  const { batchSize, maxGradNorm, ...rest } = {
    ...task.settings,
    maxNewTokens: task.maxNewTokens,
    ...(request.preset === undefined ? {} : findPreset(request.preset).settings),
    ...request.settings,
  };
  const isOwn = ([key]: [string, unknown]): boolean => key in DEFAULTS;
  const own = Object.fromEntries(Object.entries(rest).filter(isOwn));
  const ppo = Object.fromEntries(Object.entries(rest).filter((entry) => !isOwn(entry)));
  const config = resolvePpoConfig({
    ...ppo,
    seed: request.seed ?? 1,
    totalSteps: request.steps ?? task.steps,
  });
  const most = task.examples.train.length;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(
      `Cannot train as batchSize must be a whole number above 0: it is ${batchSize}`,
    );
  }
  if (most === 0) {
    throw new RangeError(`Cannot train on ${task.name} as it has no training prompts`);
  }
  return {
    task,
    reward: request.reward,
    model: request.model ?? "tiny",
    config,
    settings: { batchSize, maxGradNorm, ...DEFAULTS, ...own },
    saveEvery: request.saveEvery ?? 0,
  };
}

/** `device` is where a reward's network runs. */
export function openRunRewards(
  { task, reward, settings }: Asked,
  device: Device,
): Promise<CombinedReward> {
  return openRewards(task, reward, {
    device,
    embedder: settings.semanticEmbedder,
    matrixDtype: settings.frozenDtype,
    mapping: settings.semanticMapping,
    power: settings.semanticPower,
    oov: settings.semanticOov,
  });
}
