/**
 * What a run will hold on its device, found out before anything is allocated: the same code that makes
 * the models makes them on a device that only counts.
 * @module
 */
import { formatBytes } from "../base/units.ts";
import { CountingDevice } from "../kernels/devices/counting.ts";
import type { Device } from "../kernels/device.ts";
import type { ModelConfig } from "../model/config.ts";
import { type GenerationBatch, reserveGeneration } from "../model/generation/generate.ts";
import { Gpt2, type Gpt2Options } from "../model/gpt2.ts";
import type { LoraOptions } from "../model/lora/lora.ts";
import { type MemoryByKind, memoryByKind, sumOfKinds } from "../model/memory.ts";
import type { Needs } from "../rl/algorithm.ts";
import { findFault } from "./faults/registry.ts";
import { freeMemory } from "./folder/host.ts";
import { modelOptions } from "./models.ts";
import { LanguagePolicy, type RunShape } from "./policy.ts";
import type { RunSettings } from "./settings.ts";

/** Bytes that a program will hold on its device. */
export interface MemoryPlan {
  /** By kind, for each model that it holds, in the order of a table's columns. */
  readonly parts: Readonly<Record<string, MemoryByKind>>;
  readonly total: number;
}

/** Settings that memory depends on. */
export type MemorySettings = RunSettings & { maxNewTokens: number; microbatchRows: number };

/** What a training run is planned for. */
export interface RunSizes {
  config: ModelConfig;
  /** Tokens of the longest prompt. */
  promptTokens: number;
  settings: MemorySettings;
  /** What the algorithm needs of the models. */
  needs: Needs;
  /** Whether the run starts from an adapter's folder, see `checkStart`. Default false. */
  fromAdapter?: boolean;
  /** What the rewards hold, if they have a network on the device. */
  rewards?: MemoryByKind;
}

/** The largest batches of a run with these settings. */
export function runShape(
  { promptTokens, settings, needs }: Pick<RunSizes, "promptTokens" | "settings" | "needs">,
): RunShape {
  const { batchSize, maxNewTokens, microbatchRows } = settings, { head, groupSize } = needs;
  const shape = {
    ...{ batchSize, promptTokens, maxNewTokens, microbatchRows, groupSize },
    kl: needs.kl !== undefined,
    ...(head?.at && { valueAt: head.at }),
  };
  return findFault(settings.fault)?.shape?.(shape) ?? shape;
}

/** Rows of one forward and backward pass. */
export const passRows = ({ batchSize, microbatchRows }: MemorySettings): number =>
  microbatchRows === 0 ? batchSize : Math.min(batchSize, microbatchRows);

/**
 * Plans a training run: policy with value head and optimizer, reference, rollouts and updates.
 * @throws {RangeError} when a tensor of it fits in no buffer or binding of the device
 */
export function planRun(device: Device, sizes: RunSizes): MemoryPlan {
  const { config, settings, needs, rewards } = sizes;
  const options = modelOptions(settings, needs);
  using counted = new CountingDevice(device), countedReference = new CountingDevice(device);
  using model = Gpt2.empty(counted, config, options.policy);
  using reference = options.reference && Gpt2.empty(countedReference, config, options.reference);
  new LanguagePolicy({ model, reference }, null, settings).reserve(runShape(sizes));
  return planOf({
    policy: memoryByKind(counted),
    ...(reference && { reference: memoryByKind(countedReference) }),
    ...(rewards && { rewards }),
  });
}

/** Plans a model alone, and where `batch` is given generation with it. */
export function planModel(
  device: Device,
  { config, options, batch }: {
    config: ModelConfig;
    options: Gpt2Options;
    batch?: GenerationBatch;
  },
): MemoryPlan {
  using counted = new CountingDevice(device);
  using model = Gpt2.empty(counted, config, options);
  if (batch) reserveGeneration(model, batch);
  return planOf({ model: memoryByKind(counted) });
}

const planOf = (parts: Record<string, MemoryByKind>): MemoryPlan => ({
  parts,
  total: Object.values(parts).reduce((sum, part) => sum + sumOfKinds(part), 0),
});

/** How much may be held. */
export interface MemoryBudget {
  /** Absent where nothing is known: WebGPU does not tell how much a card has. */
  readonly bytes?: number;
  readonly from: "asked" | "machine" | "unknown";
}

/** Left to the program itself where the device's memory is the machine's. */
const HOST_RESERVE = 2 ** 29;

/**
 * `gib` where it is given. Else, where the processor computes, the machine's available memory, or what a
 * control group leaves of it, less 0.5 GiB, if the program may ask (`--allow-sys=systemMemoryInfo`).
 */
export function memoryBudget(device: Pick<Device, "software">, gib?: number): MemoryBudget {
  if (gib !== undefined) return { bytes: gib * 2 ** 30, from: "asked" };
  const free = device.software ? freeMemory() : undefined;
  if (free === undefined) return { from: "unknown" };
  return { bytes: Math.max(0, free - HOST_RESERVE), from: "machine" };
}

/** Which rule a plan breaks. */
export function tooLarge(
  action: string,
  { total }: MemoryPlan,
  { bytes, from }: MemoryBudget,
): string {
  const how = from === "machine" ? "are free here" : "may be taken";
  return `Cannot ${action} as ${formatBytes(bytes!)} of device memory ${how}: it needs ${
    formatBytes(total)
  }`;
}

/**
 * Plans a model alone, before it is loaded.
 * @throws {RangeError} when it does not fit
 */
export function checkModel(
  device: Device,
  action: string,
  { config, options }: { config: ModelConfig; options: Gpt2Options },
): void {
  const plan = planModel(device, { config, options });
  const budget = memoryBudget(device);
  if (plan.total <= (budget.bytes ?? Infinity)) return;
  throw new RangeError(`${tooLarge(action, plan, budget)}; use a machine with more memory`);
}

/**
 * Plans generation, before the model is loaded.
 * @throws {RangeError} when it does not fit
 */
export function checkGeneration(
  device: Device,
  { config, lora, batch, memory }: {
    config: ModelConfig;
    lora?: LoraOptions;
    batch: GenerationBatch;
    memory?: number;
  },
): void {
  const plan = planModel(device, { config, options: { frozen: true, lora }, batch });
  const budget = memoryBudget(device, memory);
  if (plan.total <= (budget.bytes ?? Infinity)) return;
  throw new RangeError(
    `${
      tooLarge("generate", plan, budget)
    }; ask for fewer samples or tokens, or use a smaller model`,
  );
}
