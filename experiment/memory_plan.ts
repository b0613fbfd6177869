/**
 * What a run will hold on its device, found out before anything is allocated: the same code that makes
 * the models makes them on a device that only counts.
 * @module
 */
import { CountingDevice } from "../kernels/devices/counting.ts";
import type { Device } from "../kernels/device.ts";
import { OutOfMemoryError } from "../kernels/devices/pool.ts";
import type { ModelConfig } from "../model/config.ts";
import { type GenerationBatch, reserveGeneration } from "../model/generation/generate.ts";
import { Gpt2, type Gpt2Options } from "../model/gpt2.ts";
import type { LoraOptions } from "../model/lora/lora.ts";
import { type MemoryByKind, memoryByKind, sumOfKinds } from "../model/memory.ts";
import { LanguagePolicy, type RunShape } from "./policy.ts";
import { modelOptions, type ModelSettings } from "./run_models.ts";
import type { TaskSettings } from "../tasks/task.ts";

/** Bytes that a program will hold on its device. */
export interface MemoryPlan {
  /** By kind, for each model that it holds, in the order of a table's columns. */
  readonly parts: Readonly<Record<string, MemoryByKind>>;
  readonly total: number;
}

/** Settings that memory depends on. */
export type MemorySettings =
  & ModelSettings
  & Pick<TaskSettings, "batchSize" | "maxNewTokens" | "microbatchRows">;

/** What a training run is planned for. */
export interface RunSizes {
  config: ModelConfig;
  /** Tokens of the longest prompt. */
  promptTokens: number;
  settings: MemorySettings;
  /** Whether the run starts from an adapter's folder, see `checkStart`. Default false. */
  fromAdapter?: boolean;
  /** What the rewards hold, if they have a network on the device. */
  rewards?: MemoryByKind;
}

/**
 * Settings that save memory where they are not set, those that change least first: each is tried alone,
 * and all together.
 */
const savingsFor = (
  { settings: { recompute, loraRank, frozenDtype }, fromAdapter }: RunSizes,
): Partial<MemorySettings>[] => [
  ...(recompute ? [] : [{ recompute: true }]),
  ...(frozenDtype === "f16" || fromAdapter ? [] : [{ frozenDtype: "f16" as const }]),
  ...(loraRank > 0 || fromAdapter ? [] : [{ loraRank: 8 }]),
];

/** The largest batches of a run with these settings. */
export function runShape({ promptTokens, settings }: Omit<RunSizes, "config">): RunShape {
  const { batchSize, maxNewTokens, microbatchRows } = settings;
  return { batchSize, promptTokens, maxNewTokens, microbatchRows };
}

/**
 * Plans a training run: policy with value head and optimizer, reference, rollouts and updates.
 * @throws {RangeError} when a tensor of it fits in no buffer or binding of the device
 */
export function planRun(device: Device, sizes: RunSizes): MemoryPlan {
  const { config, settings, rewards } = sizes;
  const options = modelOptions(settings);
  using counted = new CountingDevice(device), countedReference = new CountingDevice(device);
  using model = Gpt2.empty(counted, config, options.policy);
  using reference = options.reference && Gpt2.empty(countedReference, config, options.reference);
  new LanguagePolicy(model, reference, null).reserve(runShape(sizes));
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
const OWN = 2 ** 29;

/**
 * `gib` where it is given. Else, where the processor computes, the machine's available memory less 0.5
 * GiB, if the program may ask (`--allow-sys=systemMemoryInfo`).
 */
export function memoryBudget(device: Pick<Device, "software">, gib?: number): MemoryBudget {
  if (gib !== undefined) return { bytes: gib * 2 ** 30, from: "asked" };
  const asks = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (!device.software || Deno.permissions.querySync(asks).state !== "granted") {
    return { from: "unknown" };
  }
  return { bytes: Math.max(0, Deno.systemMemoryInfo().available - OWN), from: "machine" };
}

/** Settings other than those asked for, and what the run would hold with them. */
export interface Way {
  readonly settings: Partial<MemorySettings>;
  readonly bytes: number;
}

/**
 * The ways to stay within `budget` bytes: each saving, alone and all together, with the most rows a
 * pass that then fit. `least` is what is left with all savings and one row a pass.
 */
export function waysToFit(
  device: Device,
  sizes: RunSizes,
  budget: number,
): { ways: Way[]; least: Way } {
  const asked = sizes.settings;
  const bytesWith = (settings: Partial<MemorySettings>): number => {
    try {
      return planRun(device, { ...sizes, settings: { ...asked, ...settings } }).total;
    } catch (error) {
      if (error instanceof RangeError) return Infinity; // a tensor that nothing holds
      throw error;
    }
  };
  const fits = (bytes: number): boolean => bytes <= budget && bytes < Infinity;
  const savings = savingsFor(sizes);
  const all = Object.assign({}, ...savings) as Partial<MemorySettings>;
  const ways: Way[] = [];
  for (const saving of [{}, ...savings, ...(savings.length > 1 ? [all] : [])]) {
    const bytes = bytesWith(saving);
    if (fits(bytes)) {
      ways.push({ settings: saving, bytes });
      continue;
    }
    let most = 0, tooMany = passRows(asked), found = Infinity;
    while (tooMany - most > 1) {
      const microbatchRows = (most + tooMany) >> 1;
      const total = bytesWith({ ...saving, microbatchRows });
      if (fits(total)) [most, found] = [microbatchRows, total];
      else tooMany = microbatchRows;
    }
    if (most > 0) ways.push({ settings: { ...saving, microbatchRows: most }, bytes: found });
  }
  const settings = { ...all, microbatchRows: 1 };
  return { ways, least: { settings, bytes: bytesWith(settings) } };
}

/** Rows of one forward and backward pass. */
export const passRows = ({ batchSize, microbatchRows }: MemorySettings): number =>
  microbatchRows === 0 ? batchSize : Math.min(batchSize, microbatchRows);

/** A run that its device cannot hold; the message lists the settings that make it fit. */
export class DoesNotFitError extends RangeError {
  override name = "DoesNotFitError";
  constructor(cannot: string, readonly found: { ways: Way[]; least: Way }, options?: ErrorOptions) {
    const { ways, least } = found;
    const cure = ways.length > 0
      ? `; it fits with one of these:\n${waysInWords(ways).join("\n")}`
      : `; ${leastInWords(least)}`;
    super(cannot + cure, options);
  }
}

/** A line a way: its settings, and what they come to. */
export function waysInWords(ways: readonly Way[]): string[] {
  const width = Math.max(0, ...ways.map(({ settings }) => inWords(settings).length));
  return ways.map(({ settings, bytes }) =>
    `  ${inWords(settings).padEnd(width)}  ${inUnits(bytes)}`
  );
}

/** What is said where no way is enough. */
export function leastInWords({ settings, bytes }: Way): string {
  return Number.isFinite(bytes)
    ? `even ${inWords(settings)} leaves it at ${inUnits(bytes)}: use a smaller model, shorter ` +
      "texts or a smaller batchSize"
    : "no smaller pass helps: use a smaller model, shorter texts or another device";
}

const inWords = (settings: Partial<MemorySettings>): string =>
  Object.entries(settings).map(([key, value]) => `${key}=${value}`).join(" ");

/** Bytes as people say them. */
export function inUnits(bytes: number): string {
  return bytes < 2 ** 30
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/**
 * The plan of a run that fits.
 * @throws {DoesNotFitError} when it exceeds `budget`, or a tensor fits in no buffer of the device
 */
export function planFitting(device: Device, sizes: RunSizes, budget: MemoryBudget): MemoryPlan {
  const { bytes = Infinity } = budget;
  let plan: MemoryPlan;
  try {
    plan = planRun(device, sizes);
  } catch (error) {
    const found = error instanceof RangeError && waysToFit(device, sizes, bytes);
    if (!found || !Number.isFinite(found.least.bytes)) throw error; // no setting changes that
    throw new DoesNotFitError((error as RangeError).message, found, { cause: error });
  }
  if (plan.total <= bytes) return plan;
  throw new DoesNotFitError(
    tooLarge("train", plan, budget),
    waysToFit(device, sizes, bytes),
  );
}

/** Which rule a plan breaks. */
function tooLarge(action: string, { total }: MemoryPlan, { bytes, from }: MemoryBudget): string {
  const how = from === "machine" ? "are free here" : "may be taken";
  return `Cannot ${action} as ${inUnits(bytes!)} of device memory ${how}: it needs ${
    inUnits(total)
  }`;
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

/** Adds to an `OutOfMemoryError` what would have fit into the memory that there was; others stay. */
export function explainMemory(error: unknown, device: Device, sizes: RunSizes): unknown {
  if (!(error instanceof OutOfMemoryError)) return error;
  const message = error.message.split(";")[0];
  return new DoesNotFitError(message, waysToFit(device, sizes, error.held), { cause: error });
}
